#include "simnet/event_wheel.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "net/base/check.hpp"

namespace kith::simnet {

namespace {

// std's heaps have the largest in front.
bool after(const Event& a, const Event& b) { return sooner(b, a); }

}  // namespace

void push_to_heap(std::vector<Event>& heap, const Event& event) {
  heap.push_back(event);
  std::push_heap(heap.begin(), heap.end(), after);
}

Event pop_from_heap(std::vector<Event>& heap) {
  std::pop_heap(heap.begin(), heap.end(), after);
  const Event event = heap.back();
  heap.pop_back();
  return event;
}

EventWheel::EventWheel() = default;

std::size_t EventWheel::Level::first_full(std::size_t from) const {
  if (from >= buckets.size()) return buckets.size();
  std::size_t word = from / 64;
  std::uint64_t bits = full[word] & (~std::uint64_t{0} << (from % 64));
  while (bits == 0) {
    if (++word == full.size()) return buckets.size();
    bits = full[word];
  }
  return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
}

std::uint32_t EventWheel::take_chunk() {
  if (free_ == kNone) {
    CHECK(slabs_.size() < kNone / kSlabChunks);
    const auto first = static_cast<std::uint32_t>(slabs_.size() * kSlabChunks);
    slabs_.push_back(std::make_unique_for_overwrite<Chunk[]>(kSlabChunks));
    for (std::uint32_t i = 0; i < kSlabChunks; ++i)
      slabs_.back()[i].next = i + 1 < kSlabChunks ? first + i + 1 : kNone;
    free_ = first;
  }
  const std::uint32_t taken = free_;
  free_ = chunk(taken).next;
  return taken;
}

void EventWheel::add(Level& level, std::size_t at, const Event& event) {
  Bucket& bucket = level.buckets[at];
  if (bucket.head == kNone || bucket.used == kChunkEvents) {
    const std::uint32_t fresh = take_chunk();
    chunk(fresh).next = bucket.head;
    if (bucket.head == kNone) level.full[at / 64] |= std::uint64_t{1} << (at % 64);
    bucket = {fresh, 0};
  }
  chunk(bucket.head).events[bucket.used++] = event;
  ++level.size;
}

template <class Take>
void EventWheel::drain(Level& level, std::size_t at, Take&& take) {
  auto [head, used] = std::exchange(level.buckets[at], Bucket{});
  level.full[at / 64] &= ~(std::uint64_t{1} << (at % 64));
  for (; head != kNone; used = kChunkEvents) {
    Chunk& from = chunk(head);
    level.size -= used;
    for (std::uint32_t i = 0; i < used; ++i) take(from.events[i]);
    const std::uint32_t next = std::exchange(from.next, free_);
    free_ = std::exchange(head, next);
  }
}

void EventWheel::push(Event event) {
  event.at = std::max(event.at, last_);
  event.sequence = sequences_++;
  ++size_;
  place(event);
}

void EventWheel::place(const Event& event) {
  const std::int64_t fine = event.at >> kFineBits;
  const std::int64_t coarse = event.at >> kCoarseBits;
  if (fine <= open_fine_)
    push_to_heap(late_, event);
  else if (coarse == open_coarse_)
    add(fine_, static_cast<std::size_t>(fine) % fine_.buckets.size(), event);
  else if (coarse - open_coarse_ < static_cast<std::int64_t>(coarse_.buckets.size()))
    add(coarse_, static_cast<std::size_t>(coarse) % coarse_.buckets.size(), event);
  else
    push_to_heap(far_, event);
}

std::int64_t EventWheel::next() {
  return size_ == 0 ? std::numeric_limits<std::int64_t>::max() : front().at;
}

Event EventWheel::pop() {
  const Event first = front();
  drop_front();
  return first;
}

void EventWheel::drop_front() {
  const bool late = late_comes_first();
  last_ = late ? late_.front().at : current_[read_].at;
  --size_;
  if (late)
    pop_from_heap(late_);
  else
    ++read_;
}

void EventWheel::refill() {
  current_.clear();
  read_ = 0;
  while (!open_next_fine()) open_next_coarse();
}

bool EventWheel::open_next_fine() {
  if (fine_.size == 0) return false;
  // All that fine_ holds belongs to the open coarse bucket, behind the open fine one.
  const std::int64_t base = open_coarse_ << kFineCountBits;
  const auto from = static_cast<std::size_t>(std::max(open_fine_ + 1 - base, std::int64_t{0}));
  const std::size_t bucket = fine_.first_full(from);
  CHECK(bucket < fine_.buckets.size());
  drain(fine_, bucket, [&](const Event& event) { current_.push_back(event); });
  std::sort(current_.begin(), current_.end(), sooner);
  open_fine_ = base + static_cast<std::int64_t>(bucket);
  return true;
}

void EventWheel::open_next_coarse() {
  const std::size_t count = coarse_.buckets.size();
  if (coarse_.size != 0) {
    const auto from = static_cast<std::size_t>(open_coarse_ + 1) % count;
    std::size_t bucket = coarse_.first_full(from);
    if (bucket == count) bucket = coarse_.first_full(0);
    open_coarse_ += 1 + static_cast<std::int64_t>((bucket + count - from) % count);
  } else {
    open_coarse_ = far_.front().at >> kCoarseBits;
  }
  open_fine_ = (open_coarse_ << kFineCountBits) - 1;
  const auto reach = open_coarse_ + static_cast<std::int64_t>(count);
  while (!far_.empty() && far_.front().at >> kCoarseBits < reach) place(pop_from_heap(far_));
  drain(coarse_, static_cast<std::size_t>(open_coarse_) % count,
        [&](const Event& event) { place(event); });
}

}  // namespace kith::simnet
