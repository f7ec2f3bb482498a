// IHAVE, IWANT, GRAFT and PRUNE (gossipsub v1.0 "control messages", v1.1 "spam protection").
#include <algorithm>
#include <array>
#include <span>

#include "gossip/router.hpp"
#include "net/base/planted.hpp"

namespace kith::gossip {

namespace {
constexpr std::size_t kLookedUpTogether = 16;
}  // namespace

bool Router::listens_to_offers(Peer& peer) {
  if (++peer.ihave_rpcs <= kIHavesPerHeartbeatMax) return true;
  ++counters_.ihave_refused;
  return false;
}

std::size_t Router::heard_of(Peer& peer, const libp2p::GossipIHave& offer) {
  const TopicIndex index = topics_.find(offer.topic);
  if (!index || !topics_.at(index).joined) return 0;
  const std::size_t room = kIHaveIdsPerHeartbeatMax - peer.ihave_ids;
  const std::size_t take = std::min(room, offer.ids.count());
  if (take < offer.ids.count()) ++counters_.ihave_refused;
  peer.ihave_ids += static_cast<std::uint32_t>(take);
  return take;
}

void Router::on_ihave(Peer& peer, const libp2p::GossipRpc& rpc) {
  if (!listens_to_offers(peer)) return;
  for (const libp2p::GossipIHave& entry : rpc.ihave)
    want_of(peer, entry.ids, heard_of(peer, entry));
}

void Router::on_outline(Peer& peer, const OfferOutline& outline) {
  if (!listens_to_offers(peer)) return;
  const std::span keys = std::span(outline.keys).first(heard_of(peer, outline.offer));
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + kLookedUpTogether < keys.size()) seen_.prefetch(keys[i + kLookedUpTogether]);
    if (!seen_.has(keys[i])) missing.push_back(i);
  }
  if (missing.empty()) return;
  std::size_t at = 0;
  auto next = missing.begin();
  outline.offer.ids.for_each(missing.back() + 1, [&](ByteView id) {
    if (at++ != *next) return;
    want(peer, id, keys[*next++]);
  });
}

// Nearly all ids are known, at places far from each other: those of some come from memory at the
// same time.
void Router::want_of(Peer& peer, const libp2p::GossipIds& ids, std::size_t count) {
  struct Offered {
    ByteView id;
    std::uint64_t key = 0;
  };
  std::array<Offered, kLookedUpTogether> some;
  std::size_t size = 0;
  const auto look_up = [&] {
    for (const Offered& offered : std::span(some).first(size)) want(peer, offered.id, offered.key);
    size = 0;
  };
  ids.for_each(count, [&](ByteView id) {
    if (id.empty() || id.size() > kMessageIdBytesMax) return;
    some[size] = {id, key_of(id)};
    seen_.prefetch(some[size].key);
    if (++size == some.size()) look_up();
  });
  look_up();
}

// Asks for what we have not seen. Of several peers, because one that offers need not deliver; of
// few, because most will.
void Router::want(Peer& peer, ByteView id, std::uint64_t key) {
  if (seen_.has(key) || queue_.has(key) || peer.asked >= kAsksPerHeartbeatMax) return;
  auto asked = asked_.find(key);
  if (asked == asked_.end()) {
    if (asked_.size() >= kAskedIdsMax) return;
    asked = asked_.emplace(key, std::uint8_t{0}).first;
  }
  if (asked->second >= kAsksPerIdMax) return;
  ++asked->second;
  ++peer.asked;
  ++counters_.iwant_ids_sent;
  batch_.iwant(peer.slot, id);
}

void Router::on_iwant(Peer& peer, const libp2p::GossipRpc& said, Effects& out) {
  if (planted(Planted::iwant_unanswered)) return;
  for (const libp2p::GossipIds& ids : said.iwant) {
    const std::size_t room = kIWantIdsPerHeartbeatMax - peer.iwant_ids;
    const std::size_t take = std::min(room, ids.count());
    if (take < ids.count()) ++counters_.iwant_refused;
    peer.iwant_ids += static_cast<std::uint32_t>(take);
    ids.for_each(take, [&](ByteView id) {
      if (peer.stalled || peer.iwant_bytes >= kIWantBytesPerHeartbeatMax) {
        ++counters_.iwant_refused;
        return;
      }
      const Bytes* rpc = cache_.take_for(key_of(id), peer.slot);
      if (rpc == nullptr) return;
      peer.iwant_bytes += static_cast<std::uint32_t>(rpc->size());
      ++counters_.iwant_served;
      out.push_back(SendRpc{peer.slot, *rpc});
    });
  }
}

void Router::on_graft(Now now, Peer& peer, std::string_view name) {
  const TopicIndex index = topics_.find(name);
  Topic* topic = topics_.find(index);
  if (topic == nullptr || !topic->joined || !set_has(topic->subscribers, peer.slot)) {
    ++counters_.graft_ignored;
    return;
  }
  if (topic->mesh.has(peer.slot)) return;
  if (topic->backoffs.holds(now.mono, peer.key)) {
    ++counters_.graft_in_backoff;
    prune(now, *topic, peer, topic->backoffs.extend(now.mono, peer.key));
    return;
  }
  // Full, or we cannot send to it: only a peer that we dialled may push the mesh above its bound,
  // until the next heartbeat.
  if (peer.stalled || (topic->mesh.size() >= config_.degree_high && !peer.outbound)) {
    ++counters_.graft_mesh_full;
    prune(now, *topic, peer, kBackoff);
    return;
  }
  topic->mesh.add(peer.slot, peer.outbound);
}

void Router::on_prune(Now now, Peer& peer, const libp2p::GossipPrune& entry) {
  Topic* topic = topics_.find(topics_.find(entry.topic));
  if (topic == nullptr || !topic->joined) return;
  topic->mesh.remove(peer.slot);
  if (planted(Planted::backoff_forgotten)) return;
  topic->backoffs.set(now.mono, peer.key, backoff_of(entry.backoff));
}

// Takes the peer into the mesh, and tells it.
void Router::graft(Topic& topic, const Peer& peer) {
  if (!topic.mesh.add(peer.slot, peer.outbound)) return;
  ++counters_.graft_sent;
  batch_.graft(peer.slot, *topic.name);
}

// Takes the peer out of the mesh if it is there, keeps it out for `backoff`, and tells it so.
void Router::prune(Now now, Topic& topic, const Peer& peer, Duration backoff) {
  topic.mesh.remove(peer.slot);
  topic.backoffs.set(now.mono, peer.key, backoff);
  ++counters_.prune_sent;
  if (!peer.stalled) batch_.prune(peer.slot, *topic.name, backoff_seconds(backoff));
}

}  // namespace kith::gossip
