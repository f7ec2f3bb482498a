#include "net/host/peer_store.hpp"

#include <algorithm>

namespace kith::host {

void PeerStore::make_room() {
  if (peers_.size() < peers_max_) return;
  for (auto oldest = ages_.begin(); oldest != ages_.end(); ++oldest) {
    const auto peer = peers_.find(*oldest);
    if (peer->second.pinned) continue;
    peers_.erase(peer);
    ages_.erase(oldest);
    return;
  }
}

// The entry for `id`, made if need be, as the one touched last; null when only pinned peers are
// left.
PeerStore::Peer* PeerStore::touch(const PeerId& id) {
  auto found = peers_.find(id);
  if (found == peers_.end()) {
    make_room();
    if (peers_.size() >= peers_max_) return nullptr;
    ages_.push_back(id);
    found = peers_.emplace(id, Peer{}).first;
    found->second.age = std::prev(ages_.end());
  } else {
    ages_.splice(ages_.end(), ages_, found->second.age);
  }
  return &found->second;
}

PeerStore::Known* PeerStore::keep(Now now, Peer& peer, const PeerId& id, const Multiaddr& addr,
                                  Duration lifetime) {
  const auto named = addr.peer_id();
  if (named && *named != id) return nullptr;
  const Multiaddr bare = named ? addr.without_peer_id() : addr;
  if (bare.empty() || lifetime <= Duration::zero()) return nullptr;
  const Mono expires = later(now.mono, std::min(lifetime, lifetime_max_));
  auto& addrs = peer.addrs;
  std::erase_if(addrs, [&](const Known& known) { return known.expires <= now.mono; });
  auto found = std::find_if(addrs.begin(), addrs.end(),
                            [&](const Known& known) { return known.addr == bare; });
  if (found == addrs.end()) {
    if (addrs.size() >= addrs_max_) {
      addrs.erase(std::min_element(addrs.begin(), addrs.end(), [](const Known& a, const Known& b) {
        return a.expires != b.expires ? a.expires < b.expires : a.heard < b.heard;
      }));
    }
    addrs.push_back({.addr = bare});
    found = std::prev(addrs.end());
  }
  found->expires = std::max(found->expires, expires);
  found->heard = ++heard_;
  return &*found;
}

void PeerStore::learn(Now now, const PeerId& id, std::span<const Multiaddr> addrs,
                      Duration lifetime) {
  if (id.empty() || addrs.empty() || addrs_max_ == 0) return;
  Peer* peer = touch(id);
  if (peer == nullptr) return;
  for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), addrs_max_)))
    keep(now, *peer, id, addr, lifetime);
}

bool PeerStore::learn_record(Now now, const PeerId& id, std::uint64_t seq,
                             std::span<const Multiaddr> addrs, Duration lifetime) {
  if (id.empty() || addrs_max_ == 0) return false;
  Peer* peer = touch(id);
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
  Peer* peer = touch(id);
  if (peer == nullptr) return;
  Known* known = keep(now, *peer, id, addr, lifetime);
  if (known != nullptr) known->answered = now.mono;
}

void PeerStore::pin(const PeerId& id, bool pinned) {
  if (Peer* peer = pinned ? touch(id) : nullptr; peer != nullptr) peer->pinned = true;
  if (pinned) return;
  const auto found = peers_.find(id);
  if (found != peers_.end()) found->second.pinned = false;
}

std::vector<Multiaddr> PeerStore::known(Now now, const PeerId& id) const {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return {};
  std::vector<const Known*> live;
  for (const Known& known : found->second.addrs)
    if (known.expires > now.mono) live.push_back(&known);
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
  const auto found = peers_.find(id);
  return found == peers_.end() ? 0 : found->second.addrs.size();
}

}  // namespace kith::host
