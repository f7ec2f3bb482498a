// Peers: what the router knows of each ready peer, and whom it does not listen to.
//
// Rules: indexed by the host's slot, iterated in slot order. Blame is by the keyed hash of the
// peer's id and outlives the connection (kIgnoredPeersMax, the one that ends first goes), so that
// a new connection does not wash it off.
#pragma once

#include <cstdint>
#include <vector>

#include "gossip/config.hpp"
#include "net/base/slot_map.hpp"

namespace kith::gossip {

// What the peer speaks: floodsub peers get every message of their topics, and no control.
enum class PeerKind : std::uint8_t { floodsub, gossipsub_1_0, gossipsub_1_1 };

struct PeerTraits {
  PeerId id;
  bool outbound = false;
  PeerKind kind = PeerKind::gossipsub_1_1;
};

struct Peer {
  host::PeerSlot slot;
  std::uint64_t key = 0;  // keyed hash of its id
  bool outbound = false;
  PeerKind kind = PeerKind::gossipsub_1_1;
  // Its stream is full: it is in no mesh and gets nothing until it reads again.
  bool stalled = false;
  Mono ignored_until{};
  std::vector<TopicIndex> topics;  // that it subscribes to; at most kTopicsPerPeerMax

  // Since the last heartbeat.
  std::uint32_t ihave_rpcs = 0;
  std::uint32_t ihave_ids = 0;
  std::uint32_t asked = 0;
  std::uint32_t iwant_ids = 0;
  std::uint32_t iwant_bytes = 0;

  std::uint32_t blame = 0;
  Mono blame_since{};

  bool gossips() const { return kind != PeerKind::floodsub; }
  bool ignored(Mono now) const { return now < ignored_until; }
  bool usable(Mono now) const { return !stalled && !ignored(now); }
};

class Peers {
 public:
  // `slot` must be free.
  Peer& insert(Mono now, host::PeerSlot slot, std::uint64_t key, const PeerTraits& traits);
  Peer* find(host::PeerSlot slot) { return peers_.find(slot); }
  const Peer* find(host::PeerSlot slot) const { return peers_.find(slot); }
  // Fetches ahead what find() will read.
  void prefetch(host::PeerSlot slot) const { peers_.prefetch(slot); }
  void erase(host::PeerSlot slot) { peers_.erase(slot); }
  // Adds to what the peer is blamed for; true: from now on it is ignored.
  bool blame(Mono now, Peer& peer, std::uint32_t points);
  void expire(Mono now);

  template <class Each>
  void for_each(Each&& each) {
    peers_.for_each([&](host::PeerSlot, Peer& peer) { each(peer); });
  }
  std::size_t size() const { return peers_.size(); }
  bool empty() const { return peers_.empty(); }

 private:
  struct Ignored {
    std::uint64_t key = 0;
    Mono until{};
  };
  void ignore(std::uint64_t key, Mono until);

  SlotMap<host::PeerSlot, Peer> peers_;
  std::vector<Ignored> ignored_;  // sorted by key
};

}  // namespace kith::gossip
