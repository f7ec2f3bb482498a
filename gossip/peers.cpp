#include "gossip/peers.hpp"

#include <algorithm>

namespace kith::gossip {
namespace {

constexpr auto kKeyOrder = [](const auto& entry, std::uint64_t key) { return entry.key < key; };
constexpr std::size_t kKeptCells = 16;
constexpr auto kEndOrder = [](const auto& a, const auto& b) { return a.until < b.until; };

}  // namespace

Peer& Peers::insert(Mono now, host::PeerSlot slot, std::uint64_t key, const PeerTraits& traits) {
  if (slot.index >= cells_.capacity()) cells_.reserve(slot.index + slot.index / 4 + 4);
  if (slot.index >= cells_.size()) cells_.resize(slot.index + 1);
  std::optional<Peer>& cell = cells_[slot.index];
  CHECK(!cell);
  Peer& peer = cell.emplace();
  peer.slot = slot;
  peer.key = key;
  peer.outbound = traits.outbound;
  peer.kind = traits.kind;
  const auto known = std::lower_bound(ignored_.begin(), ignored_.end(), key, kKeyOrder);
  if (known != ignored_.end() && known->key == key && known->until > now)
    peer.ignored_until = known->until;
  ++size_;
  return peer;
}

Peer* Peers::find(host::PeerSlot slot) {
  if (slot.index >= cells_.size() || !cells_[slot.index]) return nullptr;
  return cells_[slot.index]->slot == slot ? &*cells_[slot.index] : nullptr;
}

const Peer* Peers::find(host::PeerSlot slot) const { return const_cast<Peers*>(this)->find(slot); }

void Peers::erase(host::PeerSlot slot) {
  if (find(slot) == nullptr) return;
  cells_[slot.index].reset();
  --size_;
  while (!cells_.empty() && !cells_.back()) cells_.pop_back();
  if (cells_.capacity() > kKeptCells && cells_.size() * 2 < cells_.capacity())
    cells_.shrink_to_fit();
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
