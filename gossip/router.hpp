// Router: gossipsub v1.1 without scores (libp2p/specs pubsub/gossipsub), as a pure state machine.
//
// The life of a message: its RPC is decoded, and each message goes through checks that get
// dearer: fields and sizes, topic, whether it was seen, room in the bounded queue, then Verify
// (signature) and Judge (the topic's handler). Only after `accept` it is kept for IWANT,
// delivered, and sent on to the mesh, in the bytes in which it came, one buffer for all.
//
// Where this departs from the specification, or chooses within it
// * Seen means verified: a forgery does not suppress the message whose id it carries.
// * GRAFT for a topic that is not ours, or to which the peer did not subscribe, is ignored
//   without an answer (as go does; CVE-2026-95859 is what keeping state for it leads to).
// * A peer that subscribes is grafted at once while the mesh is below degree_low, as rust does.
// * Own messages go to all subscribers up to kFloodPublishBytesMax; larger ones to the mesh, or
//   to the fanout of a topic that is not ours.
// * Peers in PRUNE are not used and not sent.
// * A peer whose stream is full leaves the meshes until it reads again; then it is told anew what
//   we subscribe to.
// * Instead of scores: a peer that is to blame for bad messages is ignored for a while
//   (config.hpp).
//
// Bounds: config.hpp. Attacker: any peer, in any number; the work for one RPC is linear in its
// length, and of a peer that sends bad signatures three are verified before it is ignored.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "gossip/control_batch.hpp"
#include "gossip/counters.hpp"
#include "gossip/effects.hpp"
#include "gossip/message_cache.hpp"
#include "gossip/outlines.hpp"
#include "gossip/peers.hpp"
#include "gossip/seen_cache.hpp"
#include "gossip/topics.hpp"
#include "gossip/validation_queue.hpp"
#include "net/crypto/siphash.hpp"

namespace kith::gossip {

class Router {
 public:
  // `outlines`: of the simulation, if it is one; then also the secret of our tables is theirs.
  Router(RouterConfig config, Rng rng, std::shared_ptr<Outlines> outlines = nullptr);

  // Says hello with all our subscriptions, so that they come before any GRAFT.
  void on_peer_ready(Now now, host::PeerSlot slot, const PeerTraits& traits, Effects& out);
  void on_peer_gone(Now now, host::PeerSlot slot);
  void on_rpc(Now now, host::PeerSlot slot, const Bytes& rpc, Effects& out);
  // The stream to the peer could not take an RPC; it can again.
  void on_send_refused(Now now, host::PeerSlot slot);
  void on_writable(Now now, host::PeerSlot slot, Effects& out);
  // RPCs on their way were lost with a stream; the next one opens another.
  void on_stream_lost(Now now, host::PeerSlot slot, Effects& out);

  void on_verified(Now now, JudgeSlot slot, bool valid, Effects& out);
  void settle(Now now, JudgeSlot slot, Verdict verdict, Effects& out);

  // Errors: in_use, malformed (empty or longer than kGossipTopicBytesMax), exhausted
  // (kTopicsOwnMax).
  Result<TopicIndex> subscribe(Now now, std::string_view topic, bool loopback, Effects& out);
  void unsubscribe(Now now, TopicIndex topic, Effects& out);
  // `message` as make_message gives it, of what check_publish let through.
  void publish(Now now, std::string_view topic, Message message, Effects& out);

  void on_tick(Now now, Effects& out);
  Mono next_deadline() const { return next_heartbeat_; }

  // The message behind a Verify or Judge that still waits; null: settled, or its time is over.
  const Message* waiting(JudgeSlot slot) const;
  std::string_view name(TopicIndex topic) const;  // empty: stale
  std::vector<host::PeerSlot> mesh(TopicIndex topic) const;
  bool in_mesh(host::PeerSlot peer) const;  // of any topic
  std::vector<host::PeerSlot> subscribers(std::string_view topic) const;
  std::vector<TopicView> topics() const;  // ours, by name
  const Counters& counters() const { return counters_; }

