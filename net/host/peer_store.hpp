// PeerStore: addresses under which peers were heard of.
//
// Rules
// * At most `addrs_max` addresses a peer and `peers_max` peers. A full peer drops the address that
//   expires first; a full store drops the peer that was touched (learned or dialled) longest ago.
//   Connected peers are pinned: a flood of rumours does not evict them.
// * Lifetimes saturate at `lifetime_max`. Hearing of an address again extends it, never shortens
// it.
// * A signed record replaces what an older record of that peer said; records with a sequence number
//   at or below the last one are ignored (replay). The number is forgotten with the peer.
// * known() lists first what answered a dial, the latest first; then certified addresses; then the
//   rest by when they were last heard of.
//
// The attacker fills it with invented peers and addresses: the bounds are its whole effect. Which
// addresses are worth keeping (private ranges, loopback) is the policy of the caller.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <span>
#include <vector>

#include "net/base/time.hpp"
#include "schema/base/multiaddr.hpp"
#include "schema/base/peer_id.hpp"

namespace kith::host {

class PeerStore {
 public:
  PeerStore(std::size_t peers_max, std::size_t addrs_max, Duration lifetime_max)
      : peers_max_(peers_max), addrs_max_(addrs_max), lifetime_max_(lifetime_max) {}

  // A trailing /p2p is dropped; an address that names another peer is ignored.
  void learn(Now now, const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime);
  // The addresses of a verified signed record. False: an old or repeated one.
  bool learn_record(Now now, const PeerId& id, std::uint64_t seq, std::span<const Multiaddr> addrs,
                    Duration lifetime);
  void answered(Now now, const PeerId& id, const Multiaddr& addr, Duration lifetime);
  void pin(const PeerId& id, bool pinned);
  std::vector<Multiaddr> known(Now now, const PeerId& id) const;  // without /p2p

  std::size_t peers() const { return peers_.size(); }
  std::size_t addrs(const PeerId& id) const;

 private:
  struct Known {
    Multiaddr addr;
    Mono expires{};
    Mono answered{};        // Mono{}: never
    std::uint64_t heard{};  // order of arrival
    bool certified = false;
  };
  struct Peer {
    std::vector<Known> addrs;
    std::uint64_t record_seq = 0;
    bool has_record = false;
    bool pinned = false;
    std::list<PeerId>::iterator age;  // place in ages_
  };
  Peer* touch(const PeerId& id);
  void make_room();
  Known* keep(Now now, Peer& peer, const PeerId& id, const Multiaddr& addr, Duration lifetime);

  std::size_t peers_max_;
  std::size_t addrs_max_;
  Duration lifetime_max_;
  std::uint64_t heard_ = 0;
  std::map<PeerId, Peer> peers_;
  std::list<PeerId> ages_;  // front: touched longest ago
};

}  // namespace kith::host
