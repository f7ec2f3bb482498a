// The heartbeat (gossipsub v1.0 "heartbeat", v1.1 "adaptive gossip", "outbound mesh quotas").
#include <algorithm>

#include "gossip/router.hpp"
#include "net/base/planted.hpp"

namespace kith::gossip {

void Router::on_tick(Now now, Effects& out) {
  if (now.mono < next_heartbeat_) return;
  heartbeat(now);
  batch_.flush(out);
  if (peers_.empty() && queue_.empty() && cache_.empty()) {
    next_heartbeat_ = kNever;
    return;
  }
  // One that came late does not make the next come early.
  next_heartbeat_ = later(next_heartbeat_, config_.heartbeat);
  if (next_heartbeat_ <= now.mono) next_heartbeat_ = later(now.mono, config_.heartbeat);
}

void Router::heartbeat(Now now) {
  peers_.for_each([](Peer& peer) {
    peer.ihave_rpcs = peer.ihave_ids = peer.asked = peer.iwant_ids = peer.iwant_bytes = 0;
  });
  if (!asked_.empty()) asked_ = {};
  for (const JudgeSlot slot : queue_.expired(now.mono)) {
    ++counters_.judge_timeout;
    queue_.take(slot);
  }
  std::vector<TopicIndex> done;
  topics_.for_each([&](TopicIndex index, Topic& topic) {
    topic.backoffs.expire(now.mono);
    if (topic.joined) keep_mesh(now, topic);
    if (topic.fanning) keep_fanout(now, topic);
    if (topic.joined || topic.fanning) offer(now, index, topic);
    if (topic.idle()) done.push_back(index);
  });
  for (const TopicIndex index : done) topics_.release(index);
  cache_.shift();
  seen_.expire(now.mono);
  if (planted(Planted::seen_forgotten)) seen_ = SeenCache();
  peers_.expire(now.mono);
}

void Router::keep_mesh(Now now, Topic& topic) {
  if (topic.mesh.size() < config_.degree_low && !planted(Planted::mesh_not_refilled)) {
    graft_some(now, topic, config_.degree - topic.mesh.size(), false);
  } else if (topic.mesh.size() > config_.degree_high) {
    for (const host::PeerSlot slot : topic.mesh.excess(config_.degree, config_.degree_out, rng_))
      prune(now, topic, *peers_.find(slot), kBackoff);
  }
  const std::size_t outbound = topic.mesh.outbound();
  if (topic.mesh.size() >= config_.degree_low && outbound < config_.degree_out)
    graft_some(now, topic, config_.degree_out - outbound, true);
}

void Router::keep_fanout(Now now, Topic& topic) {
  if (topic.fanout_until <= now.mono) {
    end_fanout(topic);
    return;
  }
  std::erase_if(topic.fanout,
                [&](host::PeerSlot slot) { return !peers_.find(slot)->usable(now.mono); });
  fill_fanout(now, topic);
}

// Tells some of those to whom new messages are not pushed which ones there are.
void Router::offer(Now now, TopicIndex index, const Topic& topic) {
  std::vector<Bytes> ids = cache_.offers(index, kIHaveIdsPerHeartbeatMax);
  if (ids.empty()) return;
  std::vector<host::PeerSlot> to;
  for (const host::PeerSlot slot : topic.subscribers) {
    const Peer& peer = *peers_.find(slot);
    if (peer.gossips() && peer.usable(now.mono) && !topic.mesh.has(slot)) to.push_back(slot);
  }
  choose(to, std::max(config_.degree_lazy, to.size() * kGossipFactorPercent / 100));
  counters_.ihave_ids_sent += to.size() * ids.size();
  batch_.ihave(std::move(to), *topic.name, std::move(ids));
}

std::vector<host::PeerSlot> Router::candidates(Now now, const Topic& topic, bool outbound_only) {
  std::vector<host::PeerSlot> found;
  for (const host::PeerSlot slot : topic.subscribers) {
    const Peer& peer = *peers_.find(slot);
    if (peer.gossips() && peer.usable(now.mono) && !topic.mesh.has(slot) &&
        (peer.outbound || !outbound_only) && !topic.backoffs.holds_us(now.mono, peer.key))
      found.push_back(slot);
  }
  return found;
}

void Router::graft_some(Now now, Topic& topic, std::size_t count, bool outbound_only) {
  std::vector<host::PeerSlot> chosen = candidates(now, topic, outbound_only);
  choose(chosen, count);
  for (const host::PeerSlot slot : chosen) graft(topic, *peers_.find(slot));
}

// Keeps `count` of them, at random, in their order.
void Router::choose(std::vector<host::PeerSlot>& from, std::size_t count) {
  if (from.size() <= count) return;
  rng_.shuffle(from);
  from.resize(count);
  std::sort(from.begin(), from.end());
}

}  // namespace kith::gossip
