// Shrinking: from a scenario that fails to a smaller one that still does. Greedy, and bounded by a
// number of tries: faults, works and groups are dropped (halves of a list first), nodes halved, the
// run shortened, then all of it again until nothing helps.
#pragma once

#include <functional>

#include "simnet/scenario/scenario.hpp"

namespace kith::simnet {

struct Shrunk {
  Scenario scenario;
  std::uint32_t tries = 0;  // asked of `fails`
};
// `fails` runs a scenario that check_scenario accepts; the one given is known to.
Shrunk shrink(Scenario failing, std::uint32_t tries_max,
              const std::function<bool(const Scenario&)>& fails);

}  // namespace kith::simnet
