#include "net/host/peer_store.hpp"

#include <algorithm>

#include "net/crypto/siphash.hpp"

namespace kith::host {

namespace {

std::uint64_t hash_of(const PeerId& id) {
  static const crypto::SipHash hash = [] {
    Rng rng = Rng::from_system();
    return crypto::SipHash(rng);
  }();
  return hash(id.bytes());
}

}  // namespace

std::size_t PeerStore::place_of(const PeerId& id) const {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash_of(id)) & mask;
  while (index_[at] != kNone && peers_[index_[at]].id != id) at = (at + 1) & mask;
  return at;
}

void PeerStore::index_all(std::size_t places) {
  index_.assign(places, kNone);
  for (std::uint32_t i = 0; i < peers_.size(); ++i) index_[place_of(peers_[i].id)] = i;
}

const PeerStore::Peer* PeerStore::find(const PeerId& id) const {
  if (index_.empty()) return nullptr;
  const std::uint32_t at = index_[place_of(id)];
  return at == kNone ? nullptr : &peers_[at];
}

void PeerStore::unlink(std::uint32_t at) {
  const Peer& peer = peers_[at];
  (peer.older == kNone ? oldest_ : peers_[peer.older].newer) = peer.newer;
  (peer.newer == kNone ? newest_ : peers_[peer.newer].older) = peer.older;
}

void PeerStore::link_newest(std::uint32_t at) {
  peers_[at].older = newest_;
  peers_[at].newer = kNone;
  (newest_ == kNone ? oldest_ : peers_[newest_].newer) = at;
  newest_ = at;
}

// The last one takes its place.
void PeerStore::erase(std::uint32_t at) {
  unlink(at);
  // Open addressing: what stands behind it in the index moves up.
  const std::size_t mask = index_.size() - 1;
  std::size_t hole = place_of(peers_[at].id);
  for (std::size_t next = (hole + 1) & mask; index_[next] != kNone; next = (next + 1) & mask) {
    const std::size_t home = static_cast<std::size_t>(hash_of(peers_[index_[next]].id)) & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    index_[hole] = index_[next];
    hole = next;
  }
  index_[hole] = kNone;
  const auto last = static_cast<std::uint32_t>(peers_.size() - 1);
  if (at != last) {
    index_[place_of(peers_[last].id)] = at;
    Peer& moved = peers_[at] = std::move(peers_[last]);
    (moved.older == kNone ? oldest_ : peers_[moved.older].newer) = at;
    (moved.newer == kNone ? newest_ : peers_[moved.newer].older) = at;
  }
  peers_.pop_back();
}

void PeerStore::make_room() {
  if (peers_.size() < peers_max_) return;
  for (std::uint32_t at = oldest_; at != kNone; at = peers_[at].newer)
    if (!peers_[at].pinned) return erase(at);
}

// One is looked at each time, so that what was heard of once does not stay for ever in a store that
// never fills.
void PeerStore::drop_expired(Now now, const PeerId& but) {
  if (hand_ >= peers_.size()) hand_ = 0;
  if (peers_.empty()) return;
  const Peer& peer = peers_[hand_];
  const bool live = std::any_of(peer.addrs.begin(), peer.addrs.end(),
                                [&](const Known& known) { return peer.live(now, known); });
  if (live || peer.pinned || peer.id == but)
    ++hand_;
  else
    erase(hand_);  // the last one takes its place
}

// The entry for `id`, made if need be, as the one touched last; null when only pinned peers are
// left.
PeerStore::Peer* PeerStore::touch(Now now, const PeerId& id) {
  drop_expired(now, id);
  if (Peer* found = find(id)) {
    const auto at = static_cast<std::uint32_t>(found - peers_.data());
    unlink(at);
    link_newest(at);
    return found;
  }
  make_room();
  if (peers_.size() >= peers_max_) return nullptr;
  const auto at = static_cast<std::uint32_t>(peers_.size());
  if (peers_.size() == peers_.capacity()) peers_.reserve(peers_.size() + peers_.size() / 8 + 4);
  peers_.emplace_back().id = id;
  link_newest(at);
  if (peers_.size() * 2 > index_.size())
    index_all(std::max<std::size_t>(index_.size() * 2, 16));
  else
    index_[place_of(id)] = at;
  return &peers_[at];
}

