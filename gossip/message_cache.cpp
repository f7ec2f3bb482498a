#include "gossip/message_cache.hpp"

#include <algorithm>

namespace kith::gossip {

void MessageCache::put(const Message& message) {
  ++next_;
  ++size_;
  windows_[0].entries.push_back({message.key, message.rpc, message.id, message.topic});
  bytes_ += message.rpc.size();
  while (size_ > kHistoryMessagesMax || bytes_ > kHistoryBytesMax) drop_oldest();
}

const MessageCache::Entry* MessageCache::find(std::uint64_t key) {
  for (auto window = windows_.rbegin(); window != windows_.rend(); ++window) {
    numbered_ = std::max(numbered_, window->first);
    for (; numbered_ < window->first + window->entries.size(); ++numbered_)
      numbers_[window->entries[static_cast<std::size_t>(numbered_ - window->first)].key] =
          numbered_;
  }
  const auto found = numbers_.find(key);
  if (found == numbers_.end()) return nullptr;
  for (const Window& window : windows_)
    if (found->second >= window.first && !window.entries.empty())
      return &window.entries[static_cast<std::size_t>(found->second - window.first)];
  return nullptr;
}

const Bytes* MessageCache::take_for(std::uint64_t key, host::PeerSlot to) {
  const Entry* entry = find(key);
  if (entry == nullptr) return nullptr;
  std::vector<Sent>& sent = sent_[key];
  const auto before =
      std::find_if(sent.begin(), sent.end(), [to](const Sent& one) { return one.to == to; });
  if (before == sent.end()) {
    sent.push_back({to, 1});
  } else {
    if (before->times >= kRetransmissionsMax) return nullptr;
    ++before->times;
  }
  return &entry->rpc;
}

std::vector<Bytes> MessageCache::offers(TopicIndex topic, std::size_t max) const {
  std::vector<Bytes> ids;
  for (std::size_t window = 0; window < kHistoryGossip; ++window) {
    const std::vector<Entry>& entries = windows_[window].entries;
    for (auto entry = entries.rbegin(); entry != entries.rend() && ids.size() < max; ++entry)
      if (entry->topic == topic) ids.push_back(entry->id);
  }
  return ids;
}

void MessageCache::shift() {
  drop(windows_.back(), windows_.back().entries.size());
  std::rotate(windows_.begin(), windows_.end() - 1, windows_.end());
  windows_.front() = {next_, {}};
}

void MessageCache::drop(Window& window, std::size_t count) {
  const auto end = window.entries.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto entry = window.entries.begin(); entry != end; ++entry) {
    bytes_ -= entry->rpc.size();
    if (!numbers_.empty()) numbers_.erase(entry->key);
    if (!sent_.empty()) sent_.erase(entry->key);
  }
  size_ -= count;
  window.entries.erase(window.entries.begin(), end);
  window.first += count;
}

// Only when full, which takes thousands of messages in five seconds; erasing at the front is
// fine.
void MessageCache::drop_oldest() {
  const auto oldest = std::find_if(windows_.rbegin(), windows_.rend(),
                                   [](const Window& window) { return !window.entries.empty(); });
  drop(*oldest, std::max<std::size_t>(oldest->entries.size() / 2, 1));
}

}  // namespace kith::gossip
