// ValidationQueue: messages that are not yet accepted. First their signature is checked, then
// their topic's handler judges them; until both said yes nobody else gets them.
//
// Rules
// * Bounded: kVerifyingPerPeerMax messages of one peer under verification, kPendingPerTopicMax of
//   one topic whose judge wants time, kQueueBytesMax in all. What does not fit the first or the
//   last is dropped unseen, so that another copy may still come.
// * Nothing here is "seen": only a message whose signature verified is, or else whoever knows an
//   id in advance could suppress it with a forgery. So copies that differ in a byte wait side by
//   side; a copy that is the same byte for byte is only noted (`also`: that peer needs no copy
//   from us).
// * A judge has kJudgeTime.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gossip/message_cache.hpp"

namespace kith::gossip {

class ValidationQueue {
 public:
  enum class Stage : std::uint8_t { verifying, judging, pending };
  struct Entry {
    Message message;
    std::vector<host::PeerSlot> also;  // have it too; at most kAlsoMax
    Stage stage = Stage::verifying;
    Mono deadline = kNever;
    JudgeSlot same;  // another of its key, or none
  };

  // No slot: full.
  std::optional<JudgeSlot> admit(Message message);
  // The waiting message of this key and of exactly these bytes.
  Entry* find_same(std::uint64_t key, ByteView rpc);
  // The one of this key whose signature verified.
  Entry* find_verified(std::uint64_t key);
  bool has(std::uint64_t key) const { return by_key_.contains(key); }
  Entry* find(JudgeSlot slot) { return entries_.find(slot); }
  const Entry* find(JudgeSlot slot) const { return entries_.find(slot); }
  void start_judging(Mono now, JudgeSlot slot);  // the signature verified
  // The judge wants time; false: too many of this topic do.
  bool keep_pending(JudgeSlot slot);
  Entry take(JudgeSlot slot);
  void drop_verifying(host::PeerSlot peer);  // all of this peer
  // Slots whose judge has had its time, oldest first.
  std::vector<JudgeSlot> expired(Mono now) const;
  void note(Entry& entry, host::PeerSlot has_it);

  std::size_t verifying(host::PeerSlot peer) const;
  std::size_t pending(TopicIndex topic) const;
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  // Counts by slot index; a slot that is used anew inherits what still waits of the former peer.
  static std::uint16_t& count(std::vector<std::uint16_t>& counts, std::uint32_t index);

  // Of this key, each that `fits`, or null.
  template <class Fits>
  Entry* find_of(std::uint64_t key, Fits&& fits);

  Slots<JudgeSlot, Entry, 256> entries_;  // most are judged at once: it is empty again and again
  boost::unordered_flat_map<std::uint64_t, JudgeSlot, HashedKey> by_key_;  // the last that came
  std::vector<std::uint16_t> verifying_;                                   // by PeerSlot index
  std::vector<std::uint16_t> pending_;                                     // by TopicIndex index
  std::size_t bytes_ = 0;
};

}  // namespace kith::gossip
