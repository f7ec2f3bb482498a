// Mesh: the peers to whom messages of one topic are pushed; Backoffs: who may not come (back)
// into it yet (gossipsub v1.1 "PRUNE backoff", "outbound mesh quotas"). Both only keep and
// select: who is told what is the router's business.
//
// Rules
// * Members iterate in slot order; choices are random under the router's generator.
// * At most degree_high members are kept by the heartbeat; of those that stay at least degree_out
//   are peers that we dialled, so that inbound strangers can never have the whole mesh.
// * A backoff is known by the keyed hash of the peer's id, not by its slot: a peer that comes
//   back on another connection finds it still there. It never gets shorter. Whoever grafts within
//   it doubles it, up to kBackoffMax.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gossip/config.hpp"
#include "net/base/rng.hpp"

namespace kith::gossip {

class Mesh {
 public:
  struct Member {
    host::PeerSlot peer;
    bool outbound = false;  // we dialled it
  };

  bool has(host::PeerSlot peer) const;
  bool add(host::PeerSlot peer, bool outbound);  // false: was there
  bool remove(host::PeerSlot peer);              // false: was not there
  std::size_t size() const { return members_.size(); }
  std::size_t outbound() const;
  std::span<const Member> members() const { return members_; }
  std::vector<host::PeerSlot> peers() const;
  // Who has to leave: all but `degree`, of which `degree_out` are outbound where there are so
  // many.
  std::vector<host::PeerSlot> excess(std::size_t degree, std::size_t degree_out, Rng& rng) const;

 private:
  std::vector<Member> members_;  // sorted by slot
};

class Backoffs {
 public:
  void set(Mono now, std::uint64_t peer, Duration length);
  // Twice what it was, from now on. Returns the new length.
  Duration extend(Mono now, std::uint64_t peer);
  // Whether the peer may not graft.
  bool holds(Mono now, std::uint64_t peer) const;
  // Whether we may not: until kBackoffSlack later.
  bool holds_us(Mono now, std::uint64_t peer) const;
  void expire(Mono now);
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t peer = 0;
    Mono until{};
    Duration length{};
  };
  const Entry* find(std::uint64_t peer) const;
  Entry& at(std::uint64_t peer);
  std::vector<Entry> entries_;  // sorted by peer
};

// The backoff of a PRUNE, which is in seconds and as large as the peer likes; 0: not given.
Duration backoff_of(std::uint64_t seconds);
// What we write into ours: whole seconds, rounded up.
std::uint64_t backoff_seconds(Duration length);

}  // namespace kith::gossip
