// Provided: the keys that we provide ourselves, and when each is to be announced again
// (libp2p/specs kad-dht, "Provider Record Republish Interval").
//
// Rules: a key is announced when it is added, again kReprovideInterval after it last was (records
// live 48 h), and after kRetryFirst, doubling up to kRetryMax, while nobody took it. The list is
// persisted, so a restart goes on where it was: what came due while we were off is announced then,
// spread over kCatchUpSpread so that it does not fall on the network at once. Times are of the wall
// clock; a time in the future beyond one interval counts as due (the clock was set back).
// Bound: kProvidedMax keys.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "dht/effects.hpp"
#include "dht/record_codec.hpp"
#include "net/base/rng.hpp"

namespace kith::dht {

inline constexpr Duration kReprovideInterval = 22h;
inline constexpr Duration kRetryFirst = 5s;
inline constexpr Duration kRetryMax = 10min;
inline constexpr Duration kCatchUpSpread = 5min;
inline constexpr std::size_t kProvidedMax = 100'000;

class Provided {
 public:
  explicit Provided(Rng rng) : rng_(rng) {}

  // False when the list is full. The caller announces it at once and then says on_told().
  bool add(Wall now, const Multihash& key, Effects& out);
  void remove(const Multihash& key, Effects& out);
  void load(Wall now, const StoredProvided& stored);
  bool contains(const Multihash& key) const { return keys_.contains(key); }
  std::size_t size() const { return keys_.size(); }

  // A key whose time has come, which is then under way until on_told(); none: nothing is due.
  std::optional<Multihash> take_due(Wall now);
  // An announcement ended: `stored` peers took it.
  void on_told(Wall now, const Multihash& key, std::uint32_t stored, Effects& out);
  // There is a network again: what nobody took is announced now.
  void on_network(Wall now);
  Wall next_due() const { return due_.empty() ? Wall::max() : due_.begin()->first; }

 private:
  struct State {
    Wall due = Wall::max();  // max: under way
    Duration retry = kRetryFirst;
  };
  using Keys = std::map<Multihash, State>;
  void schedule(Keys::iterator key, Wall at);

  Rng rng_;
  Keys keys_;
  std::set<std::pair<Wall, Multihash>> due_;
};

}  // namespace kith::dht
