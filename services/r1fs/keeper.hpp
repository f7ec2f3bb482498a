// Keeper: what this node does with others' offers. It pulls what an offer names from the neighbour
// that handed it over, holds it durably, and only then lets the mesh forward the offer: so whoever
// hears an offer hears it from somebody who can serve it.
//
// Verdicts
//   reject  malformed, or blocks whose bodies or sizes are not what the offer says (the publisher
//   signed that) ignore  expired, or pulled in vain: there is nothing to pass on accept  everything
//   named is held; also what we do not want to hold (opted out, above a limit): it travels on
//           without us, and those behind us find the blocks through the DHT or another neighbour
//   pending being pulled
// Room for what is promised is reserved when it is free. When others' kept roots would have to go,
// they go as blocks arrive: offers of what does not exist evict nothing.
// Bounds: kPullsMax offers pulled at a time, kPullsWaiting waiting; a publisher gets at most
// kPublisherShare of the kept quota and kPublisherBytesPerMinute; after kBadOffersMax bad offers it
// is not listened to for kBadPublisherTime.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "services/r1fs/block_index.hpp"
#include "services/r1fs/r1fs_effects.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kPullsMax = 8;
inline constexpr std::size_t kPullsWaiting = 64;
inline constexpr Duration kPullTime = 45s;
inline constexpr std::uint64_t kPublisherShareParts = 2;  // of the kept quota: one half
inline constexpr std::uint64_t kPublisherBytesPerMinute = 4ull << 30;
inline constexpr std::uint32_t kBadOffersMax = 3;
inline constexpr Duration kBadPublisherTime = 10min;
inline constexpr std::size_t kPublishersMax = 4096;
inline constexpr std::uint64_t kOfferLifetimeMax = 3600;  // seconds that an expiry may lie ahead

struct Pull {
  gossip::JudgeSlot judge;
  host::PeerSlot via;
  PeerId publisher;
  schema::Offer offer;
  FetchId fetch = 0;
  std::map<Multihash, schema::OfferedBlock> missing;  // neither held nor being written
  std::uint32_t writing = 0;                          // commits under way
  std::uint64_t promised = 0;                         // bytes of `missing`
  std::uint64_t reserved = 0;  // for them: all, or nothing when room must be made as they come
  std::uint64_t bytes_kept = 0;
  Mono deadline = kNever;
  bool asked_everyone = false;
};

class Keeper {
 public:
  explicit Keeper(bool enabled) : enabled_(enabled) {}

  // Everything that needs no body. `pending`: the offer goes to admit().
  gossip::Verdict judge(Now now, const PeerId& self, const PeerId& publisher,
                        const schema::Offer& offer, const BlockIndex& index);
  // A well-formed offer asks for this many bytes, `promised` of the same publisher's are under way;
  // false: above its rate or share.
  bool allow(Now now, const PeerId& publisher, std::uint64_t bytes, std::uint64_t promised,
             const BlockIndex& index);
  void blame(Now now, const PeerId& publisher);
  // What a publisher has here, loaded at start and kept up to date.
  void account(const PeerId& publisher, std::int64_t bytes);
  bool enabled() const { return enabled_; }

 private:
  struct Publisher {
    std::uint64_t held_bytes = 0;
    std::uint64_t minute_bytes = 0;
    Mono minute{};
    std::uint32_t bad = 0;
    Mono deaf_until{};
  };
  Publisher* find(const PeerId& publisher);

  bool enabled_;
  std::map<PeerId, Publisher> publishers_;
};

}  // namespace kith::r1fs
