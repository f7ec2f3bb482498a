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
    if (slot.index >= cells_.size() || !cells_[slot.index].used) return nullptr;
    Cell& cell = cells_[slot.index];
    return cell.generation == slot.generation ? &cell.value : nullptr;
  }
  const T* find(H slot) const { return const_cast<SlotMap*>(this)->find(slot); }
  bool contains(H slot) const { return find(slot) != nullptr; }
  T& at(H slot) {
    T* found = find(slot);
    CHECK(found != nullptr);
    return *found;
  }
  // References to values are valid until the next set or erase.
  T& set(H slot, T value) {
    CHECK(bool(slot));
    if (slot.index >= cells_.size()) {
      if (slot.index >= cells_.capacity()) cells_.reserve(slot.index + slot.index / 2 + 4);
      cells_.resize(slot.index + 1);
    }
    Cell& cell = cells_[slot.index];
    size_ += !cell.used;
    cell.used = true;
    cell.generation = slot.generation;
    cell.value = std::move(value);
    return cell.value;
  }
  bool erase(H slot) {
    if (find(slot) == nullptr) return false;
    Cell& cell = cells_[slot.index];
    cell.used = false;
    cell.value = T{};
    --size_;
    while (!cells_.empty() && !cells_.back().used) cells_.pop_back();
    if (cells_.capacity() > 16 && cells_.size() * 2 < cells_.capacity()) cells_.shrink_to_fit();
    return true;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // `each(H, T&)` may erase nothing and set nothing.
  template <class Each>
  void for_each(Each&& each) {
    for (std::uint32_t i = 0; i < cells_.size(); ++i)
      if (cells_[i].used) each(H{i, cells_[i].generation}, cells_[i].value);
  }
  template <class Each>
  void for_each(Each&& each) const {
    for (std::uint32_t i = 0; i < cells_.size(); ++i)
      if (cells_[i].used) each(H{i, cells_[i].generation}, cells_[i].value);
  }

 private:
  struct Cell {
    T value{};
    std::uint32_t generation = 0;
    bool used = false;
  };
  std::vector<Cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace kith
