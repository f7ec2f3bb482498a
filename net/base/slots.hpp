// Small dense handles with a generation, and the table that they index. A late answer for a reused
// slot does not find it: the generation differs. Tables iterate in index order, which is the same
// in every run.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "net/base/check.hpp"

namespace kith {

template <class Tag>
struct Handle {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;

  explicit operator bool() const { return index != UINT32_MAX; }
  friend auto operator<=>(const Handle&, const Handle&) = default;
};

// Slots<PeerSlot, Peer>: insert gives a handle, find gives a pointer or null. References to values
// are valid until the next insert.
//
// What was large for a minute gives its memory back: low places are taken first, and when half of a
// table is empty, at an insert and not more often than once in as many changes as it has cells, the
// empty cells at its end go. What comes in the place of a cell that went starts at a generation
// that none of those had, so an old handle still finds nothing.
template <class H, class T>
class Slots {
 public:
  H insert(T value) {
    if (++changes_ >= cells_.size() && cells_.size() >= kTrimmedFrom) trim();
    if (free_.empty()) {
      CHECK(cells_.size() < UINT32_MAX);
      free_.push_back(static_cast<std::uint32_t>(cells_.size()));
      if (cells_.size() == cells_.capacity()) cells_.reserve(cells_.size() + cells_.size() / 2 + 4);
      cells_.emplace_back();
      cells_.back().generation = first_generation_;
    }
    std::pop_heap(free_.begin(), free_.end(), std::greater<>());
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Cell& cell = cells_[index];
    cell.value.emplace(std::move(value));
    ++size_;
    return H{index, cell.generation};
  }
  T* find(H handle) {
    if (handle.index >= cells_.size()) return nullptr;
    Cell& cell = cells_[handle.index];
    return cell.generation == handle.generation && cell.value ? &*cell.value : nullptr;
  }
  const T* find(H handle) const { return const_cast<Slots*>(this)->find(handle); }
  T& at(H handle) {
    T* found = find(handle);
    CHECK(found != nullptr);
    return *found;
  }
  bool erase(H handle) {
    if (find(handle) == nullptr) return false;
    Cell& cell = cells_[handle.index];
    cell.value.reset();
    ++cell.generation;
    free_.push_back(handle.index);
    std::push_heap(free_.begin(), free_.end(), std::greater<>());
    --size_;
    ++changes_;
    return true;
  }
  std::size_t size() const { return size_; }
  std::size_t cells() const { return cells_.size(); }  // in use or kept for later
  bool empty() const { return size_ == 0; }
  // Asks the machine for the memory of a value, without waiting for it.
  void prefetch(H handle) const {
    if (handle.index >= cells_.size()) return;
    const auto* from = reinterpret_cast<const char*>(&cells_[handle.index]);
    for (std::size_t at = 0; at < sizeof(Cell); at += 64) __builtin_prefetch(from + at);
  }
  // In index order. `each(H, T&)` must not insert; it may erase the entry that it was given.
  template <class Each>
  void for_each(Each&& each) {
    for (std::uint32_t i = 0; i < cells_.size(); ++i)
      if (cells_[i].value) each(H{i, cells_[i].generation}, *cells_[i].value);
  }
  template <class Each>
  void for_each(Each&& each) const {
    for (std::uint32_t i = 0; i < cells_.size(); ++i)
      if (cells_[i].value) each(H{i, cells_[i].generation}, *cells_[i].value);
  }

 private:
  struct Cell {
    std::optional<T> value;
    std::uint32_t generation = 0;
  };
  static constexpr std::size_t kTrimmedFrom = 32;  // cells
  void trim() {
    changes_ = 0;
    if (size_ * 2 > cells_.size()) return;
    while (!cells_.empty() && !cells_.back().value) {
      first_generation_ = std::max(first_generation_, cells_.back().generation);
      cells_.pop_back();
    }
    if (cells_.size() * 3 < cells_.capacity() * 2) cells_.shrink_to_fit();
    std::erase_if(free_, [this](std::uint32_t index) { return index >= cells_.size(); });
    free_.shrink_to_fit();
    std::make_heap(free_.begin(), free_.end(), std::greater<>());
  }
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> free_;  // a heap, the lowest first
  std::size_t size_ = 0;
  std::size_t changes_ = 0;  // since it was last looked whether to trim
  std::uint32_t first_generation_ = 0;
};

// What a user's command is known by, from the command line down to the core and back.
struct RequestId {
  std::uint64_t value = 0;
  friend auto operator<=>(const RequestId&, const RequestId&) = default;
};

}  // namespace kith
