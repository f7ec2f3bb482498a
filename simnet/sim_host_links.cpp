// SimHost: connections, from the first hop to the last word, and the peers behind them.
#include <algorithm>

#include "simnet/sim_host.hpp"

namespace kith::simnet {

using host::AttemptSlot;
using host::PeerSlot;

// ---- dialling

void SimHost::on_alarm(Now now) {
  host::DialEffects effects;
  dialer_.on_tick(now, effects);
  apply(effects);
}

void SimHost::apply(host::DialEffects& effects) {
  // What the effects lead to may add to them.
  for (std::size_t i = 0; i < effects.size(); ++i) {
    host::DialEffect effect = std::move(effects[i]);
    if (const auto* start = std::get_if<host::DialStart>(&effect)) {
      start_dial(*start);
    } else if (const auto* abort = std::get_if<host::DialAbort>(&effect)) {
      const auto found = attempts_.find(abort->attempt);
      if (found == attempts_.end()) continue;
      const SimLinkRef ref = found->second;
      attempts_.erase(found);
      hosts_.find(ref)->attempt = {};
      lose(ref, fail(Errc::cancelled, "not needed any more"));
    } else {
      emit(std::get<host::DialAnswer>(std::move(effect)));
    }
  }
  loop_.arm(*this, dialer_.next_deadline());
}

void SimHost::start_dial(const host::DialStart& start) {
  auto ticket = admission_.outbound();
  if (!ticket) {
    host::DialEffects effects;
    dialer_.on_failed(loop_.now(), start.attempt,
                      fail(Errc::exhausted, "too many connections on this node"), effects);
    return apply(effects);
  }
  const SimLinkRef ref = hosts_.dial(*this, node_, start.addr);
  SimLink::Side& side = *hosts_.find(ref);
  side.ticket = std::move(*ticket);
  side.attempt = start.attempt;
  side.expected = start.expected;
  attempts_.emplace(start.attempt, ref);
  links_.push_back(ref);
  hosts_.schedule_deadline(ref, config_.limits.handshake_deadline);
}

void SimHost::on_deadline(SimLinkRef ref) {
  if (!hosts_.find(ref)->identified) lose(ref, fail(Errc::timeout, "the handshake took too long"));
}

// ---- the hops

// What nearly all frames are: a whole message, with nothing before it.
bool SimHost::deliver_at_once(SimLink::Side& side, Frame& frame) {
  if (frame.kind != FrameKind::data || frame.raw || !frame.last || events_read_ < events_.size())
    return false;
  const host::StreamSlot slot = side.numbers.find(frame.stream);
  if (!slot) return true;  // we reset it
  Stream& stream = streams_.at(slot);
  if (!stream.messages || stream.assembler || frame.whole > stream.message_max) return false;
  consume(stream, frame.payload);
  if (!stream.muted) stream.handler->on_message(loop_.now(), slot, std::move(frame.data));
  return true;
}

void SimHost::on_frame(SimLinkRef ref, SimLink::Side& side, Frame& frame) {
  // Events wait until the frame is dealt with; then they come in this very event of the World.
  delivering_ = true;
  if (deliver_at_once(side, frame)) {
    delivering_ = false;
    if (events_read_ < events_.size()) deliver_all();
    return;
  }
  switch (frame.kind) {
    case FrameKind::hop:
      on_hop(ref, side, frame);
      break;
    case FrameKind::refused:
    case FrameKind::bye:
      side.bye_sent = true;  // they know
      lose(ref, frame.kind == FrameKind::bye ? fail(Errc::closed, "the peer ended the connection")
                                             : fail(Errc::connection, "connection refused"));
      break;
    case FrameKind::facts:
      if (Peer* peer = peers_.find(side.peer); peer != nullptr && take_push(*peer)) {
        take_facts(*peer, *frame.facts);
        store_.claimed(loop_.now(), peer->facts.id, frame.facts->listen_addrs,
                       config_.limits.connected_lifetime);
        emit(host::PeerChanged{side.peer});
      }
      break;
    default:
      on_stream_frame(ref, side, frame);
  }
  delivering_ = false;
  deliver_all();
}

void SimHost::send_hop(SimLinkRef ref, SimLink::Side& side, std::uint8_t hop) {
  Frame frame;
  frame.kind = FrameKind::hop;
  frame.hop = hop;
  frame.bytes = kHopBytes[hop];
  if (hop >= 4) frame.facts = own_facts();  // who we are; from 6 on, all of it
  side.last_hop = loop_.now().mono;
  hosts_.push(ref, std::move(frame));
}

void SimHost::on_hop(SimLinkRef ref, SimLink::Side& side, const Frame& frame) {
  switch (frame.hop) {
    case 1:
      return on_syn(ref, side);
    case 2:
      return send_hop(ref, side, 3);
    case 3:
      return send_hop(ref, side, 4);
    case 4:  // the dialler knows whom it reached
    case 5:  // the listener knows who came
      side.round_trip = loop_.now().mono - side.last_hop;
      if (!side.expected.empty() && side.expected != frame.facts->id)
        return lose(ref, fail(Errc::identity, "another peer than dialled",
                              "it is " + frame.facts->id.text()));
      side.expected = frame.facts->id;  // the one that everybody shares
      if (on_secured(ref, side)) send_hop(ref, side, static_cast<std::uint8_t>(frame.hop + 1));
      return;
    case 6:
      send_hop(ref, side, 7);
      return on_facts(ref, side, frame);
    default:
      return on_facts(ref, side, frame);
  }
}

void SimHost::on_syn(SimLinkRef ref, SimLink::Side& side) {
  const auto local = hosts_.net().admit(node_, side.local, side.remote);
  if (!local) return;  // the dialler hears nothing
  std::optional<host::Admission::Ticket> ticket;
  if (!stopped_ && hosts_.net().draw_accept(node_, *local))
    ticket = admission_.inbound(side.remote);
  if (!ticket) {
    Frame no;
    no.kind = FrameKind::refused;
    side.bye_sent = true;
    return hosts_.push(ref, std::move(no));
  }
  side.host = this;
  side.ticket = std::move(*ticket);
  links_.push_back(ref);
  hosts_.schedule_deadline(ref, config_.limits.handshake_deadline);
  send_hop(ref, side, 2);
}

bool SimHost::on_secured(SimLinkRef ref, SimLink::Side& side) {
  const PeerId id = side.expected;
  if (id == self()) {
    lose(ref, fail(Errc::refused, "this is our own address"));
    return false;
  }
  admission_.authenticated(side.ticket);
  auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    Peer made;
    made.facts.id = id;
    made.facts.remote = side.remote.with_peer_id(id);
    made.facts.outbound = ref.side == 0;
    made.pushes_left = config_.limits.pushes_burst;
    made.pushes_filled = loop_.now().mono;
    found = by_id_.emplace(id, peers_.insert(std::move(made))).first;
  }
  Peer& peer = peers_.at(found->second);
  if (peer.links.size() >= config_.limits.connections_per_peer_max) {
    lose(ref, fail(Errc::refused, "too many connections to this peer"));
    return false;
  }
  peer.links.push_back(ref);
  side.peer = found->second;
  side.secured = true;
  if (!side.attempt) return true;
  host::DialEffects effects;
  dialer_.on_secured(loop_.now(), side.attempt, effects);
  apply(effects);
  return true;
}

