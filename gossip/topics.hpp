// Topics: every topic that we or a peer subscribe to, or that we publish to, under a small index.
//
// Rules: a topic is here as long as it is ours, a peer subscribes to it, it has a fanout, or a
// backoff in it still runs; then its index goes stale. Iteration is in index order. Look-up
// compares names in a tree, so that no choice of names makes it slow. Bounds: kTopicsOwnMax ours,
// kTopicsPerPeerMax for each peer (the router counts both), kFanoutsMax.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gossip/mesh.hpp"

namespace kith::gossip {

struct Topic {
  const std::string* name = nullptr;  // owned by Topics, stable
  bool joined = false;                // we subscribe
  bool loopback = false;
  std::vector<host::PeerSlot> subscribers;  // ready peers, sorted
  Mesh mesh;                                // while joined
  Backoffs backoffs;
  bool fanning = false;                // not joined, and we published to it not long ago
  std::vector<host::PeerSlot> fanout;  // whom those messages went to
  Mono fanout_until{};

  bool idle() const { return !joined && !fanning && subscribers.empty() && backoffs.empty(); }
};

class Topics {
 public:
  TopicIndex intern(std::string_view name);
  // A handle without index: not here.
  TopicIndex find(std::string_view name) const;
  Topic* find(TopicIndex topic) { return topics_.find(topic); }
  const Topic* find(TopicIndex topic) const { return topics_.find(topic); }
  Topic& at(TopicIndex topic) { return topics_.at(topic); }
  // Forgets the topic if nothing holds it any more.
  void release(TopicIndex topic);
  template <class Each>
  void for_each(Each&& each) {
    topics_.for_each(each);
  }
  template <class Each>
  void for_each(Each&& each) const {
    topics_.for_each(each);
  }
  std::size_t size() const { return topics_.size(); }

 private:
  Slots<TopicIndex, Topic> topics_;
  std::map<std::string, TopicIndex, std::less<>> by_name_;
};

// Sorted vectors of slots, as sets.
bool set_has(const std::vector<host::PeerSlot>& set, host::PeerSlot peer);
bool set_add(std::vector<host::PeerSlot>& set, host::PeerSlot peer);
bool set_remove(std::vector<host::PeerSlot>& set, host::PeerSlot peer);

}  // namespace kith::gossip
