// Upkeep: when the routing table is to be refreshed, and by which lookups (libp2p/specs kad-dht,
// "Bootstrap process"): one for our own id, then one for a random key in each bucket that may lack
// live peers (RoutingTable::wanting).
//
// Rules
// * A round begins kFirstRound after the table got its first peer, then after kYoungInterval, twice
//   that and so on up to kRefreshInterval (give or take a tenth, so that nodes that started
//   together drift apart): who joins while a network forms, or after a split, finds at first only
//   those who know as little. While the table has fewer than k peers, never later than
//   kSmallTableInterval.
// * The first round, and those from when the waits have reached kSmallTableInterval, walk through
//   the buckets; the young ones between look up ourselves alone, which makes us known where others
//   will look, and leave a walk under way alone.
// * One lookup at a time, and those of a walk kWalkPace apart: each dials some thirty strangers,
//   more than many a home's router bears at once. A bucket in which some lookup ended since a
//   quarter of the coming interval before the walk is fresh and is skipped.
// Bound: kRefreshDepth buckets; a random key in bucket n costs 2^(n+1) hashes to find, and deeper
// ones are covered by the lookup for ourselves.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dht/key.hpp"
#include "net/base/rng.hpp"
#include "net/base/time.hpp"

namespace kith::dht {

inline constexpr Duration kRefreshInterval = 10min;
inline constexpr Duration kSmallTableInterval = 1min;
inline constexpr Duration kFirstRound = 100ms;
inline constexpr Duration kYoungInterval = 4s;
inline constexpr Duration kWalkPace = 6s;
inline constexpr int kRefreshDepth = 12;

class Upkeep {
 public:
  Upkeep(const Key& self, Rng rng) : self_(self), rng_(rng) {}

  void on_first_peer(Mono now);  // the table was empty and is not
  void on_empty() {
    next_round_ = kNever;
    bucket_ = kRefreshDepth;
    interval_ = kYoungInterval;
  }
  // A lookup towards `target` has ended.
  void on_lookup(Mono now, const Key& target);
  void on_refreshed() { under_way_ = false; }  // the lookup that next() asked for has ended

  // What to look up now, if anything: empty for ourselves, else a raw key. `wanting` (a bit for
  // each bucket) and `small` are of the table.
  struct Refresh {
    std::optional<std::array<std::uint8_t, 34>> raw_key;  // a SHA-256 multihash; none: ourselves
  };
  std::optional<Refresh> next(Mono now, std::uint32_t wanting, bool small);
  Mono next_deadline() const;

 private:
  Duration jittered(Duration interval);
  std::array<std::uint8_t, 34> random_key_in(int bucket);

  Key self_;
  Rng rng_;
  Duration interval_ = kYoungInterval;  // to the round after the next
  Mono fresh_since_{};                  // of this walk: what was looked up before is stale
  Mono next_round_ = kNever;
  Mono next_step_{};            // of the walk
  int bucket_ = kRefreshDepth;  // next of the walk; kRefreshDepth: it is over
  bool under_way_ = false;
  std::array<std::optional<Mono>, kRefreshDepth> fresh_;  // when a lookup ended there
};

}  // namespace kith::dht
