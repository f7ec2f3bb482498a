// Oracle: what is true of the whole overlay, seen from above, beside what one node found out.
#pragma once

#include "dht/routing.hpp"
#include "simnet/scenario/town.hpp"

namespace kith::simnet {

inline constexpr std::size_t kClosest = 20;
inline constexpr Duration kSettledIn = 60s;  // up so long before a look-up began

struct LookupTruth {
  std::uint64_t due = 0;    // the true nearest, kClosest of them where there are as many
  std::uint64_t found = 0;  // of those, in the answer
};

// The true nearest to `key` are DHT servers that were up from kSettledIn before the look-up began
// (all of it, in the first minute) until now. One that is missing from a full answer is made up
// for by a node that is nearer than it and was up during the look-up: newcomers are right answers,
// too, and so is who answered and went away before the end.
LookupTruth judge_closest(Town& town, NodeIndex asker, ByteView key, Mono began,
                          const dht::RoutingAnswer& answer);

struct TableTruth {
  std::uint64_t entries = 0;  // of all tables
  std::uint64_t living = 0;   // of those, DHT servers that are up
  std::uint64_t buckets = 0;  // in which somebody could stand
  std::uint64_t served = 0;   // of those, with somebody living in them
  std::uint64_t lost = 0;     // nodes in whose table nobody lives
};

// The tables of all nodes that were up for kSettledIn, beside the DHT servers that were: a bucket
// could have somebody when one of these belongs there.
TableTruth judge_tables(Town& town);

}  // namespace kith::simnet
