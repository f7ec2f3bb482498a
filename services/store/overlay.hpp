// Overlay: the newest value of every key that was committed and is not yet written, so that reads
// see a batch from the moment it is committed. An entry leaves when the batch that wrote it last is
// done.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "net/base/store.hpp"

namespace kith::store {

class Overlay {
 public:
  void add(const StoreBatch& batch, std::uint64_t sequence) {
    for (const StoreWrite& write : batch.writes)
      entries_[{write.family, write.key}] = Entry{write.value, sequence};
  }
  void settle(const StoreBatch& batch, std::uint64_t sequence) {
    for (const StoreWrite& write : batch.writes) {
      const auto found = entries_.find({write.family, write.key});
      if (found != entries_.end() && found->second.sequence == sequence) entries_.erase(found);
    }
  }
  // Null: nothing pending for this key. Otherwise the pending value, or none for a pending erase.
  const std::optional<Bytes>* find(Family family, ByteView key) const {
    const auto found = entries_.find(std::pair(family, key));
    return found == entries_.end() ? nullptr : &found->second.value;
  }

 private:
  struct Entry {
    std::optional<Bytes> value;
    std::uint64_t sequence = 0;
  };
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      if (a.first != b.first) return a.first < b.first;
      return order(ByteView(a.second), ByteView(b.second)) < 0;
    }
  };
  std::map<std::pair<Family, Bytes>, Entry, Less> entries_;
};

}  // namespace kith::store
