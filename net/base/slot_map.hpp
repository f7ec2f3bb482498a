// SlotMap: what somebody remembers about the slots of another's table, by their dense index: one
// step to find, no allocation an entry, iterated in index order. A slot whose generation differs is
// another one: finding it fails, setting it replaces what was left of the former.
#pragma once

#include "net/base/slots.hpp"

namespace kith {

template <class H, class T>
class SlotMap {
 public:
  T* find(H slot) {
    Cell* cell = cells_.find(slot.index);
    return cell != nullptr && cell->generation == slot.generation ? &cell->value : nullptr;
  }
  const T* find(H slot) const { return const_cast<SlotMap*>(this)->find(slot); }
  bool contains(H slot) const { return find(slot) != nullptr; }
  T& at(H slot) {
    T* found = find(slot);
    CHECK(found != nullptr);
    return *found;
  }
  // References to values are valid until they are erased or replaced.
  T& set(H slot, T value) {
    CHECK(bool(slot));
    size_ += cells_.find(slot.index) == nullptr;
    Cell& cell = cells_.use(slot.index);
    cell.generation = slot.generation;
    cell.value = std::move(value);
    return cell.value;
  }
  bool erase(H slot) {
    T* found = find(slot);
    if (found == nullptr) return false;
    [[maybe_unused]] const T gone = std::exchange(*found, T{});
    cells_.leave(slot.index);
    --size_;
    return true;  // what ends with the value finds the map without it
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void prefetch(H slot) const { cells_.prefetch(slot.index); }
  // In index order. `each(H, T&)` may erase any and set; what is set meanwhile may come, too.
  template <class Each>
  void for_each(Each&& each) {
    cells_.for_each([&](std::uint32_t i, Cell& cell) { each(H{i, cell.generation}, cell.value); });
  }
  template <class Each>
  void for_each(Each&& each) const {
    const_cast<SlotMap*>(this)->for_each([&](H slot, const T& value) { each(slot, value); });
  }

 private:
  struct Cell {
    std::uint32_t generation = 0;
    T value{};
  };
  Chunks<Cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace kith
