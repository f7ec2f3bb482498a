// ProviderRecords: who provides what, as providers told us because we are near the key
// (libp2p/specs kad-dht, "Content provider advertisement").
//
// Rules
// * A record lives kProviderLifetime from when it was received, by the wall clock; telling again
//   renews it. A received time in the future (the clock was set back) counts as now.
// * Per key at most kProvidersPerKey distinct peers, and kSourcePerKey of one source; when a key is
//   full, a newcomer takes the oldest record's place. Providers tell again within a day, so a
//   living one comes back, and who fills a key must go on paying for it.
// * In all at most providers_max records, and an eighth of that from one source. When full, a
// record
//   of a source that holds more than the newcomer's goes (best of kEvictionDraws random keys);
//   otherwise the newcomer is refused.
// * All that changes is persisted, and loaded again after a restart.
// Attacker: who announces endless keys, or one key from many identities to hide its real providers.
#pragma once

#include <map>

#include "dht/effects.hpp"
#include "dht/quota.hpp"
#include "dht/record_codec.hpp"
#include "net/base/rng.hpp"

namespace kith::dht {

inline constexpr Duration kProviderLifetime = 48h;
inline constexpr std::size_t kProvidersPerKey = 20;
inline constexpr std::size_t kSourcePerKey = 3;
inline constexpr std::size_t kProvidersMax = 50'000;  // about 12 MB
inline constexpr std::size_t kSourceShare = 8;        // of the whole, one source gets 1/8
inline constexpr int kEvictionDraws = 8;
inline constexpr std::size_t kSweepKeys = 1024;  // looked at in one sweep()

class ProviderRecords {
 public:
  explicit ProviderRecords(Rng rng, std::size_t providers_max = kProvidersMax)
      : rng_(rng), providers_max_(providers_max) {}

  // True when it is kept. `addrs` are only persisted with it.
  bool add(Wall now, const Multihash& key, const PeerRef& provider, Source source,
           const std::vector<Multiaddr>& addrs, Effects& out);
  void load(Wall now, const StoredProvider& stored, const PeerRef& provider, Effects& out);
  // Providers of `key`, most recent first.
  std::vector<PeerRef> find(Wall now, const Multihash& key) const;
  // Drops what expired among the next kSweepKeys keys; called once a minute it sees all within
  // hours.
  void sweep(Wall now, Effects& out);
  std::size_t size() const { return size_; }

 private:
  struct Record {
    PeerRef provider;
    Wall received{};
    Source source = 0;
  };
  using Records = std::vector<Record>;  // oldest first
  using Keys = std::map<Multihash, Records>;

  bool make_room(const Records& of_key, Source source, Effects& out);
  bool evict_heavier(Source source, Effects& out);
  void erase(Keys::iterator key, std::size_t at, Effects& out);
  void drop_expired(Wall now, Keys::iterator key, Effects& out);

  Rng rng_;
  std::size_t providers_max_;
  Keys keys_;
  std::size_t size_ = 0;
  SourceQuota quota_;
  Multihash swept_;  // up to here
};

}  // namespace kith::dht
