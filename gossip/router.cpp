// Peers, their subscriptions and ours, and the way of an RPC to what handles its parts.
#include "gossip/router.hpp"

#include <algorithm>

namespace kith::gossip {

Router::Router(RouterConfig config, Rng rng, std::shared_ptr<Outlines> outlines)
    : config_(std::move(config)),
      self_tail_(tail_of(config_.self.bytes())),
      rng_(std::move(rng)),
      outlines_(std::move(outlines)),
      hash_(outlines_ ? outlines_->hash() : crypto::SipHash(rng_)) {
  CHECK(config_.degree_low <= config_.degree && config_.degree <= config_.degree_high);
  CHECK(config_.degree_out <= config_.degree / 2);
}

// Heartbeats run while there is anybody to talk to, or anything that ages. The first comes at a
// random moment, so that nodes that started together do not beat together.
void Router::wake(Now now) {
  if (next_heartbeat_ != kNever) return;
  const auto within = static_cast<std::uint64_t>(config_.heartbeat.count());
  next_heartbeat_ = later(now.mono, Duration(rng_.below(within) + 1));
}

void Router::on_peer_ready(Now now, host::PeerSlot slot, const PeerTraits& traits, Effects& out) {
  if (peers_.find(slot) != nullptr) return;
  if (traits.kind == PeerKind::floodsub) ++floodsub_peers_;
  hello(peers_.insert(now.mono, slot, key_of(traits.id.bytes()), traits));
  batch_.flush(out);
  wake(now);
}

void Router::hello(const Peer& peer) {
  topics_.for_each([&](TopicIndex, Topic& topic) {
    if (topic.joined) batch_.subscription(peer.slot, *topic.name, true);
  });
}

void Router::on_peer_gone(Now, host::PeerSlot slot) {
  Peer* peer = peers_.find(slot);
  if (peer == nullptr) return;
  leave_meshes(*peer);
  while (!peer->topics.empty()) drop_subscription(*peer, peer->topics.back());
  if (!peer->gossips()) --floodsub_peers_;
  peers_.erase(slot);
}

// Without a word to the peer.
void Router::leave_meshes(Peer& peer) {
  for (const TopicIndex index : peer.topics) {
    Topic& topic = topics_.at(index);
    topic.mesh.remove(peer.slot);
    set_remove(topic.fanout, peer.slot);
  }
}

void Router::on_send_refused(Now, host::PeerSlot slot) {
  Peer* peer = peers_.find(slot);
  if (peer == nullptr || peer->stalled) return;
  ++counters_.peers_stalled;
  peer->stalled = true;
  leave_meshes(*peer);
}

// What was said meanwhile is lost: say all of it again, and that we left its meshes.
void Router::on_writable(Now now, host::PeerSlot slot, Effects& out) {
  Peer* peer = peers_.find(slot);
  if (peer == nullptr || !peer->stalled) return;
  peer->stalled = false;
  hello(*peer);
  for (const TopicIndex index : peer->topics) {
    Topic& topic = topics_.at(index);
    if (!topic.joined) {
      batch_.subscription(slot, *topic.name, false);
    } else if (peer->gossips()) {
      prune(now, topic, *peer, kBackoffUnsubscribe);
    }
  }
  batch_.flush(out);
}

void Router::on_stream_lost(Now, host::PeerSlot slot, Effects& out) {
  Peer* peer = peers_.find(slot);
  if (peer == nullptr) return;
  peer->stalled = false;
  leave_meshes(*peer);
  hello(*peer);
  batch_.flush(out);
}

void Router::blame(Now now, Peer& peer, std::uint32_t points) {
  if (!peers_.blame(now.mono, peer, points)) return;
  ++counters_.peers_ignored;
  queue_.drop_verifying(peer.slot);
  for (const TopicIndex index : peer.topics) {
    Topic& topic = topics_.at(index);
    if (topic.mesh.has(peer.slot)) prune(now, topic, peer, kIgnoreTime);
    set_remove(topic.fanout, peer.slot);
  }
}

void Router::on_rpc(Now now, host::PeerSlot slot, const Bytes& rpc, Effects& out) {
  Peer* peer = peers_.find(slot);
  if (peer == nullptr) {
    ++counters_.rpc_unknown_peer;
    return;
  }
  if (peer->ignored(now.mono)) {
    ++counters_.rpc_ignored_peer;
    return;
  }
  if (outlines_) {
    if (const Outline* known = outlines_->find(rpc)) {
      if (const auto* message = std::get_if<MessageOutline>(&known->what))
        return on_outline(now, *peer, *message, out);
      if (peer->gossips()) on_outline(*peer, std::get<OfferOutline>(known->what));
      return batch_.flush(out);
    }
  }
  thread_local libp2p::GossipRpc said;  // of the thread: thousands of simulated routers share it
  if (!libp2p::decode_gossip_rpc(rpc, said)) {
    ++counters_.rpc_malformed;
    blame(now, *peer, kBlameMalformed);
    batch_.flush(out);
    return;
  }
  counters_.left_out += said.left_out;
  for (const libp2p::GossipSubscription& entry : said.subscriptions)
    on_subscription(now, *peer, entry);
  for (const ByteView encoded : said.publish) {
    on_published(now, *peer, rpc, encoded, out);
    if (peer->ignored(now.mono)) break;
  }
  if (peer->gossips() && !peer->ignored(now.mono)) {
    if (!said.ihave.empty()) on_ihave(*peer, said);
    if (!said.iwant.empty()) on_iwant(*peer, said, out);
    for (const std::string_view name : said.graft) on_graft(now, *peer, name);
    for (const libp2p::GossipPrune& entry : said.prune) on_prune(now, *peer, entry);
  }
  batch_.flush(out);
  said.clear();
}

void Router::on_subscription(Now now, Peer& peer, const libp2p::GossipSubscription& entry) {
  const TopicIndex known = topics_.find(entry.topic);
  const auto at = std::find(peer.topics.begin(), peer.topics.end(), known);
  const bool has = known && at != peer.topics.end();
  if (entry.subscribe == has) return;
  if (!entry.subscribe) {
    drop_subscription(peer, known);
    return;
  }
  if (peer.topics.size() >= kTopicsPerPeerMax) {
    ++counters_.subscriptions_refused;
    return;
  }
  const TopicIndex index = topics_.intern(entry.topic);
  peer.topics.push_back(index);
  Topic& topic = topics_.at(index);
  set_add(topic.subscribers, peer.slot);
  if (topic.joined && topic.mesh.size() < config_.degree_low && peer.gossips() &&
      peer.usable(now.mono) && !topic.backoffs.holds_us(now.mono, peer.key))
    graft(topic, peer);
}

void Router::drop_subscription(Peer& peer, TopicIndex index) {
  std::erase(peer.topics, index);
  Topic& topic = topics_.at(index);
  set_remove(topic.subscribers, peer.slot);
  set_remove(topic.fanout, peer.slot);
  topic.mesh.remove(peer.slot);
  topics_.release(index);
}

Result<TopicIndex> Router::subscribe(Now now, std::string_view name, bool loopback, Effects& out) {
  if (name.empty() || name.size() > libp2p::kGossipTopicBytesMax)
    return fail(Errc::malformed, "a topic has 1 to 256 bytes");
  const TopicIndex known = topics_.find(name);
  if (known && topics_.at(known).joined)
    return fail(Errc::in_use, "already subscribed to " + std::string(name));
  if (joined_.size() >= kTopicsOwnMax)
    return fail(Errc::exhausted, "subscribed to 100 topics, which is as many as peers keep of us");
  const TopicIndex index = topics_.intern(name);
  joined_.push_back({key_of(as_bytes(name)), index});
  Topic& topic = topics_.at(index);
  topic.joined = true;
  topic.loopback = loopback;
  peers_.for_each([&](const Peer& peer) {
    if (!peer.stalled) batch_.subscription(peer.slot, *topic.name, true);
  });
  for (const host::PeerSlot slot : topic.fanout) {
    const Peer& peer = *peers_.find(slot);
    if (peer.usable(now.mono) && !topic.backoffs.holds_us(now.mono, peer.key)) graft(topic, peer);
  }
  end_fanout(topic);
  if (topic.mesh.size() < config_.degree)
    graft_some(now, topic, config_.degree - topic.mesh.size(), false);
  batch_.flush(out);
  return index;
}

void Router::unsubscribe(Now now, TopicIndex index, Effects& out) {
  Topic* topic = topics_.find(index);
  if (topic == nullptr || !topic->joined) return;
  for (const host::PeerSlot slot : topic->mesh.peers())
    prune(now, *topic, *peers_.find(slot), kBackoffUnsubscribe);
  peers_.for_each([&](const Peer& peer) {
    if (!peer.stalled) batch_.subscription(peer.slot, *topic->name, false);
  });
  topic->joined = false;
  std::erase_if(joined_, [index](const Joined& one) { return one.topic == index; });
  batch_.flush(out);
  topics_.release(index);
}

TopicIndex Router::joined(std::uint64_t name) const {
  for (const Joined& one : joined_)
    if (one.name == name) return one.topic;
  return {};
}

const Message* Router::waiting(JudgeSlot slot) const {
  const ValidationQueue::Entry* entry = queue_.find(slot);
  return entry == nullptr ? nullptr : &entry->message;
}

std::string_view Router::name(TopicIndex topic) const {
  const Topic* found = topics_.find(topic);
  return found == nullptr ? std::string_view{} : *found->name;
}

std::vector<host::PeerSlot> Router::mesh(TopicIndex topic) const {
  const Topic* found = topics_.find(topic);
  return found == nullptr ? std::vector<host::PeerSlot>{} : found->mesh.peers();
}

bool Router::in_mesh(host::PeerSlot slot) const {
  const Peer* peer = peers_.find(slot);
  return peer != nullptr &&
         std::any_of(peer->topics.begin(), peer->topics.end(), [&](TopicIndex index) {
           const Topic* topic = topics_.find(index);
           return topic->mesh.has(slot) || set_has(topic->fanout, slot);
         });
}

std::vector<host::PeerSlot> Router::subscribers(std::string_view topic) const {
  const Topic* found = topics_.find(topics_.find(topic));
  return found == nullptr ? std::vector<host::PeerSlot>{} : found->subscribers;
}

std::vector<TopicView> Router::topics() const {
  std::vector<TopicView> views;
  topics_.for_each([&](TopicIndex, const Topic& topic) {
    if (topic.joined)
      views.push_back({*topic.name, static_cast<std::uint32_t>(topic.mesh.peers().size()),
                       static_cast<std::uint32_t>(topic.subscribers.size())});
  });
  std::sort(views.begin(), views.end(),
            [](const TopicView& a, const TopicView& b) { return a.name < b.name; });
  return views;
}

}  // namespace kith::gossip