void SimHost::on_facts(SimLinkRef, SimLink::Side& side, const Frame& frame) {
  const Now now = loop_.now();
  side.identified = true;
  Peer& peer = peers_.at(side.peer);
  take_facts(peer, *frame.facts);
  const PeerId id = peer.facts.id;
  const Duration lifetime = config_.limits.connected_lifetime;
  store_.pin(now, id);
  store_.claimed(now, id, frame.facts->listen_addrs, lifetime);
  if (!side.ticket.inbound) store_.answered(now, id, side.remote, lifetime);
  if (!peer.ready) {
    peer.ready = true;
    peer.since = now.mono;
    emit(host::PeerReady{side.peer});
  }
  attempts_.erase(side.attempt);
  host::DialEffects effects;
  dialer_.on_ready(now, id, side.peer, std::exchange(side.attempt, {}), effects);
  apply(effects);
}

// ---- the end

void SimHost::lose(SimLinkRef ref, const Error& error) {
  SimLink::Side* side = hosts_.find(ref);
  if (side == nullptr || side->host != this) return;
  admission_.leave(side->ticket);
  std::erase(links_, ref);
  streams_.for_each([&](host::StreamSlot slot, Stream& stream) {
    if (stream.linked && stream.link == ref) unlink(slot, stream, error);
  });
  if (side->secured) leave_peer(ref, *side);
  const AttemptSlot attempt = std::exchange(side->attempt, {});
  hosts_.end_side(ref, true);
  if (!attempt) return;
  attempts_.erase(attempt);
  host::DialEffects effects;
  dialer_.on_failed(loop_.now(), attempt, error, effects);
  apply(effects);
}

