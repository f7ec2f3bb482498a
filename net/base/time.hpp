// Two clocks, both arguments: `mono` for timers and round trips, `wall` for expiries and sequence
// numbers. Neither clock type has now(): time reaches a core only as a Now.
#pragma once

#include <chrono>

namespace kith {

using Duration = std::chrono::nanoseconds;

struct MonoClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
// Since 1970-01-01T00:00:00Z.
struct WallClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};
using Mono = MonoClock::time_point;
using Wall = WallClock::time_point;

struct Now {
  Mono mono{};
  Wall wall{};
};

inline constexpr Mono kNever = Mono::max();

// `at + delay` that stays at kNever instead of wrapping: remote durations saturate.
constexpr Mono later(Mono at, Duration delay) { return delay > kNever - at ? kNever : at + delay; }

using namespace std::chrono_literals;  // NOLINT: 10s, 5ms wherever kith's time is used

}  // namespace kith
