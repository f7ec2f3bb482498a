#include "gossip/validation_queue.hpp"

#include <algorithm>
#include <utility>

namespace kith::gossip {

std::uint16_t& ValidationQueue::count(std::vector<std::uint16_t>& counts, std::uint32_t index) {
  if (index >= counts.size()) counts.resize(index + 1, 0);
  return counts[index];
}

std::size_t ValidationQueue::verifying(host::PeerSlot peer) const {
  return peer.index < verifying_.size() ? verifying_[peer.index] : 0;
}

std::size_t ValidationQueue::pending(TopicIndex topic) const {
  return topic.index < pending_.size() ? pending_[topic.index] : 0;
}

std::optional<JudgeSlot> ValidationQueue::admit(Message message) {
  const std::size_t size = message.rpc.size();
  if (verifying(message.via) >= kVerifyingPerPeerMax || bytes_ + size > kQueueBytesMax)
    return std::nullopt;
  ++count(verifying_, message.via.index);
  bytes_ += size;
  const std::uint64_t key = message.key;
  const JudgeSlot slot = entries_.insert({std::move(message), {}, Stage::verifying, kNever, {}});
  JudgeSlot& last = by_key_[key];
  entries_.at(slot).same = std::exchange(last, slot);
  return slot;
}

template <class Fits>
ValidationQueue::Entry* ValidationQueue::find_of(std::uint64_t key, Fits&& fits) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  for (Entry* entry = &entries_.at(found->second); entry != nullptr;
       entry = entries_.find(entry->same))
    if (fits(*entry)) return entry;
  return nullptr;
}

ValidationQueue::Entry* ValidationQueue::find_same(std::uint64_t key, ByteView rpc) {
  return find_of(key, [rpc](const Entry& entry) { return equal(entry.message.rpc, rpc); });
}

ValidationQueue::Entry* ValidationQueue::find_verified(std::uint64_t key) {
  return find_of(key, [](const Entry& entry) { return entry.stage != Stage::verifying; });
}

void ValidationQueue::note(Entry& entry, host::PeerSlot has_it) {
  if (entry.also.size() < kAlsoMax) entry.also.push_back(has_it);
}

void ValidationQueue::start_judging(Mono now, JudgeSlot slot) {
  Entry& entry = entries_.at(slot);
  --count(verifying_, entry.message.via.index);
  entry.stage = Stage::judging;
  entry.deadline = later(now, kJudgeTime);
}

bool ValidationQueue::keep_pending(JudgeSlot slot) {
  Entry& entry = entries_.at(slot);
  if (entry.stage == Stage::pending) return true;
  if (pending(entry.message.topic) >= kPendingPerTopicMax) return false;
  ++count(pending_, entry.message.topic.index);
  entry.stage = Stage::pending;
  return true;
}

ValidationQueue::Entry ValidationQueue::take(JudgeSlot slot) {
  Entry entry = entries_.take(slot);
  if (entry.stage == Stage::verifying) --count(verifying_, entry.message.via.index);
  if (entry.stage == Stage::pending) --count(pending_, entry.message.topic.index);
  bytes_ -= entry.message.rpc.size();
  const auto last = by_key_.find(entry.message.key);
  if (last->second != slot)
    find_of(entry.message.key, [slot](const Entry& one) { return one.same == slot; })->same =
        entry.same;
  else if (entry.same)
    last->second = entry.same;
  else
    by_key_.erase(last);
  return entry;
}

void ValidationQueue::drop_verifying(host::PeerSlot peer) {
  std::vector<JudgeSlot> slots;
  entries_.for_each([&](JudgeSlot slot, const Entry& entry) {
    if (entry.stage == Stage::verifying && entry.message.via == peer) slots.push_back(slot);
  });
  for (const JudgeSlot slot : slots) take(slot);
}

std::vector<JudgeSlot> ValidationQueue::expired(Mono now) const {
  std::vector<std::pair<Mono, JudgeSlot>> due;
  entries_.for_each([&](JudgeSlot slot, const Entry& entry) {
    if (entry.deadline <= now) due.emplace_back(entry.deadline, slot);
  });
  std::sort(due.begin(), due.end());
  std::vector<JudgeSlot> slots;
  for (const auto& [deadline, slot] : due) slots.push_back(slot);
  return slots;
}

}  // namespace kith::gossip