PeerStore::Known* PeerStore::keep(Now now, Peer& peer, const PeerId& id, const Multiaddr& addr,
                                  Duration lifetime) {
  const auto named = addr.peer_id();
  if (named && *named != id) return nullptr;
  const Multiaddr bare = named ? addr.without_peer_id() : addr;
  if (bare.empty() || lifetime <= Duration::zero()) return nullptr;
  const Mono expires = expiry(now, lifetime);
  auto& addrs = peer.addrs;
  std::erase_if(addrs, [&](const Known& known) { return !peer.live(now, known); });
  auto found = std::find_if(addrs.begin(), addrs.end(),
                            [&](const Known& known) { return known.addr == bare; });
  if (found == addrs.end()) {
    if (addrs.size() >= addrs_max_) {
      addrs.erase(std::min_element(addrs.begin(), addrs.end(), [](const Known& a, const Known& b) {
        return a.expires != b.expires ? a.expires < b.expires : a.heard < b.heard;
      }));
    }
    addrs.reserve(addrs.size() + 1);  // nearly all have one
    addrs.push_back({.addr = bare});
    found = std::prev(addrs.end());
  }
  found->expires = std::max(found->expires, expires);
  ++heard_;
  found->heard = heard_ & kStampMask;
  return &*found;
}

void PeerStore::learn(Now now, const PeerId& id, std::span<const Multiaddr> addrs,
                      Duration lifetime) {
  if (id.empty() || addrs.empty() || addrs_max_ == 0) return;
  Peer* peer = touch(now, id);
  if (peer == nullptr) return;
  for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), addrs_max_)))
    keep(now, *peer, id, addr, lifetime);
}

bool PeerStore::learn_record(Now now, const PeerId& id, std::uint64_t seq,
                             std::span<const Multiaddr> addrs, Duration lifetime) {
  if (id.empty() || addrs_max_ == 0) return false;
  Peer* peer = touch(now, id);
  if (peer == nullptr || (peer->has_record && seq <= peer->record_seq)) return false;
  peer->has_record = true;
  peer->record_seq = seq;
  std::erase_if(peer->addrs, [](const Known& known) { return known.certified; });
  for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), addrs_max_))) {
    Known* known = keep(now, *peer, id, addr, lifetime);
    if (known != nullptr) known->certified = true;
  }
  return true;
}

void PeerStore::answered(Now now, const PeerId& id, const Multiaddr& addr, Duration lifetime) {
  if (id.empty() || addrs_max_ == 0) return;
  Peer* peer = touch(now, id);
  if (peer == nullptr) return;
  Known* known = keep(now, *peer, id, addr, lifetime);
  if (known != nullptr) known->answered = known->heard;
}

void PeerStore::pin(Now now, const PeerId& id) {
  Peer* peer = touch(now, id);
  if (peer == nullptr || peer->pinned) return;
  std::erase_if(peer->addrs, [&](const Known& known) { return !peer->live(now, known); });
  peer->pinned = true;
}

void PeerStore::unpin(Now now, const PeerId& id, Duration lifetime) {
  Peer* peer = find(id);
  if (peer == nullptr || !peer->pinned) return;
  peer->pinned = false;
  for (Known& known : peer->addrs) known.expires = std::max(known.expires, expiry(now, lifetime));
}

std::vector<Multiaddr> PeerStore::known(Now now, const PeerId& id) const {
  const Peer* found = find(id);
  if (found == nullptr) return {};
  if (found->addrs.size() == 1) {
    if (!found->live(now, found->addrs.front())) return {};
    return {found->addrs.front().addr};
  }
  std::vector<const Known*> live;
  for (const Known& known : found->addrs)
    if (found->live(now, known)) live.push_back(&known);
  std::sort(live.begin(), live.end(), [](const Known* a, const Known* b) {
    if (a->answered != b->answered) return a->answered > b->answered;
    if (a->certified != b->certified) return a->certified;
    return a->heard > b->heard;
  });
  std::vector<Multiaddr> addrs;
  addrs.reserve(live.size());
  for (const Known* known : live) addrs.push_back(known->addr);
  return addrs;
}

std::size_t PeerStore::addrs(const PeerId& id) const {
  const Peer* found = find(id);
  return found == nullptr ? 0 : found->addrs.size();
}

}  // namespace kith::host
