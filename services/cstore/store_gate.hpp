// StoreGate: whether batches of others are handed to the store, after it refused one (a full disk,
// a failed one).
//
// Rules
// * Open until a refusal. Then nothing goes in for kStoreRetryMin; after that one batch at a time,
//   until one is stored. Each refusal after such a wait doubles the next one, up to kStoreRetryMax;
//   a store that took all for that long starts anew.
// * Refusals within a wait are those of batches that were under way, and change nothing.
//
// So a disk that stays full costs one refused commit, and at most one page of a catch-up, a wait.
#pragma once

#include <algorithm>

#include "services/cstore/limits.hpp"

namespace kith::cstore {

class StoreGate {
 public:
  bool may_store(Mono now, bool under_way) const {
    return open_ || (now >= retry_at_ && !under_way);
  }
  void on_stored(Mono now) { open_ = open_ || now >= retry_at_; }
  void on_refused(Mono now) {
    if (!open_ && now < retry_at_) return;
    const bool rested = now - retry_at_ > kStoreRetryMax || wait_ == Duration::zero();
    wait_ = rested ? kStoreRetryMin : std::min(2 * wait_, kStoreRetryMax);
    retry_at_ = later(now, wait_);
    open_ = false;
  }
  bool open() const { return open_; }
  Mono retry_at() const { return retry_at_; }

 private:
  bool open_ = true;
  Duration wait_{};
  Mono retry_at_{};
};

}  // namespace kith::cstore