 private:
  std::uint64_t key_of(ByteView id) const { return hash_(id); }
  void wake(Now now);
  TopicIndex joined(std::uint64_t name) const;  // by the name's keyed hash; no index: not ours

  // router.cpp
  void hello(const Peer& peer);
  void leave_meshes(Peer& peer);
  void blame(Now now, Peer& peer, std::uint32_t points);
  void on_subscription(Now now, Peer& peer, const libp2p::GossipSubscription& entry);
  void drop_subscription(Peer& peer, TopicIndex index);

  // router_messages.cpp
  void on_published(Now now, Peer& peer, const Bytes& rpc, ByteView encoded, Effects& out);
  // The way of a well-formed message until it is verified. `topic()` gives where it belongs and
  // `receive()` the message, with its keys. No slot: not taken.
  template <class Topic, class Receive>
  std::optional<JudgeSlot> consider(const Peer& peer, ByteView from, std::uint64_t key,
                                    Topic&& topic, Receive&& receive);
  void on_outline(Now now, const Peer& peer, const MessageOutline& outline, Effects& out);
  bool is_own(ByteView from) const;
  bool is_duplicate(host::PeerSlot from, std::uint64_t key);
  void accept(Now now, ValidationQueue::Entry entry, Effects& out);
  void forward(Now now, const ValidationQueue::Entry& entry, const Topic& topic, Effects& out);
  std::vector<host::PeerSlot> audience(Now now, TopicIndex index, std::size_t bytes);
  void start_fanout(Now now, Topic& topic);
  void fill_fanout(Now now, Topic& topic);
  void end_fanout(Topic& topic);

  // router_control.cpp
  void on_ihave(Peer& peer, const libp2p::GossipRpc& rpc);
  void on_outline(Peer& peer, const OfferOutline& outline);
  bool listens_to_offers(Peer& peer);
  // How many ids of an offer of the peer we look at.
  std::size_t heard_of(Peer& peer, const libp2p::GossipIHave& offer);
  void want_of(Peer& peer, const libp2p::GossipIds& ids, std::size_t count);  // the first `count`
  void want(Peer& peer, ByteView id, std::uint64_t key);
  void on_iwant(Peer& peer, const libp2p::GossipRpc& rpc, Effects& out);
  void on_graft(Now now, Peer& peer, std::string_view name);
  void on_prune(Now now, Peer& peer, const libp2p::GossipPrune& entry);
  void graft(Topic& topic, const Peer& peer);
  void prune(Now now, Topic& topic, const Peer& peer, Duration backoff);

  // router_heartbeat.cpp
  void heartbeat(Now now);
  void keep_mesh(Now now, Topic& topic);
  void keep_fanout(Now now, Topic& topic);
  void offer(Now now, TopicIndex index, const Topic& topic);
  // Subscribers of the topic that may come into its mesh.
  std::vector<host::PeerSlot> candidates(Now now, const Topic& topic, bool outbound_only);
  void graft_some(Now now, Topic& topic, std::size_t count, bool outbound_only);
  void choose(std::vector<host::PeerSlot>& from, std::size_t count);

  RouterConfig config_;
  std::uint64_t self_tail_;  // the end of our id: nearly all others differ there already
  Rng rng_;
  std::shared_ptr<Outlines> outlines_;
  crypto::SipHash hash_;
  Peers peers_;
  Topics topics_;
  // Ours, by the keyed hash of their names: what a message's topic is looked up in.
  struct Joined {
    std::uint64_t name = 0;
    TopicIndex topic;
  };
  std::vector<Joined> joined_;
  std::size_t fanouts_ = 0;
  std::size_t floodsub_peers_ = 0;
  SeenCache seen_;
  MessageCache cache_;
  ValidationQueue queue_;
  // Ids that were asked for since the last heartbeat, and of how many peers.
  std::unordered_map<std::uint64_t, std::uint8_t, HashedKey> asked_;
  ControlBatch batch_;
  Mono next_heartbeat_ = kNever;
  Counters counters_;
};

}  // namespace kith::gossip
