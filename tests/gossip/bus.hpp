// Bus: many routers joined by links with latency, in virtual time. Links come and go; what is
// under way on a link that goes is lost, as RPCs on a broken connection are. Judges may think for
// a while.
//
// It checks as it runs: a node delivers a message once at most, and hands it to nobody before its
// own judge accepted it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "gossip/router.hpp"
#include "tests/gossip/harness.hpp"

namespace kith::gossip {

class Bus {
 public:
  Bus(std::size_t nodes, std::uint64_t seed, RouterConfig config = {}) : rng_(seed) {
    for (std::size_t i = 0; i < nodes; ++i) {
      crypto::Identity identity = identity_of(i);
      config.self = identity.id();
      nodes_.push_back({std::move(identity), Router(config, rng_.fork("router", i)), {}, {}, {}});
    }
  }

  Now now{Mono(10s), Wall(std::chrono::seconds(1'800'000'000))};
  Duration judge_time_max{};  // a judge answers within it
  std::size_t size() const { return nodes_.size(); }
  Router& router(std::size_t node) { return nodes_[node].router; }
  const std::set<std::string>& heard(std::size_t node) const { return nodes_[node].heard; }
  std::uint64_t trace() const { return trace_; }

  void subscribe(std::size_t node, std::string_view topic) {
    ASSERT_TRUE(nodes_[node].router.subscribe(now, topic, false, nodes_[node].out));
    carry_out(node);
  }
  void publish(std::size_t node, std::string_view topic, std::string data) {
    Node& from = nodes_[node];
    Message message = make_message(from.identity, ++seqno_, topic, Bytes::adopt(std::move(data)));
    from.accepted.insert(message.id);
    from.router.publish(now, topic, std::move(message), from.out);
    carry_out(node);
  }
  bool linked(std::size_t a, std::size_t b) const { return links_.contains(std::minmax(a, b)); }
  // `a` dialled.
  void link(std::size_t a, std::size_t b) {
    if (a == b || linked(a, b)) return;
    const std::uint32_t generation = ++generations_;
    const Duration latency = 5ms + std::chrono::milliseconds(rng_.below(100));
    links_[std::minmax(a, b)] = {generation, latency};
    nodes_[a].router.on_peer_ready(now, slot(b, generation), traits(b, true), nodes_[a].out);
    nodes_[b].router.on_peer_ready(now, slot(a, generation), traits(a, false), nodes_[b].out);
    carry_out(a);
    carry_out(b);
  }
  void unlink(std::size_t a, std::size_t b) {
    const auto at = links_.find(std::minmax(a, b));
    if (at == links_.end()) return;
    nodes_[a].router.on_peer_gone(now, slot(b, at->second.generation));
    nodes_[b].router.on_peer_gone(now, slot(a, at->second.generation));
    links_.erase(at);
  }
  // A ring, and each node with `extra` further links to anybody.
  void connect_at_random(std::size_t extra) {
    for (std::size_t i = 0; i < size(); ++i) link(i, (i + 1) % size());
    for (std::size_t i = 0; i < size(); ++i)
      for (std::size_t k = 0; k < extra; ++k) link(i, rng_.below(size()));
  }
  // Takes one link that is not of the ring away, or makes one.
  void churn() {
    const std::size_t a = rng_.below(size());
    const std::size_t b = rng_.below(size());
    const bool ring = (a + 1) % size() == b || (b + 1) % size() == a;
    if (ring || a == b) return;
    linked(a, b) ? unlink(a, b) : link(a, b);
  }
  void run(Duration time) {
    const Mono end = now.mono + time;
    for (;;) {
      const Mono next = std::min(events_.empty() ? kNever : events_.top().at, next_tick());
      if (next > end) break;
      step_to(next);
      tick();
      while (!events_.empty() && events_.top().at <= now.mono) {
        const Event event = events_.top();
        events_.pop();
        perform(event);
      }
    }
    step_to(end);
  }

  struct Link {
    std::uint32_t generation = 0;
    Duration latency{};
  };
  const std::map<std::pair<std::size_t, std::size_t>, Link>& links() const { return links_; }
  // Peers that the node has in its mesh, as nodes.
  std::set<std::size_t> mesh(std::size_t node, std::string_view topic) {
    Effects none;
    std::set<std::size_t> peers;
    for (const PeerSlot peer : nodes_[node].router.mesh(index_of(node, topic)))
      peers.insert(peer.index);
    return peers;
  }

 private:
  struct Node {
    crypto::Identity identity;
    Router router;
    Effects out;
    std::set<std::string> heard;
    std::set<Bytes> accepted;  // ids
  };
  struct Event {
    Mono at;
    std::uint64_t order = 0;
    std::size_t to = 0;
    PeerSlot from;  // an RPC of this peer, or
    Bytes rpc;
    JudgeSlot judged;                           // the end of the judge's thoughts
    bool operator<(const Event& other) const {  // the earliest on top
      return std::tie(other.at, other.order) < std::tie(at, order);
    }
  };

  static PeerSlot slot(std::size_t node, std::uint32_t generation) {
    return {static_cast<std::uint32_t>(node), generation};
  }
  PeerTraits traits(std::size_t node, bool outbound) const {
    return {nodes_[node].identity.id(), outbound, PeerKind::gossipsub_1_1};
  }
  TopicIndex index_of(std::size_t node, std::string_view topic) {
    // The router finds topics by name for its front only; ask each index.
    for (std::uint32_t i = 0; i < 16; ++i)
      if (nodes_[node].router.name({i, 0}) == topic) return {i, 0};
    return {};
  }
  Mono next_tick() const {
    Mono next = kNever;
    for (const Node& node : nodes_) next = std::min(next, node.router.next_deadline());
    return next;
  }
  void step_to(Mono at) {
    if (at <= now.mono) return;
    now.wall += at - now.mono;
    now.mono = at;
  }
  void tick() {
    for (std::size_t i = 0; i < size(); ++i) {
      if (nodes_[i].router.next_deadline() > now.mono) continue;
      nodes_[i].router.on_tick(now, nodes_[i].out);
      carry_out(i);
    }
  }
  void push(Event event) {
    event.order = ++orders_;
    events_.push(std::move(event));
  }
  void perform(const Event& event) {
    Node& node = nodes_[event.to];
    if (event.judged) {
      settle(event.to, event.judged, Verdict::accept);
    } else {
      const auto at = links_.find(std::minmax<std::size_t>(event.to, event.from.index));
      if (at == links_.end() || at->second.generation != event.from.generation) return;
      trace_ = (trace_ ^ event.rpc.size() ^ event.to << 32) * 0x9e3779b97f4a7c15;
      node.router.on_rpc(now, event.from, event.rpc, node.out);
    }
    carry_out(event.to);
  }
  void settle(std::size_t node, JudgeSlot judged, Verdict verdict) {
    if (const Message* message = nodes_[node].router.waiting(judged); message != nullptr) {
      if (verdict == Verdict::accept) nodes_[node].accepted.insert(message->id);
      nodes_[node].router.settle(now, judged, verdict, nodes_[node].out);
    }
  }
  void carry_out(std::size_t index) {
    Node& node = nodes_[index];
    for (std::size_t i = 0; i < node.out.size(); ++i) {
      Effect effect = std::move(node.out[i]);
      if (auto* send = std::get_if<SendRpc>(&effect)) {
        transmit(index, *send);
      } else if (auto* check = std::get_if<Verify>(&effect)) {
        node.router.on_verified(now, check->message, verify(check->part), node.out);
      } else if (auto* ask = std::get_if<Judge>(&effect)) {
        judge(index, ask->message);
      } else {
        const Message& message = std::get<Deliver>(effect).message;
        EXPECT_TRUE(node.heard.insert(std::string(message.data.text())).second)
            << "node " << index << " heard " << message.data.text() << " twice";
      }
    }
    node.out.clear();
  }
  void judge(std::size_t index, JudgeSlot message) {
    if (judge_time_max == Duration{} || rng_.below(2) == 0)
      return settle(index, message, Verdict::accept);
    settle(index, message, Verdict::pending);
    const auto within = static_cast<std::uint64_t>(judge_time_max.count());
    push({now.mono + Duration(rng_.below(within)), 0, index, {}, {}, message});
  }
  void transmit(std::size_t from, const SendRpc& send) {
    const auto at = links_.find(std::minmax<std::size_t>(from, send.to.index));
    if (at == links_.end() || at->second.generation != send.to.generation) return;
    libp2p::GossipRpc rpc;
    ASSERT_TRUE(libp2p::decode_gossip_rpc(send.rpc, rpc));
    for (const ByteView encoded : rpc.publish) {
      const auto fields = libp2p::decode_gossip_message(encoded);
      EXPECT_TRUE(nodes_[from].accepted.contains(message_id(*fields->from, *fields->seqno)))
          << "node " << from << " sent what its judge had not accepted";
    }
    push({now.mono + at->second.latency,
          0,
          send.to.index,
          slot(from, at->second.generation),
          send.rpc,
          {}});
  }

  Rng rng_;
  std::vector<Node> nodes_;
  std::map<std::pair<std::size_t, std::size_t>, Link> links_;
  std::priority_queue<Event> events_;
  std::uint32_t generations_ = 0;
  std::uint64_t orders_ = 0;
  std::uint64_t seqno_ = 0;
  std::uint64_t trace_ = 0;
};

}  // namespace kith::gossip
