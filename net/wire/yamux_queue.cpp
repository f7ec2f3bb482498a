#include "net/wire/yamux_queue.hpp"

#include <utility>

#include "net/base/check.hpp"

namespace kith::wire {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::size_t kNodesKept = 64;  // 2 KiB for a connection that has nothing to send

std::size_t index_of(Priority priority) { return static_cast<std::size_t>(priority); }

}  // namespace

Priority SliceQueue::priority() const {
  for (std::size_t i = 0; i + 1 < kPriorities; ++i)
    if (slices[i] > 0) return static_cast<Priority>(i);
  return Priority::bulk;
}

void SlicePool::push(SliceQueue& queue, Bytes slice, Priority priority) {
  if (free_ == kNone) {
    CHECK(nodes_.size() < kNone);
    free_ = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  }
  const std::uint32_t at = free_;
  Node& node = nodes_[at];
  free_ = node.next;
  node.next = kNone;
  node.priority = priority;
  queue.bytes += slice.size();
  node.slice = std::move(slice);
  ++queue.slices[index_of(priority)];
  if (queue.tail == kNone) {
    queue.head = at;
  } else {
    nodes_[queue.tail].next = at;
  }
  queue.tail = at;
  ++used_;
}

void SlicePool::take(SliceQueue& queue, std::size_t bytes, std::vector<Bytes>& to) {
  CHECK(bytes <= queue.bytes);
  while (bytes > 0) {
    Node& node = nodes_[queue.head];
    if (bytes < node.slice.size()) {
      to.push_back(node.slice.slice(0, bytes));
      node.slice = std::move(node.slice).slice(bytes);
      queue.bytes -= bytes;
      return;
    }
    bytes -= node.slice.size();
    queue.bytes -= node.slice.size();
    to.push_back(std::move(node.slice));
    drop_head(queue);
  }
}

void SlicePool::clear(SliceQueue& queue) {
  while (queue.head != kNone) drop_head(queue);
  queue.bytes = 0;
}

void SlicePool::drop_head(SliceQueue& queue) {
  const std::uint32_t at = queue.head;
  Node& node = nodes_[at];
  node.slice = Bytes();
  --queue.slices[index_of(node.priority)];
  queue.head = node.next;
  if (queue.head == kNone) queue.tail = kNone;
  node.next = free_;
  free_ = at;
  if (--used_ == 0 && nodes_.size() > kNodesKept) {
    nodes_ = {};
    free_ = kNone;
  }
}

}  // namespace kith::wire
