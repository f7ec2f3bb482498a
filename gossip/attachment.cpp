#include "gossip/attachment.hpp"

namespace kith::gossip {
namespace {

constexpr std::string_view kGossipsub11 = "/meshsub/1.1.0";
constexpr std::string_view kGossipsub10 = "/meshsub/1.0.0";
constexpr std::string_view kFloodsub = "/floodsub/1.0.0";
// One, and one that replaces it before we have seen its end.
constexpr std::uint32_t kInboundStreamsMax = 2;
constexpr std::size_t kKeptEffects = 256;

host::ProtocolSpec protocol_spec() {
  host::ProtocolSpec spec;
  spec.ids = {std::string(kGossipsub11), std::string(kGossipsub10), std::string(kFloodsub)};
  spec.message_bytes_max = libp2p::kGossipRpcBytesMax;
  spec.send_queue_bytes_max = kSendQueueBytesMax;
  spec.inbound_streams_per_peer_max = kInboundStreamsMax;
  spec.lasting = true;
  return spec;
}

std::optional<PeerKind> kind_of(const host::PeerFacts& facts) {
  if (facts.speaks(kGossipsub11)) return PeerKind::gossipsub_1_1;
  if (facts.speaks(kGossipsub10)) return PeerKind::gossipsub_1_0;
  if (facts.speaks(kFloodsub)) return PeerKind::floodsub;
  return std::nullopt;
}

RouterConfig with_self(RouterConfig config, const PeerId& self) {
  config.self = self;
  return config;
}

}  // namespace

Attachment::Attachment(RouterConfig config, host::Host& host, Loop& loop,
                       const crypto::Identity& identity, Store* store, Log& log, Rng rng,
                       crypto::Signatures& signatures, std::shared_ptr<Outlines> outlines)
    : host_(host),
      loop_(loop),
      identity_(identity),
      signatures_(signatures),
      log_(log),
      router_(with_self(std::move(config), identity.id()), std::move(rng), std::move(outlines)),
      seqnos_(loop.now(), store, *this) {
  protocol_ = host_.add_protocol(protocol_spec(), *this);
  arm();
}

Attachment::~Attachment() { loop_.arm(*this, kNever); }

// Gossip.

Result<TopicIndex> Attachment::subscribe(std::string topic, TopicHandler& handler, bool loopback) {
  const Now now = loop_.now();
  KITH_TRY(const TopicIndex index, router_.subscribe(now, topic, loopback, effects_));
  handlers_.set(index, &handler);
  carry_out(now);
  return index;
}

void Attachment::unsubscribe(TopicIndex topic) {
  const Now now = loop_.now();
  handlers_.erase(topic);
  router_.unsubscribe(now, topic, effects_);
  carry_out(now);
}

void Attachment::settle(JudgeSlot message, Verdict verdict) {
  const Now now = loop_.now();
  router_.settle(now, message, verdict, effects_);
  carry_out(now);
}

Result<Bytes> Attachment::publish(std::string_view topic, Bytes data) {
  const Now now = loop_.now();
  KITH_TRY_VOID(check_publish(topic, data.size()));
  if (held_.size() >= kHeldMessagesMax)
    return fail(Errc::exhausted, "too many messages wait for the disk");
  KITH_TRY(const std::uint64_t seqno, seqnos_.take());
  Message message = make_message(identity_, seqno, topic, std::move(data));
  Bytes id = message.id;
  if (!seqnos_.may_send(seqno)) {
    held_.push_back({std::string(topic), std::move(message)});
    return id;
  }
  router_.publish(now, topic, std::move(message), effects_);
  carry_out(now);
  return id;
}

void Attachment::on_seqnos(Now now, const Error* error) {
  if (error != nullptr) {
    log_.warn("gossip.seqno", "nothing is published until this is over, and " +
                                  std::to_string(held_.size()) + " messages wait: " + error->what +
                                  (error->why.empty() ? "" : " (" + error->why + ")"));
    return arm();
  }
  for (Held& held : std::exchange(held_, {}))
    router_.publish(now, held.topic, std::move(held.message), effects_);
  carry_out(now);
}

std::vector<host::PeerSlot> Attachment::mesh(TopicIndex topic) const { return router_.mesh(topic); }

std::vector<host::PeerSlot> Attachment::subscribers(std::string_view topic) const {
  return router_.subscribers(topic);
}

std::vector<TopicView> Attachment::topics() const { return router_.topics(); }

// Peers and streams.

void Attachment::on_peer_ready(Now now, host::PeerSlot peer, const host::PeerFacts& facts) {
  const std::optional<PeerKind> kind = kind_of(facts);
  if (!kind || links_.contains(peer)) return;
  links_.set(peer, {});
  router_.on_peer_ready(now, peer, {facts.id, facts.outbound, *kind}, effects_);
  carry_out(now);
}

void Attachment::on_peer_changed(Now now, host::PeerSlot peer, const host::PeerFacts& facts) {
  if (kind_of(facts)) {
    on_peer_ready(now, peer, facts);
  } else {
    drop_link(now, peer);
  }
}

void Attachment::on_peer_gone(Now now, host::PeerSlot peer) { drop_link(now, peer); }

// Streams that are left of it end with it, or are told to.
void Attachment::drop_link(Now now, host::PeerSlot peer) {
  const Link* at = links_.find(peer);
  if (at == nullptr) return;
  const Link link = *at;
  links_.erase(peer);
  for (const host::StreamSlot stream : {link.out, link.in})
    if (stream) host_.reset(stream);
  router_.on_peer_gone(now, peer);
  carry_out(now);
}

void Attachment::on_stream(Now, host::StreamSlot stream, host::PeerSlot peer, std::string_view) {
  Link* link = links_.find(peer);
  if (link == nullptr) {
    host_.reset(stream);
    return;
  }
  const host::StreamSlot before = std::exchange(link->in, stream);
  if (before) host_.reset(before);
}

void Attachment::on_message(Now now, host::StreamSlot stream, Bytes rpc) {
  const std::optional<host::PeerSlot> peer = host_.peer_of(stream);
  const Link* link = peer ? links_.find(*peer) : nullptr;
  if (link == nullptr || link->in != stream) return;
  router_.on_rpc(now, *peer, rpc, effects_);
  carry_out(now);
}

// The end of what the peer says on its own stream ends that stream. On ours it says nothing
// anyway.
void Attachment::on_end(Now, host::StreamSlot stream) {
  host::PeerSlot peer;
  const Link* link = link_of(stream, peer);
  if (link != nullptr && link->in == stream) host_.close(stream);
}

void Attachment::on_closed(Now now, host::StreamSlot stream, const Error*) {
  host::PeerSlot peer;
  Link* link = link_of(stream, peer);
  if (link == nullptr) return;
  if (link->in == stream) link->in = {};
  if (link->out == stream) on_out_lost(now, peer, *link);
}

// A stream that has ended is not the host's any more when we hear of it, so it is looked for here.
Attachment::Link* Attachment::link_of(host::StreamSlot stream, host::PeerSlot& peer) {
  Link* found = nullptr;
  links_.for_each([&](host::PeerSlot slot, Link& link) {
    if (link.in != stream && link.out != stream) return;
    found = &link;
    peer = slot;
  });
  return found;
}

void Attachment::on_out_lost(Now now, host::PeerSlot peer, Link& link) {
  link.out = {};
  if (!link.died || now.mono - *link.died >= kReopenTime) {
    link.died = now.mono;
    link.reopened = 0;
  }
  if (link.reopened++ == kReopensMax) return drop_link(now, peer);
  router_.on_stream_lost(now, peer, effects_);
  carry_out(now);
}

void Attachment::on_writable(Now now, host::StreamSlot stream) {
  host::PeerSlot peer;
  if (link_of(stream, peer) == nullptr) return;
  router_.on_writable(now, peer, effects_);
  carry_out(now);
}

void Attachment::on_send_refused(Now now, host::StreamSlot stream, std::uint64_t) {
  host::PeerSlot peer;
  if (link_of(stream, peer) == nullptr) return;
  router_.on_send_refused(now, peer);
  carry_out(now);
}

void Attachment::on_alarm(Now now) {
  armed_ = kNever;
  seqnos_.on_tick(now);
  if (router_.next_deadline() <= now.mono) router_.on_tick(now, effects_);
  carry_out(now);
}

// Effects.

void Attachment::carry_out(Now now) {
  if (carrying_out_) return;
  if (effects_.empty()) return arm();
  carrying_out_ = true;
  thread_local Effects spare;  // the memory is the thread's
  Effects batch = std::exchange(spare, {});
  while (!effects_.empty()) {  // what one brings about comes after all others
    batch.swap(effects_);
    for (Effect& effect : batch) std::visit([&](auto& what) { perform(now, what); }, effect);
    batch.clear();
  }
  if (batch.capacity() < effects_.capacity()) batch.swap(effects_);
  effects_ = {};
  if (batch.capacity() <= kKeptEffects) spare = std::move(batch);
  carrying_out_ = false;
  arm();
}

void Attachment::arm() {
  const Mono next = std::min(router_.next_deadline(), seqnos_.next_deadline());
  if (std::exchange(armed_, next) != next) loop_.arm(*this, armed_);
}

void Attachment::perform(Now, SendRpc& effect) {
  Link* link = links_.find(effect.to);
  if (link == nullptr) return;
  host::StreamSlot& out = link->out;
  if (out) {
    host_.send(out, std::move(effect.rpc), effect.priority);
  } else {
    out = host_.open(effect.to, protocol_, std::move(effect.rpc), effect.priority);
  }
}

void Attachment::perform(Now now, Verify& effect) {
  if (router_.waiting(effect.message) == nullptr) return;
  router_.on_verified(now, effect.message, verify(effect.part, signatures_), effects_);
}

void Attachment::perform(Now now, Judge& effect) {
  const Message* waiting = router_.waiting(effect.message);
  if (waiting == nullptr) return;
  TopicHandler* judge = handler(effect.topic);
  Verdict verdict = Verdict::ignore;
  if (judge != nullptr) {
    const GossipMessage message = *waiting;  // which a judge may settle before it returns
    verdict = judge->on_judge(now, effect.topic, effect.message, message);
  }
  router_.settle(now, effect.message, verdict, effects_);
}

void Attachment::perform(Now now, Deliver& effect) {
  TopicHandler* to = handler(effect.message.topic);
  if (to != nullptr) to->on_message(now, effect.message.topic, effect.message);
}

TopicHandler* Attachment::handler(TopicIndex topic) const {
  TopicHandler* const* found = handlers_.find(topic);
  return found == nullptr ? nullptr : *found;
}

}  // namespace kith::gossip
