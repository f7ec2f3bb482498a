#include "services/edil/update_table.hpp"

#include <algorithm>

namespace kith::edil {

using schema::EdilMember;

bool same_update(const EdilMember& a, const EdilMember& b) {
  return a.contributor == b.contributor && a.samples == b.samples && a.hash == b.hash;
}

std::uint16_t UpdateTable::parts() const {
  return static_cast<std::uint16_t>((payload_bytes(parameters_) + schema::kPartBytes - 1) /
                                    schema::kPartBytes);
}

std::size_t UpdateTable::bytes_of(std::uint16_t index) const {
  const std::size_t from = std::size_t{index} * schema::kPartBytes;
  const std::size_t bytes = payload_bytes(parameters_);
  return from >= bytes ? 0 : std::min(schema::kPartBytes, bytes - from);
}

UpdateTable::Put UpdateTable::put(const schema::EdilPart& part) {
  const auto base = entries_.find(part.base);
  if (base == entries_.end() && entries_.size() >= kBasesMax) return Put::full;
  auto& of_base = entries_[part.base];
  const auto at = of_base.find(part.member.contributor);
  if (at == of_base.end()) {
    if (of_base.size() >= schema::kContributorsMax) return Put::full;
    Entry entry;
    entry.member = part.member;
    entry.round = part.round;
    entry.parts.resize(parts());
    entry.parts[part.index] = part.bytes;
    entry.missing = entry.parts.size() - 1;
    of_base.emplace(part.member.contributor, std::move(entry));
    return Put::fresh;
  }
  Entry& entry = at->second;
  if (!same_update(entry.member, part.member)) return Put::other;
  if (entry.broken) return Put::broken;
  if (!entry.payload.empty() || !entry.parts[part.index].empty()) return Put::duplicate;
  entry.parts[part.index] = part.bytes;
  --entry.missing;
  return Put::more;
}

bool UpdateTable::close_parts(Entry& entry) {
  std::vector<std::uint8_t> all;
  all.reserve(payload_bytes(parameters_));
  for (const Bytes& part : entry.parts) all.insert(all.end(), part.begin(), part.end());
  entry.parts.clear();
  if (sha256(all) != entry.member.hash || !check_payload(parameters_, all)) {
    entry.broken = true;
    return false;
  }
  entry.payload = Bytes::adopt(std::move(all));
  return true;
}

Result<void> UpdateTable::put_whole(const Cid& base, std::uint32_t round, const EdilMember& member,
                                    Bytes payload) {
  KITH_TRY_VOID(check_payload(parameters_, payload));
  if (sha256(payload) != member.hash) return fail(Errc::identity, "an update of another hash");
  if (entries_.count(base) == 0 && entries_.size() >= kBasesMax)
    return fail(Errc::exhausted, "too many bases");
  auto& of_base = entries_[base];
  if (of_base.size() >= schema::kContributorsMax && of_base.count(member.contributor) == 0)
    return fail(Errc::exhausted, "too many contributors");
  Entry& entry = of_base[member.contributor];
  entry.member = member;
  entry.round = round;
  entry.verified = true;
  entry.broken = false;
  entry.parts.clear();
  entry.missing = 0;
  entry.payload = std::move(payload);
  return {};
}

UpdateTable::Entry* UpdateTable::find(const Cid& base, const PeerId& contributor) {
  return const_cast<Entry*>(std::as_const(*this).find(base, contributor));
}

const UpdateTable::Entry* UpdateTable::find(const Cid& base, const PeerId& contributor) const {
  const auto of_base = entries_.find(base);
  if (of_base == entries_.end()) return nullptr;
  const auto at = of_base->second.find(contributor);
  return at == of_base->second.end() ? nullptr : &at->second;
}

const UpdateTable::Entry* UpdateTable::find_whole(const Cid& base, const EdilMember& member) const {
  const Entry* entry = find(base, member.contributor);
  return entry != nullptr && entry->whole() && same_update(entry->member, member) ? entry : nullptr;
}

void UpdateTable::erase(const Cid& base, const PeerId& contributor) {
  const auto of_base = entries_.find(base);
  if (of_base != entries_.end()) of_base->second.erase(contributor);
}

std::vector<const UpdateTable::Entry*> UpdateTable::whole(const Cid& base) const {
  std::vector<const Entry*> out;
  const auto of_base = entries_.find(base);
  if (of_base == entries_.end()) return out;
  for (const auto& [contributor, entry] : of_base->second)
    if (entry.whole()) out.push_back(&entry);
  return out;
}

void UpdateTable::keep(const std::vector<Cid>& bases) {
  std::erase_if(entries_, [&](const auto& one) {
    return std::find(bases.begin(), bases.end(), one.first) == bases.end();
  });
}

}  // namespace kith::edil
