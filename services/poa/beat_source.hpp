// BeatSource: when this node beats, and under which number.
//
// Rules
// * Numbers start at the wall clock in milliseconds, or at the stored mark when that is higher, and
//   grow by one a beat. The mark is above every number given out and durable before: a crash skips
//   numbers and never repeats one, a clock that was set back neither, and a node that lost its
//   store still starts above what it used, as it beats more slowly than the clock counts.
// * Beats come once a slot, at a place within the middle half of it that is drawn once a start: a
//   network's beats spread, and clocks that are off by a quarter of a slot change nothing.
#pragma once

#include "net/base/rng.hpp"
#include "services/poa/timeline.hpp"

namespace kith::poa {

inline constexpr std::uint64_t kSequenceBlock = 64;  // numbers a mark; one write in ten minutes
inline constexpr std::uint64_t kSequenceMax = std::uint64_t{1} << 62;

class BeatSource {
 public:
  BeatSource(Now now, const Timing& timing, std::uint64_t mark, Rng& rng);

  // The mark that is to be made durable next; none while one is under way or enough is left.
  std::optional<std::uint64_t> reserve();
  void on_reserved(bool durable);  // what reserve() asked for

  // The number of the beat that is due, if one is and its number may be used.
  std::optional<std::uint64_t> take(Now now, const Timeline& timeline);
  Mono next(const Timeline& timeline, Mono now) const;
  std::uint64_t sequence() const { return next_; }  // of the next beat

 private:
  Mono due_in(std::uint64_t slot, const Timeline& timeline) const;

  Duration phase_;
  std::uint64_t next_;
  std::uint64_t durable_ = 0;  // numbers below may be used
  std::uint64_t asked_ = 0;
  std::uint64_t beaten_ = 0;  // the last slot in which we beat
};

}  // namespace kith::poa
