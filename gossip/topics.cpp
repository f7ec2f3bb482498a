#include "gossip/topics.hpp"

namespace kith::gossip {

TopicIndex Topics::intern(std::string_view name) {
  if (const TopicIndex known = find(name)) return known;
  const auto [at, added] = by_name_.emplace(std::string(name), TopicIndex{});
  at->second = topics_.insert({});
  topics_.at(at->second).name = &at->first;
  return at->second;
}

TopicIndex Topics::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? TopicIndex{} : at->second;
}

void Topics::release(TopicIndex topic) {
  const Topic* held = topics_.find(topic);
  if (held == nullptr || !held->idle()) return;
  const auto at = by_name_.find(*held->name);
  topics_.erase(topic);
  by_name_.erase(at);
}

bool set_has(const std::vector<host::PeerSlot>& set, host::PeerSlot peer) {
  return std::binary_search(set.begin(), set.end(), peer);
}

bool set_add(std::vector<host::PeerSlot>& set, host::PeerSlot peer) {
  const auto at = std::lower_bound(set.begin(), set.end(), peer);
  if (at != set.end() && *at == peer) return false;
  const auto place = at - set.begin();
  if (set.size() == set.capacity()) set.reserve(set.size() + set.size() / 4 + 2);
  set.insert(set.begin() + place, peer);
  return true;
}

bool set_remove(std::vector<host::PeerSlot>& set, host::PeerSlot peer) {
  const auto at = std::lower_bound(set.begin(), set.end(), peer);
  if (at == set.end() || *at != peer) return false;
  set.erase(at);
  return true;
}

}  // namespace kith::gossip
