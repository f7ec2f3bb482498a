#include "gossip/message_cache.hpp"

#include <algorithm>

namespace kith::gossip {

void MessageCache::put(const Message& message) {
  const auto [at, added] = entries_.try_emplace(message.key);
  if (!added) return;
  at->second = {message.rpc, message.id, message.topic, {}};
  windows_[0].push_back(message.key);
  bytes_ += message.rpc.size();
  while (entries_.size() > kHistoryMessagesMax || bytes_ > kHistoryBytesMax) drop_oldest();
}

const Bytes* MessageCache::take_for(std::uint64_t key, host::PeerSlot to) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return nullptr;
  std::vector<Sent>& sent = at->second.sent;
  const auto before =
      std::find_if(sent.begin(), sent.end(), [to](const Sent& entry) { return entry.to == to; });
  if (before == sent.end()) {
    sent.push_back({to, 1});
  } else {
    if (before->times >= kRetransmissionsMax) return nullptr;
    ++before->times;
  }
  return &at->second.rpc;
}

std::vector<Bytes> MessageCache::offers(TopicIndex topic, std::size_t max) const {
  std::vector<Bytes> ids;
  for (std::size_t window = 0; window < kHistoryGossip; ++window) {
    const std::vector<std::uint64_t>& keys = windows_[window];
    for (auto key = keys.rbegin(); key != keys.rend() && ids.size() < max; ++key) {
      const Entry& entry = entries_.at(*key);
      if (entry.topic == topic) ids.push_back(entry.id);
    }
  }
  return ids;
}

void MessageCache::shift() {
  for (const std::uint64_t key : windows_.back()) erase(key);
  windows_.back() = {};
  std::rotate(windows_.begin(), windows_.end() - 1, windows_.end());
}

// Only when full, which takes thousands of messages in five seconds; erasing at the front is
// fine.
void MessageCache::drop_oldest() {
  const auto oldest = std::find_if(windows_.rbegin(), windows_.rend(),
                                   [](const auto& window) { return !window.empty(); });
  const std::size_t half = std::max<std::size_t>(oldest->size() / 2, 1);
  for (std::size_t i = 0; i < half; ++i) erase((*oldest)[i]);
  oldest->erase(oldest->begin(), oldest->begin() + static_cast<std::ptrdiff_t>(half));
}

void MessageCache::erase(std::uint64_t key) {
  const auto at = entries_.find(key);
  bytes_ -= at->second.rpc.size();
  entries_.erase(at);
}

}  // namespace kith::gossip
