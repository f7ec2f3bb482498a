// MessageCache: the messages of the last heartbeats, from which IWANT is answered and IHAVE is
// made (gossipsub v1.0 "message cache").
//
// Rules: a message stays for kHistoryLength windows and is offered during the first
// kHistoryGossip; a peer gets it by IWANT at most kRetransmissionsMax times. Bounded in messages
// and bytes: the oldest goes first.
//
// Attacker: one who asks for the same message again and again, or publishes more than we can
// keep.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "gossip/message.hpp"

namespace kith::gossip {

// What is hashed already, under a secret.
struct HashedKey {
  std::size_t operator()(std::uint64_t key) const { return static_cast<std::size_t>(key); }
};

class MessageCache {
 public:
  void put(const Message& message);
  bool has(std::uint64_t key) const { return entries_.contains(key); }
  // The RPC of the message, and one of `to`'s retransmissions used up; null: not here, or none
  // left.
  const Bytes* take_for(std::uint64_t key, host::PeerSlot to);
  // Ids of the messages of `topic` that are to be offered, newest first, at most `max`.
  std::vector<Bytes> offers(TopicIndex topic, std::size_t max) const;
  void shift();  // at each heartbeat
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return entries_.empty(); }

 private:
  struct Sent {
    host::PeerSlot to;
    std::uint8_t times = 0;
  };
  struct Entry {
    Bytes rpc;
    Bytes id;
    TopicIndex topic;
    std::vector<Sent> sent;
  };
  void drop_oldest();
  void erase(std::uint64_t key);

  std::unordered_map<std::uint64_t, Entry, HashedKey> entries_;     // looked up, never iterated
  std::array<std::vector<std::uint64_t>, kHistoryLength> windows_;  // newest first
  std::size_t bytes_ = 0;
};

}  // namespace kith::gossip
