// MessageCache: the messages of the last heartbeats, from which IWANT is answered and IHAVE is
// made (gossipsub v1.0 "message cache").
//
// Rules: a message stays for kHistoryLength windows and is offered during the first
// kHistoryGossip; a peer gets it by IWANT at most kRetransmissionsMax times. Bounded in messages
// and bytes: the oldest goes first.
//
// The messages lie by window in the order in which they came, since every heartbeat reads all that
// are offered; the table is for IWANT, and takes them up when one comes.
//
// Attacker: one who asks for the same message again and again, or publishes more than we can
// keep.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "gossip/message.hpp"

namespace kith::gossip {

// What is hashed already, under a secret.
struct HashedKey {
  std::size_t operator()(std::uint64_t key) const { return static_cast<std::size_t>(key); }
};

class MessageCache {
 public:
  // Of a key that is here already: both are offered; the newer is served until the older goes.
  void put(const Message& message);
  // The RPC of the message, and one of `to`'s retransmissions used up; null: not here, or none
  // left.
  const Bytes* take_for(std::uint64_t key, host::PeerSlot to);
  // Ids of the messages of `topic` that are to be offered, newest first, at most `max`.
  std::vector<Bytes> offers(TopicIndex topic, std::size_t max) const;
  void shift();  // at each heartbeat
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Sent {
    host::PeerSlot to;
    std::uint8_t times = 0;
  };
  struct Entry {
    std::uint64_t key = 0;
    Bytes rpc;
    Bytes id;
    TopicIndex topic;
  };
  struct Window {
    std::uint64_t first = 0;  // number of the first entry
    std::vector<Entry> entries;
  };
  const Entry* find(std::uint64_t key);
  void drop(Window& window, std::size_t count);  // of its oldest
  void drop_oldest();

  std::array<Window, kHistoryLength> windows_;  // newest first
  std::uint64_t next_ = 0;
  std::size_t size_ = 0;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t, HashedKey> numbers_;  // by key ...
  std::uint64_t numbered_ = 0;  // ... of all before this one
  boost::unordered_flat_map<std::uint64_t, std::vector<Sent>, HashedKey> sent_;  // by key
  std::size_t bytes_ = 0;
};

}  // namespace kith::gossip
