// RoutingTable: the peers that we know of, by how many leading bits their keys share with ours
// (Kademlia's k-buckets, one for each prefix length; libp2p/specs kad-dht, "Kademlia routing
// table").
//
// Rules
// * Only peers that have just answered us are added: hearsay never is. So a liar costs a failed
//   request, not a place in the table.
// * A full bucket keeps its live peers. A newcomer takes the place of a peer that fails (of
// several:
//   failed most, useless longest, silent longest), and of nobody when none does: long-lived peers
//   stay up longest, and an attacker cannot push them out (Kademlia paper, 2.4; CVE-2020-10937).
// * Failures count once in kFailureSpacing, and the third in a row removes: an outage of our own
//   line does not empty the table. A peer that has failed is not told to others.
// * At most kGroupPerBucket peers of one network group in a bucket and kGroupPerTable in all; group
// 0
//   is exempt (network_group.hpp).
// Bounds: bucket_max peers a bucket, kTableMax in all. One entry is 48 bytes; adding costs a scan
// of its bucket, closest() the few buckets around the target.
#pragma once

#include <vector>

#include "dht/network_group.hpp"
#include "dht/peer_book.hpp"
#include "net/base/time.hpp"

namespace kith::dht {

inline constexpr std::size_t kReplication = 20;  // k of the specification
inline constexpr std::size_t kGroupPerBucket = 2;
inline constexpr std::size_t kGroupPerTable = 3;
inline constexpr std::size_t kRememberedPerBucket = 6;
inline constexpr Duration kRememberAgain = 24h;
inline constexpr std::size_t kTableMax = 1024;  // 20 x log2(network / 20) is 250 at 100,000 peers
inline constexpr int kWantingBuckets = 32;      // that wanting() speaks of
inline constexpr std::size_t kClosestMax = 64;  // that closest() can be asked for
inline constexpr std::uint8_t kFailuresMax = 3;
inline constexpr Duration kFailureSpacing = 30s;
// Silent for so long, a peer is asked whether it lives.
inline constexpr Duration kProbeAfter = 15min;

class RoutingTable {
 public:
  enum class Added : std::uint8_t { added, replaced, known, bucket_full, group_full, refused };

  explicit RoutingTable(const Key& self, std::size_t bucket_max = kReplication);

  // `peer` has just answered a request of ours. `displaced`: whose place it took, if it took one.
  Added add(Mono now, const PeerRef& peer, NetworkGroup group, PeerRef* displaced = nullptr);
  // Would add() take a peer that is not there yet? Asked before a probe is spent on it.
  bool has_room(const PeerRef& peer, NetworkGroup group) const;
  // Is it, which has just answered, one of those to come back to after a restart? Said of at most
  // kRememberedPerBucket of a bucket, and of each once in kRememberAgain.
  bool remember(Mono now, const PeerRef& peer);
  // Its answer brought peers that were new to a lookup.
  void on_useful(Mono now, const PeerRef& peer);
  // A request to it failed. True when that removed it.
  bool on_failed(Mono now, const PeerRef& peer);
  bool remove(const PeerRef& peer);  // it stopped serving

  bool contains(const PeerRef& peer) const { return find(peer) < entries_.size(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t bucket_size(int prefix) const;
  // Bit n: bucket n may lack live peers that only a look-up into it finds. Not so where all its
  // places are taken by peers that answered within twice kProbeAfter (in between they are probed),
  // and where so few peers are as near as it that the look-up for ourselves names them all.
  std::uint32_t wanting(Mono now) const;

  // Up to `count` (1 to kClosestMax) peers nearest to `target`, nearest first, without `except`.
  // `healthy`: without those whose last request failed.
  void closest(const Key& target, std::size_t count, const PeerRef& except, bool healthy,
               std::vector<PeerRef>& out) const;
  // The peer that should be asked whether it still lives: a failing one first, then who has been
  // silent longest, if longer than kProbeAfter; nobody if none is due.
  PeerRef to_probe(Mono now) const;
  template <class Each>
  void for_each(Each&& each) const {
    for (const Entry& entry : entries_) each(entry.peer);
  }

 private:
  struct Entry {
    PeerRef peer;
    std::uint64_t head = 0;  // first word of its key: compares without touching the peer
    NetworkGroup group = 0;
    std::uint32_t alive_s = 0;       // seconds of Mono when it last answered
    std::uint32_t useful_s = 0;      // ... last helped a lookup; 0: never
    std::uint32_t failed_s = 0;      // ... last failed
    std::uint32_t remembered_s = 0;  // ... remember() last said yes; 0: never
    std::uint8_t failures = 0;       // since it last answered
    std::uint8_t prefix = 0;
  };
  using Range = std::pair<std::size_t, std::size_t>;  // of one bucket in entries_

  std::size_t find(const PeerRef& peer) const;  // entries_.size(): not there
  Range bucket(int prefix) const;
  bool group_full(Range bucket, NetworkGroup group, std::size_t leaving) const;
  std::size_t replaceable(Range bucket) const;  // entries_.size(): nobody
  void take(const Key& target, Range from, std::size_t count, const PeerRef& except, bool healthy,
            std::vector<PeerRef>& out) const;

  Key self_;
  std::size_t bucket_max_;
  std::vector<Entry> entries_;  // by prefix, then by age
};

}  // namespace kith::dht
