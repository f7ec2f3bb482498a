#include "services/cstore/hybrid_clock.hpp"

namespace kith::cstore {
namespace {

constexpr int kCounterBits = 16;

std::uint64_t ms_of(Wall wall) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
  return ms < 0 ? 0 : static_cast<std::uint64_t>(ms);
}

}  // namespace

Result<Stamp> HybridClock::next(Wall wall) {
  const Stamp by_wall = ms_of(wall) << kCounterBits;
  const Stamp stamp = by_wall > last_ ? by_wall : last_ + 1;
  if (is_future(wall, stamp))
    return fail(Errc::refused, "this machine's clock is behind what it wrote before",
                "others would refuse the write as one from the future",
                "set the clock, or wait until it has passed that time");
  last_ = stamp;
  return stamp;
}

bool HybridClock::is_future(Wall wall, Stamp stamp) {
  return (stamp >> kCounterBits) > ms_of(wall + kClockAheadMax);
}

Wall HybridClock::wall_of(Stamp stamp) {
  // The largest stamp, 2^48 ms, is beyond what Wall can hold.
  constexpr std::uint64_t kMsMax = 9'000'000'000'000;
  const std::uint64_t ms = stamp >> kCounterBits;
  return Wall(std::chrono::milliseconds(static_cast<std::int64_t>(ms < kMsMax ? ms : kMsMax)));
}

}  // namespace kith::cstore
