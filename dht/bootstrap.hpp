// Bootstrap: the peers that we go to by ourselves, because the configuration names them or because
// we knew them before a restart.
//
// Rules: each is dialled at the start; then again while it is wanted (the table is short of peers)
// and not connected, after kDialFirst, doubling up to kDialMax, each time a random share of the
// delay between half and all of it, so that many nodes that lost one peer do not come back
// together. Neighbours from before a restart are dialled once each, kNeighboursAtOnce at a time,
// until the table has enough. Bounds: kBootstrapMax configured, kNeighboursMax remembered.
#pragma once

#include <deque>
#include <vector>

#include "dht/effects.hpp"
#include "net/base/rng.hpp"

namespace kith::dht {

inline constexpr std::size_t kBootstrapMax = 64;
inline constexpr std::size_t kNeighboursMax = 64;
inline constexpr std::size_t kNeighboursAtOnce = 4;
inline constexpr Duration kDialFirst = 1s;
inline constexpr Duration kDialMax = 5min;

class Bootstrap {
 public:
  // Addresses end in /p2p, or name nobody: then whoever answers there first is the one meant.
  Bootstrap(const PeerId& self, const std::vector<Multiaddr>& addrs, Rng rng);

  // From the store, before the first tick. False: not taken.
  bool on_neighbour(PeerInfo neighbour);
  // Request ids from 1 to 2^20 - 1 are ours. `reached` is null when nobody was. False: not ours.
  bool on_connected(Now now, RequestId request, const PeerId* reached);
  void on_peer_ready(const PeerId& peer);
  void on_peer_gone(Now now, const PeerId& peer);
  // `wanted`: the table is short of peers.
  void on_tick(Now now, bool wanted, Effects& out);
  Mono next_deadline(bool wanted) const;
  bool dialling() const { return under_way_ > 0; }

 private:
  struct Entry {
    PeerId id;  // empty: not known
    std::vector<Multiaddr> addrs;
    Mono due{};
    Duration delay = kDialFirst;
    RequestId request;  // 0: not under way
    bool connected = false;
  };
  void dial(Entry& entry, Effects& out);
  Duration jittered(Duration delay);

  PeerId self_;
  Rng rng_;
  std::vector<Entry> entries_;
  std::deque<PeerInfo> neighbours_;
  std::vector<RequestId> neighbours_under_way_;
  std::uint64_t requests_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace kith::dht
