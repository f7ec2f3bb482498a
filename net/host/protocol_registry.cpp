#include "net/host/protocol_registry.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::host {

bool PeerFacts::speaks(std::string_view protocol) const { return protocols.has(protocol); }

ProtocolIndex ProtocolRegistry::add(ProtocolSpec spec, Protocol& handler, bool internal) {
  CHECK((!spec.serve || !spec.ids.empty()) &&
        entries_.size() < UINT16_MAX);  // without ids: only connects
  const auto index = static_cast<ProtocolIndex>(entries_.size());
  for (const std::string& id : spec.ids) CHECK(by_id_.emplace(id, index).second);
  entries_.push_back({std::move(spec), &handler, internal});
  return index;
}

bool ProtocolRegistry::set_serving(ProtocolIndex index, bool serve) {
  bool& now = entries_.at(index).spec.serve;
  return std::exchange(now, serve) != serve;
}

std::optional<ProtocolRegistry::Served> ProtocolRegistry::serving(std::string_view id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || !entries_[found->second].spec.serve) return std::nullopt;
  return Served{found->second, found->first};
}

std::vector<std::string> ProtocolRegistry::served() const {
  std::vector<std::string> ids;
  for (const auto& [id, index] : by_id_)
    if (entries_[index].spec.serve) ids.push_back(id);
  return ids;
}

const std::string* ProtocolRegistry::pick(ProtocolIndex index,
                                          std::span<const std::string> spoken) const {
  for (const std::string& id : entries_.at(index).spec.ids)
    if (std::binary_search(spoken.begin(), spoken.end(), id)) return &id;
  return nullptr;
}

}  // namespace kith::host
