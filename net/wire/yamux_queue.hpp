// What waits to be written on the streams of one connection: per stream a queue of slices, all in
// one pool of nodes, so that an idle stream costs 32 bytes here and a write costs no allocation
// once the pool has grown. The pool is given back when the last node is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "schema/base/bytes.hpp"

namespace kith::wire {

// Same order and meaning as host::Priority: what is more urgent comes first.
enum class Priority : std::uint8_t { control, normal, bulk };
inline constexpr std::size_t kPriorities = 3;

struct SliceQueue {
  std::uint32_t head = UINT32_MAX;
  std::uint32_t tail = UINT32_MAX;
  std::array<std::uint32_t, kPriorities> slices{};  // queued, by priority
  std::size_t bytes = 0;

  bool empty() const { return bytes == 0; }
  // Of the most urgent slice in the queue: what waits behind a bulk slice lifts it.
  Priority priority() const;
};

class SlicePool {
 public:
  void push(SliceQueue& queue, Bytes slice, Priority priority);  // slice: not empty
  // Moves the first `bytes` (at most queue.bytes) out.
  void take(SliceQueue& queue, std::size_t bytes, std::vector<Bytes>& to);
  void clear(SliceQueue& queue);
  std::size_t used() const { return used_; }  // nodes

 private:
  struct Node {
    Bytes slice;
    std::uint32_t next = UINT32_MAX;
    Priority priority = Priority::normal;
  };
  void drop_head(SliceQueue& queue);

  std::vector<Node> nodes_;
  std::uint32_t free_ = UINT32_MAX;
  std::size_t used_ = 0;
};

}  // namespace kith::wire
