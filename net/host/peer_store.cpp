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

PeerStore::Known& PeerStore::Addrs::add(const Multiaddr& addr) {
  if (many_ == nullptr && one_.addr.empty()) {
    one_ = {.addr = addr};
    return one_;
  }
  if (many_ == nullptr) {
    many_ = std::make_unique<std::vector<Known>>();
    many_->push_back(std::exchange(one_, {}));
  }
  return many_->emplace_back(Known{.addr = addr});
}

template <class Gone>
void PeerStore::Addrs::erase_if(Gone&& gone) {
  if (many_ == nullptr) {
    if (!one_.addr.empty() && gone(one_)) one_ = {};
    return;
  }
  std::erase_if(*many_, gone);
  if (many_->size() > 1) return;
  if (!many_->empty()) one_ = std::move(many_->front());
  many_.reset();
}

void PeerStore::Peer::drop_expired(Now now) {
  addrs.erase_if([&](const Known& known) { return !live(now, known); });
}

std::size_t PeerStore::place_of(const PeerId& id) const {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash_of(id)) & mask;
  while (index_[at] != kNone && peers_.at(index_[at]).id != id) at = (at + 1) & mask;
  return at;
}

void PeerStore::index_all(std::size_t places) {
  index_.assign(places, kNone);
  for (std::uint32_t i = 0; i < size_; ++i) index_[place_of(peers_.at(i).id)] = i;
}

std::uint32_t PeerStore::index_of(const PeerId& id) const {
  return index_.empty() ? kNone : index_[place_of(id)];
}

const PeerStore::Peer* PeerStore::find(const PeerId& id) const {
  const std::uint32_t at = index_of(id);
  return at == kNone ? nullptr : &peers_.at(at);
}

void PeerStore::unlink(std::uint32_t at) {
  const Peer& peer = peers_.at(at);
  (peer.older == kNone ? oldest_ : peers_.at(peer.older).newer) = peer.newer;
  (peer.newer == kNone ? newest_ : peers_.at(peer.newer).older) = peer.older;
}

void PeerStore::link_newest(std::uint32_t at) {
  peers_.at(at).older = newest_;
  peers_.at(at).newer = kNone;
  (newest_ == kNone ? oldest_ : peers_.at(newest_).newer) = at;
  newest_ = at;
}

// The last one takes its place.
void PeerStore::erase(std::uint32_t at) {
  unlink(at);
  // Open addressing: what stands behind it in the index moves up.
  const std::size_t mask = index_.size() - 1;
  std::size_t hole = place_of(peers_.at(at).id);
  for (std::size_t next = (hole + 1) & mask; index_[next] != kNone; next = (next + 1) & mask) {
    const std::size_t home = static_cast<std::size_t>(hash_of(peers_.at(index_[next]).id)) & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    index_[hole] = index_[next];
    hole = next;
  }
  index_[hole] = kNone;
  const std::uint32_t last = size_ - 1;
  if (at != last) {
    index_[place_of(peers_.at(last).id)] = at;
    Peer& moved = peers_.at(at) = std::move(peers_.at(last));
    (moved.older == kNone ? oldest_ : peers_.at(moved.older).newer) = at;
    (moved.newer == kNone ? newest_ : peers_.at(moved.newer).older) = at;
  }
  peers_.at(last) = {};
  peers_.leave(last);
  --size_;
}

void PeerStore::make_room() {
  if (size_ < peers_max_) return;
  for (std::uint32_t at = oldest_; at != kNone; at = peers_.at(at).newer)
    if (!peers_.at(at).pinned) return erase(at);
}

