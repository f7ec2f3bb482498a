// HybridClock: stamps that follow wall time and never go back (Kulkarni et al., "Logical Physical
// Clocks", 2014): Unix milliseconds << 16 | counter. A stamp issued is greater than every stamp
// issued or observed before, so that what somebody writes after having seen a value wins over it.
//
// Its high-water mark is the log of batches itself: whoever loads that observes every stamp in it.
// Attacker: a writer with a clock far ahead would win for ever; stamps beyond kClockAheadMax are
// refused, and so are our own while our clock stands that much behind what we wrote.
#pragma once

#include "services/cstore/limits.hpp"

namespace kith::cstore {

using Stamp = std::uint64_t;

class HybridClock {
 public:
  // Refused while the wall clock is more than kClockAheadMax behind what was observed.
  Result<Stamp> next(Wall wall);
  void observe(Stamp stamp) { last_ = stamp > last_ ? stamp : last_; }
  static bool is_future(Wall wall, Stamp stamp);
  static Wall wall_of(Stamp stamp);

 private:
  Stamp last_ = 0;
};

}  // namespace kith::cstore
