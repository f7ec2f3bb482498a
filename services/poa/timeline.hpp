// Timeline: the slots in which this node counts. It starts from the wall clock and advances with
// the monotonic one, so that a slot lasts as long as it says whatever happens to the wall clock.
//
// Rules
// * A wall clock that is set back, or runs slow, changes nothing: slots and epochs never go back,
//   over restarts neither (`mark` is the last slot that was stored).
// * A wall clock that is ahead by more than kStepMin is followed at once: the monotonic clock
//   stands still while a machine sleeps, and a machine without a battery clock learns the time
//   after it has started. Slots that were stepped over are slots in which this node was away.
// * Rejected: following the wall clock back. A node whose clock was far ahead counts in epochs to
//   come until they have come; what it publishes carries the wall clock's time and is right as
//   soon as that is.
#pragma once

#include "services/poa/poa.hpp"

namespace kith::poa {

inline constexpr Duration kStepMin = 30s;
// Beyond the year 2200: a mark like that is damage.
inline constexpr Duration kTimeMax = Duration(std::int64_t{230} * 365 * 24 * 3600 * 1'000'000'000);

class Timeline {
 public:
  Timeline(Now now, Timing timing, std::uint64_t mark);

  // True when the wall clock's step was followed: the current slot is not a whole one.
  bool on_time(Now now);

  std::uint64_t slot(Mono at) const;  // since 1970
  Mono start_of(std::uint64_t slot) const;
  std::uint64_t epoch_of_slot(std::uint64_t slot) const { return slot / slots_per_epoch_; }
  std::uint32_t place_of_slot(std::uint64_t slot) const {
    return static_cast<std::uint32_t>(slot % slots_per_epoch_);
  }
  std::uint32_t slots_per_epoch() const { return slots_per_epoch_; }
  const Timing& timing() const { return timing_; }
  // Of any wall clock; before 1970 is 0.
  static std::uint64_t epoch_of_time(std::uint64_t time_ms, const Timing& timing);

 private:
  Duration elapsed(Mono at) const { return since_1970_ + (at - anchor_); }

  Timing timing_;
  std::uint32_t slots_per_epoch_;
  Mono anchor_;
  Duration since_1970_{};  // at the anchor
};

}  // namespace kith::poa
