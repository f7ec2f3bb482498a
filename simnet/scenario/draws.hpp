// Draws of durations by a distribution, in integers: no libm, so the same on every machine.
#pragma once

#include "net/base/rng.hpp"
#include "simnet/scenario/scenario.hpp"

namespace kith::simnet {

// log2 of (bits / 2^64), negated, in 1/65536: 0 for nearly one, 64 * 65536 for nothing.
std::uint64_t minus_log2(std::uint64_t bits);
// One draw of the generator, but for `fixed`. exponential: the mean is `mean`. pareto: shape 2, so
// half of them are below 0.71 of the mean and some are very long; capped at a thousand means.
// uniform: between nothing and twice the mean.
Duration draw_duration(Rng& rng, Spread spread, Duration mean);

}  // namespace kith::simnet
