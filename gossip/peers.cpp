#include "gossip/peers.hpp"

#include <algorithm>

namespace kith::gossip {
namespace {

constexpr auto kKeyOrder = [](const auto& entry, std::uint64_t key) { return entry.key < key; };
constexpr auto kEndOrder = [](const auto& a, const auto& b) { return a.until < b.until; };

}  // namespace

Peer& Peers::insert(Mono now, host::PeerSlot slot, std::uint64_t key, const PeerTraits& traits) {
  CHECK(!peers_.contains(slot));
  Peer& peer = peers_.set(slot, {});
  peer.slot = slot;
  peer.key = key;
  peer.outbound = traits.outbound;
  peer.kind = traits.kind;
  const auto known = std::lower_bound(ignored_.begin(), ignored_.end(), key, kKeyOrder);
  if (known != ignored_.end() && known->key == key && known->until > now)
    peer.ignored_until = known->until;
  return peer;
}

bool Peers::blame(Mono now, Peer& peer, std::uint32_t points) {
  if (peer.blame == 0 || now - peer.blame_since >= kBlameWindow) {
    peer.blame = 0;
    peer.blame_since = now;
  }
  peer.blame += points;
  if (peer.blame < kBlameMax) return false;
  peer.blame = 0;
  peer.ignored_until = later(now, kIgnoreTime);
  ignore(peer.key, peer.ignored_until);
  return true;
}

void Peers::ignore(std::uint64_t key, Mono until) {
  auto at = std::lower_bound(ignored_.begin(), ignored_.end(), key, kKeyOrder);
  if (at != ignored_.end() && at->key == key) {
    at->until = until;
    return;
  }
  if (ignored_.size() >= kIgnoredPeersMax) {
    ignored_.erase(std::min_element(ignored_.begin(), ignored_.end(), kEndOrder));
    at = std::lower_bound(ignored_.begin(), ignored_.end(), key, kKeyOrder);
  }
  ignored_.insert(at, {key, until});
}

void Peers::expire(Mono now) {
  std::erase_if(ignored_, [now](const Ignored& entry) { return entry.until <= now; });
}

}  // namespace kith::gossip
