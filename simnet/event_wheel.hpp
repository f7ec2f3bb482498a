// EventWheel: the one queue of a World, ordered by (time, order of insertion).
//
// Why a wheel: with 10^6 events pending a heap does 4 M events/s and a bucketed wheel 17 M. Three
// levels: fine buckets of 2^kFineBits ns, coarse buckets that spill into the fine ones when their
// time comes, and a heap for what is further away. Only the fine bucket that is being read is
// sorted; what is added to it meanwhile goes to a small heap beside it.
//
// Rules: times never lie before the last one popped (they are raised to it). Events are plain data:
// nothing is cancelled; a handler recognises what is stale by a generation in `data`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "net/base/check.hpp"

namespace kith::simnet {

struct Event {
  std::int64_t at = 0;         // virtual nanoseconds
  std::uint64_t sequence = 0;  // given by the wheel
  std::uint32_t node = 0;
  std::uint16_t handler = 0;  // who takes it (World::add_handler)
  std::uint16_t kind = 0;     // of that handler's own
  std::uint64_t data = 0;     // of that handler's own; an index, never a pointer
};
static_assert(sizeof(Event) == 32);

inline bool sooner(const Event& a, const Event& b) {
  return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
}
// Heaps of events with the earliest in front.
void push_to_heap(std::vector<Event>& heap, const Event& event);
Event pop_from_heap(std::vector<Event>& heap);

class EventWheel {
 public:
  EventWheel();
  void push(Event event);
  // The earliest event's time, INT64_MAX when there is none.
  std::int64_t next();
  // There must be one.
  const Event& front() {
    CHECK(size_ != 0);
    if (read_ == current_.size() && late_.empty()) refill();
    return late_comes_first() ? late_.front() : current_[read_];
  }
  void drop_front();  // what front() or front_before() has just given
  Event pop();        // both
  // The earliest, if it comes before `end`; or null.
  const Event* front_before(std::int64_t end) {
    if (size_ == 0) return nullptr;
    const Event& first = front();
    return first.at < end ? &first : nullptr;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  static constexpr unsigned kFineBits = 16;       // 65 us a bucket
  static constexpr unsigned kFineCountBits = 12;  // 268 ms in all
  static constexpr unsigned kCoarseBits = kFineBits + kFineCountBits;
  static constexpr unsigned kCoarseCountBits = 10;  // 275 s in all
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kChunkEvents = 15;
  static constexpr std::size_t kSlabChunks = 1024;

  // Buckets are lists of chunks from one pool: no allocation in the steady state. A bucket with one
  // event touches one cache line of it.
  struct alignas(64) Chunk {
    std::uint32_t next;
    std::array<std::uint32_t, 7> unused;
    std::array<Event, kChunkEvents> events;
  };
  static_assert(sizeof(Chunk) == 512);
  // Of a bucket: its first chunk, and how many of that one's events there are; all others are full.
  // (It is here and not in the chunk, which would have to come from memory to be added to.)
  struct Bucket {
    std::uint32_t head = kNone;
    std::uint32_t used = 0;
  };
  struct Level {
    explicit Level(unsigned count_bits)
        : buckets(std::size_t{1} << count_bits), full(buckets.size() / 64) {}
    std::vector<Bucket> buckets;
    std::vector<std::uint64_t> full;  // a bit a bucket: it is not empty
    std::size_t size = 0;
    // The first bucket at `from` or behind that is not empty; buckets.size() when there is none.
    std::size_t first_full(std::size_t from) const;
  };

  Chunk& chunk(std::uint32_t index) { return slabs_[index / kSlabChunks][index % kSlabChunks]; }
  std::uint32_t take_chunk();
  void add(Level& level, std::size_t at, const Event& event);
  template <class Take>
  void drain(Level& level, std::size_t at, Take&& take);
  void place(const Event& event);
  void refill();
  bool late_comes_first() const {
    return read_ == current_.size() || (!late_.empty() && sooner(late_.front(), current_[read_]));
  }
  bool open_next_fine();
  void open_next_coarse();

  std::vector<std::unique_ptr<Chunk[]>> slabs_;
  std::uint32_t free_ = kNone;
  Level fine_{kFineCountBits};      // the rest of the open coarse bucket
  Level coarse_{kCoarseCountBits};  // the coarse buckets after it
  std::vector<Event> far_;          // a heap: what lies behind those
  std::vector<Event> current_;      // the open fine bucket, sorted; read from read_
  std::vector<Event> late_;         // a heap: added to the open bucket after it was opened
  std::size_t read_ = 0;
  std::int64_t open_fine_ = 0;    // time >> kFineBits
  std::int64_t open_coarse_ = 0;  // time >> kCoarseBits
  std::int64_t last_ = 0;
  std::uint64_t sequences_ = 0;
  std::size_t size_ = 0;
};

}  // namespace kith::simnet
