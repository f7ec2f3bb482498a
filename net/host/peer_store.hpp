// PeerStore: addresses under which peers were heard of.
//
// Rules
// * At most `addrs_max` addresses a peer and `peers_max` peers. A full peer drops the address that
//   expires first; a full store drops the peer that was touched (learned or dialled) longest ago.
//   Whenever one is touched, the next one in turn goes if all that is known of it has expired.
// * Connected peers are pinned: a flood of rumours does not evict them, nor what their connection
//   shows: the addresses that they say they have and where they answered. These do not expire while
//   it lasts, and afterwards they are known for some time yet; what others say of them is not.
// * Lifetimes saturate at `lifetime_max`. Hearing of an address again extends it, never shortens
// it.
// * A signed record replaces what an older record of that peer said; records with a lower sequence
//   number than the last one are ignored (replay). The number is forgotten with the peer.
// * known() lists first what answered a dial, the latest first; then certified addresses; then the
//   rest by when they were last heard of.
//
// Ids are looked up by a hash under a secret of the process, so that nobody can choose ids that
// collide; nothing is iterated in its order.
//
// The attacker fills it with invented peers and addresses: the bounds are its whole effect. Which
// addresses are worth keeping (private ranges, loopback) is the policy of the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "net/base/chunks.hpp"
#include "net/base/time.hpp"
#include "schema/base/multiaddr.hpp"
#include "schema/base/peer_id.hpp"

namespace kith::host {

class PeerStore {
 public:
  PeerStore(std::size_t peers_max, std::size_t addrs_max, Duration lifetime_max)
      : peers_max_(peers_max), addrs_max_(addrs_max), lifetime_max_(lifetime_max) {}

  // What somebody says. A trailing /p2p is dropped; an address that names another peer is ignored.
  void learn(Now now, const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime);

  // A connection begins: what follows of these is what it shows, until the next begins.
  void pin(Now now, const PeerId& id);
  void claimed(Now now, const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime);
  // The addresses of a verified signed record. False: an old one.
  bool learn_record(Now now, const PeerId& id, std::uint64_t seq, std::span<const Multiaddr> addrs,
                    Duration lifetime);
  void answered(Now now, const PeerId& id, const Multiaddr& addr, Duration lifetime);
  // What the last connection showed is known for `lifetime` at least.
  void extend(Now now, const PeerId& id, Duration lifetime);
  void unpin(Now now, const PeerId& id, Duration lifetime);       // it has ended; extends
  std::vector<Multiaddr> known(Now now, const PeerId& id) const;  // without /p2p

  std::size_t peers() const { return size_; }
  std::size_t addrs(const PeerId& id) const;

 private:
  struct Known {
    Multiaddr addr;
    Mono expires{};
    std::uint32_t answered = 0;    // a stamp of when it last answered a dial; 0: never
    std::uint32_t heard : 30 = 0;  // a stamp of when it was last heard of
    bool certified : 1 = false;
    bool shown : 1 = false;  // by the last connection
  };
  // Nearly all peers have one, which lies here; when there are more, all lie elsewhere.
  class Addrs {
   public:
    std::span<Known> all() {
      if (many_ != nullptr) return *many_;
      return {&one_, one_.addr.empty() ? 0u : 1u};
    }
    std::span<const Known> all() const { return const_cast<Addrs*>(this)->all(); }
    std::size_t size() const { return all().size(); }
    Known& add(const Multiaddr& addr);
    template <class Gone>
    void erase_if(Gone&& gone);

   private:
    Known one_;
    std::unique_ptr<std::vector<Known>> many_;
  };
  // Stamps begin again after so many: addresses of one peer may then stand in the wrong order.
  static constexpr std::uint32_t kStampMask = (1u << 30) - 1;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Peer {
    PeerId id;
    Addrs addrs;
    std::uint64_t record_seq = 0;
    std::uint32_t older = kNone;  // by when they were touched
    std::uint32_t newer = kNone;
    bool has_record = false;
    bool pinned = false;
    bool live(Now now, const Known& known) const {
      return (pinned && known.shown) || known.expires > now.mono;
    }
    void drop_expired(Now now);
  };
  std::uint32_t index_of(const PeerId& id) const;  // of peers_; kNone: not there
  const Peer* find(const PeerId& id) const;
  Peer* find(const PeerId& id) { return const_cast<Peer*>(std::as_const(*this).find(id)); }
  Peer* touch(Now now, const PeerId& id);
  void drop_expired(Now now, const PeerId& but);
  void make_room();
  void link_newest(std::uint32_t at);
  void unlink(std::uint32_t at);
  std::size_t place_of(const PeerId& id) const;  // in index_: where it is, or would go
  void index_all(std::size_t places);
  void erase(std::uint32_t at);
  Mono expiry(Now now, Duration lifetime) const {
    return later(now.mono, std::min(lifetime, lifetime_max_));
  }
  void hear(Now now, const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime,
            bool shown);
  Known* keep(Now now, Peer& peer, const PeerId& id, const Multiaddr& addr, Duration lifetime);

  std::size_t peers_max_;
  std::size_t addrs_max_;
  Duration lifetime_max_;
  std::uint32_t heard_ = 0;  // the last stamp
  Chunks<Peer> peers_;       // dense: 0 to size_ - 1
  std::uint32_t size_ = 0;
  std::vector<std::uint32_t> index_;  // of peers_, by keyed hash of the id: open addressing
  std::uint32_t hand_ = 0;            // of peers_: whose addresses are looked at next
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
};

}  // namespace kith::host