void SimHost::leave_peer(SimLinkRef ref, SimLink::Side& side) {
  Peer& peer = peers_.at(side.peer);
  std::erase(peer.links, ref);
  peer.bytes_in += side.bytes_in;
  peer.bytes_out += side.bytes_out;
  if (!peer.links.empty()) return;
  store_.unpin(loop_.now(), peer.facts.id, config_.limits.connected_lifetime);
  by_id_.erase(peer.facts.id);
  if (!peer.ready) {
    peers_.erase(side.peer);
    return;
  }
  peer.gone = true;
  emit(host::PeerGone{side.peer});
}

void SimHost::disconnect(PeerSlot slot) {
  const Peer* peer = peers_.find(slot);
  if (peer == nullptr || peer->gone) return;
  for (const SimLinkRef ref : std::vector(peer->links))
    lose(ref, fail(Errc::cancelled, "the connection was ended on this side"));
}

void SimHost::stop() {
  if (std::exchange(stopped_, true)) return;
  host::DialEffects effects;
  dialer_.stop(loop_.now(), effects);
  apply(effects);
  for (const SimLinkRef ref : std::vector(links_))
    lose(ref, fail(Errc::cancelled, "this node is stopping"));
}

// ---- what identify says

boost::intrusive_ptr<const SimFacts> SimHost::own_facts() {
  if (!facts_)
    facts_ =
        new SimFacts(self(), config_.agent, hosts_.protocols(registry_.served()), listen_addrs());
  return facts_;
}

void SimHost::take_facts(Peer& peer, const SimFacts& facts) {
  peer.facts.agent = facts.agent;
  peer.facts.protocols = facts.protocols;
  peer.facts.listen_addrs = facts.listen_addrs;
  if (peer.facts.listen_addrs.size() > host::kListenAddrsMax)
    peer.facts.listen_addrs.resize(host::kListenAddrsMax);
}

bool SimHost::take_push(Peer& peer) {
  const Mono now = loop_.now().mono;
  const auto earned = (now - peer.pushes_filled) / config_.limits.push_interval;
  if (earned > 0) {
    peer.pushes_left = static_cast<std::uint32_t>(
        std::min<std::int64_t>(earned + peer.pushes_left, config_.limits.pushes_burst));
    peer.pushes_filled = now;
  }
  if (peer.pushes_left == 0) return false;
  --peer.pushes_left;
  return true;
}

// Changes that follow each other go out as one push.
void SimHost::announce() {
  facts_.reset();
  if (push_armed_ || peers_.empty()) return;
  push_armed_ = true;
  loop_.arm(push_alarm_, later(loop_.now().mono, config_.limits.push_delay));
}

void SimHost::push_facts() {
  push_armed_ = false;
  peers_.for_each([&](PeerSlot, Peer& peer) {
    if (!peer.ready || peer.gone) return;
    Frame frame;
    frame.kind = FrameKind::facts;
    frame.bytes = kFactsBytes + kFrameHead + kNameHead;
    frame.facts = own_facts();
    hosts_.push(peer.links.front(), std::move(frame));
  });
}

}  // namespace kith::simnet
