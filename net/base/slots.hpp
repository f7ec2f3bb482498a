// Small dense handles with a generation, and the table that they index. A late answer for a reused
// slot does not find it: the generation differs. Tables iterate in index order, which is the same
// in every run.
#pragma once

#include <compare>
#include <cstdint>
#include <new>
#include <utility>

#include "net/base/check.hpp"
#include "net/base/chunks.hpp"

namespace kith {

template <class Tag>
struct Handle {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;

  explicit operator bool() const { return index != UINT32_MAX; }
  friend auto operator<=>(const Handle&, const Handle&) = default;
};

// Slots<PeerSlot, Peer>: insert gives a handle, find gives a pointer or null. References to values
// are valid until they are erased. Low places are taken first, so what was large for a minute gives
// its memory back (chunks.hpp).
template <class H, class T, std::size_t piece_bytes = kPieceBytes>
class Slots {
 public:
  Slots() = default;
  Slots(Slots&& other) noexcept
      : cells_(std::move(other.cells_)), size_(std::exchange(other.size_, 0)) {}
  Slots& operator=(Slots&& other) noexcept {
    std::swap(cells_, other.cells_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Slots() {
    cells_.for_each([](std::uint32_t, Cell& cell) { cell.value.~T(); });
  }

  H insert(T value) {
    const std::uint32_t index = cells_.lowest_free();
    CHECK(index < UINT32_MAX);
    Cell& cell = cells_.use(index);
    try {
      new (&cell.value) T(std::move(value));
    } catch (...) {
      cells_.leave(index);
      throw;
    }
    ++size_;
    return H{index, cell.generation};
  }
  T* find(H handle) {
    Cell* cell = cells_.find(handle.index);
    return cell != nullptr && cell->generation == handle.generation ? &cell->value : nullptr;
  }
  const T* find(H handle) const { return const_cast<Slots*>(this)->find(handle); }
  T& at(H handle) {
    T* found = find(handle);
    CHECK(found != nullptr);
    return *found;
  }
  bool erase(H handle) {
    if (find(handle) == nullptr) return false;
    take(handle);
    return true;  // what ends with the value finds the table without it
  }
  T take(H handle) {
    T taken = std::move(at(handle));
    Cell& cell = cells_.at(handle.index);
    cell.value.~T();
    ++cell.generation;
    cells_.leave(handle.index);
    --size_;
    return taken;
  }
  std::size_t size() const { return size_; }
  std::size_t cells() const { return cells_.cells(); }  // in use or kept for later
  bool empty() const { return size_ == 0; }
  // Asks the machine for the memory of a value, without waiting for it.
  void prefetch(H handle) const { cells_.prefetch(handle.index); }
  // In index order. `each(H, T&)` may erase any and insert; what is inserted meanwhile may come,
  // too.
  template <class Each>
  void for_each(Each&& each) {
    cells_.for_each([&](std::uint32_t i, Cell& cell) { each(H{i, cell.generation}, cell.value); });
  }
  template <class Each>
  void for_each(Each&& each) const {
    const_cast<Slots*>(this)->for_each([&](H handle, const T& value) { each(handle, value); });
  }

 private:
  // The generation in front: finding a value touches the line of the cache in which it begins, and
  // no other. (A std::optional has its flag behind it; which cells are used is known by Chunks.)
  struct Cell {
    Cell() {}
    ~Cell() {}
    std::uint32_t generation = 0;
    union {
      T value;
    };
  };
  Chunks<Cell, piece_bytes> cells_;
  std::size_t size_ = 0;
};

// What a user's command is known by, from the command line down to the core and back.
struct RequestId {
  std::uint64_t value = 0;
  friend auto operator<=>(const RequestId&, const RequestId&) = default;
};

}  // namespace kith