// One is looked at each time, so that what was heard of once does not stay for ever in a store that
// never fills.
void PeerStore::drop_expired(Now now, const PeerId& but) {
  if (hand_ >= size_) hand_ = 0;
  if (size_ == 0) return;
  const Peer& peer = peers_.at(hand_);
  const std::span<const Known> all = peer.addrs.all();
  const bool live = std::any_of(all.begin(), all.end(),
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
  if (const std::uint32_t at = index_of(id); at != kNone) {
    unlink(at);
    link_newest(at);
    return &peers_.at(at);
  }
  make_room();
  if (size_ >= peers_max_) return nullptr;
  const std::uint32_t at = size_++;
  peers_.use(at).id = id;
  link_newest(at);
  if (std::size_t{size_} * 2 > index_.size())
    index_all(std::max<std::size_t>(index_.size() * 2, 16));
  else
    index_[place_of(id)] = at;
  return &peers_.at(at);
}

PeerStore::Known* PeerStore::keep(Now now, Peer& peer, const PeerId& id, const Multiaddr& addr,
                                  Duration lifetime) {
  const auto named = addr.peer_id();
  if (named && *named != id) return nullptr;
  const Multiaddr bare = named ? addr.without_peer_id() : addr;
  if (bare.empty() || lifetime <= Duration::zero()) return nullptr;
  const Mono expires = expiry(now, lifetime);
  peer.drop_expired(now);
  const std::span<Known> all = peer.addrs.all();
  auto at =
      std::find_if(all.begin(), all.end(), [&](const Known& known) { return known.addr == bare; });
  Known* found = at == all.end() ? nullptr : &*at;
  if (found == nullptr) {
    if (all.size() >= addrs_max_) {
      const Known* least =
          &*std::min_element(all.begin(), all.end(), [](const Known& a, const Known& b) {
            if (a.shown != b.shown) return b.shown;
            return a.expires != b.expires ? a.expires < b.expires : a.heard < b.heard;
          });
      peer.addrs.erase_if([&](const Known& known) { return &known == least; });
    }
    found = &peer.addrs.add(bare);
  }
  found->expires = std::max(found->expires, expires);
  ++heard_;
  found->heard = heard_ & kStampMask;
  return found;
}

void PeerStore::hear(Now now, const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime,
                     bool shown) {
  if (id.empty() || addrs.empty() || addrs_max_ == 0) return;
  Peer* peer = touch(now, id);
  if (peer == nullptr) return;
  for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), addrs_max_)))
    if (Known* known = keep(now, *peer, id, addr, lifetime); known != nullptr && shown)
      known->shown = true;
}

void PeerStore::learn(Now now, const PeerId& id, std::span<const Multiaddr> addrs,
                      Duration lifetime) {
  hear(now, id, addrs, lifetime, false);
}

void PeerStore::pin(Now now, const PeerId& id) {
  Peer* peer = touch(now, id);
  if (peer == nullptr || peer->pinned) return;
  peer->drop_expired(now);
  peer->pinned = true;
  for (Known& known : peer->addrs.all()) known.shown = false;
}

void PeerStore::claimed(Now now, const PeerId& id, std::span<const Multiaddr> addrs,
                        Duration lifetime) {
  hear(now, id, addrs, lifetime, true);
}

// What it does not name any more goes; what it names again keeps a longer life.
bool PeerStore::learn_record(Now now, const PeerId& id, std::uint64_t seq,
                             std::span<const Multiaddr> addrs, Duration lifetime) {
  if (id.empty() || addrs_max_ == 0) return false;
  Peer* peer = touch(now, id);
  if (peer == nullptr || (peer->has_record && seq < peer->record_seq)) return false;
  peer->has_record = true;
  peer->record_seq = seq;
  const auto named = [&](const Known& known) {
    return std::any_of(addrs.begin(), addrs.end(), [&](const Multiaddr& addr) {
      return addr == known.addr || addr.without_peer_id() == known.addr;
    });
  };
  peer->addrs.erase_if([&](const Known& known) { return known.certified && !named(known); });
  for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), addrs_max_)))
    if (Known* known = keep(now, *peer, id, addr, lifetime)) known->certified = known->shown = true;
  return true;
}

void PeerStore::answered(Now now, const PeerId& id, const Multiaddr& addr, Duration lifetime) {
  if (id.empty() || addrs_max_ == 0) return;
  Peer* peer = touch(now, id);
  if (peer == nullptr) return;
  Known* known = keep(now, *peer, id, addr, lifetime);
  if (known == nullptr) return;
  known->answered = known->heard;
  known->shown = true;
}

void PeerStore::extend(Now now, const PeerId& id, Duration lifetime) {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  for (Known& known : peer->addrs.all())
    if (known.shown && peer->live(now, known))
      known.expires = std::max(known.expires, expiry(now, lifetime));
}

void PeerStore::unpin(Now now, const PeerId& id, Duration lifetime) {
  Peer* peer = find(id);
  if (peer == nullptr || !peer->pinned) return;
  extend(now, id, lifetime);
  peer->pinned = false;
}

std::vector<Multiaddr> PeerStore::known(Now now, const PeerId& id) const {
  const Peer* found = find(id);
  if (found == nullptr) return {};
  const std::span<const Known> all = found->addrs.all();
  if (all.size() == 1) {
    if (!found->live(now, all.front())) return {};
    return {all.front().addr};
  }
  std::vector<const Known*> live;
  for (const Known& known : all)
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
