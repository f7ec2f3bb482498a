// WireHost's peers: what identify finds out, and what the Dialer wants.
#include "net/host/wire_host.hpp"

namespace kith::host {

// --- IdentifyDriver

StreamSlot WireHost::open_on_link(LinkSlot link, ProtocolIndex protocol) {
  schedule();
  return streams_.open_on(loop_.now(), *find_link(link), protocol, {}, Priority::control);
}

Link* WireHost::link_of(StreamSlot stream) {
  const Stream* found = streams_.find(stream);
  return found == nullptr ? nullptr : found->link;
}

const PeerId* WireHost::proven_id(LinkSlot slot) const {
  const Link* link = find_link(slot);
  return link == nullptr || link->closing ? nullptr : &link->connection->remote();
}

wire::IdentifySelf WireHost::identify_self() const { return {listen_addrs(), registry_.served()}; }

std::vector<LinkSlot> WireHost::push_targets() const {
  std::vector<LinkSlot> targets;
  peers_.each_ready([&](const Peer& peer) {
    const Link* link = peer.usable_link();
    if (link != nullptr && peer.facts.speaks(wire::kIdentifyPushProtocol))
      targets.push_back(link->slot);
  });
  return targets;
}

void WireHost::learn_identified(Now now, const PeerId& id, const wire::IdentifyFacts& facts) {
  const Duration lifetime = config_.limits.connected_lifetime;
  if (facts.record)
    store_.learn_record(now, id, facts.record->sequence, facts.record->addrs, lifetime);
  if ((!facts.record || facts.record->addrs.empty()) && facts.listen_addrs)
    store_.claimed(now, id, *facts.listen_addrs, lifetime);
}

void WireHost::on_identified(Now now, LinkSlot slot, wire::IdentifyFacts facts) {
  Link* link = find_link(slot);
  if (link == nullptr || link->closing) return;
  const PeerId id = link->connection->remote();
  store_.pin(now, id);
  learn_identified(now, id, facts);
  if (link->dialler) store_.answered(now, id, link->remote, config_.limits.connected_lifetime);
  peers_.on_identified(now, *link, std::move(facts));
  DialEffects effects;
  dialer_.on_ready(now, id, link->peer, std::exchange(link->attempt, {}), effects);
  apply(now, effects);
  schedule();
}

void WireHost::on_identify_failed(Now now, LinkSlot slot, Error error) {
  Link* link = find_link(slot);
  if (link != nullptr && !link->closing) lose(now, *link, error);
}

bool WireHost::take_push(Now now, LinkSlot slot) {
  const Link* link = find_link(slot);
  Peer* peer = link == nullptr ? nullptr : peers_.find(link->peer);
  return peer != nullptr && peers_.take_push(now, *peer);
}

void WireHost::on_pushed(Now now, LinkSlot slot, wire::IdentifyFacts facts) {
  Link* link = find_link(slot);
  if (link == nullptr || link->closing) return;
  learn_identified(now, link->connection->remote(), facts);
  peers_.on_push(*link, std::move(facts));
}

// --- dialling

void WireHost::apply(Now now, DialEffects& effects) {
  for (DialEffect& effect : effects) {
    if (const auto* start = std::get_if<DialStart>(&effect)) {
      start_dial(now, *start);
    } else if (const auto* aborted = std::get_if<DialAbort>(&effect)) {
      Link* link = find_link(by_attempt_[aborted->attempt.index]);
      if (link == nullptr || link->attempt != aborted->attempt) continue;
      link->attempt = {};
      lose(now, *link, fail(Errc::cancelled, "no longer needed"));
    } else if (auto* answer = std::get_if<DialAnswer>(&effect)) {
      turn_.push(std::move(*answer));
    }
  }
  loop_.arm(dial_alarm_, dialer_.next_deadline());
  schedule();
}

void WireHost::start_dial(Now now, const DialStart& start) {
  auto ticket = admission_.outbound();
  if (!ticket) {
    DialEffects effects;
    dialer_.on_failed(now, start.attempt, fail(Errc::exhausted, "too many connections"), effects);
    return apply(now, effects);
  }
  Link& link = add_link(transport_.dial(start.addr), std::move(*ticket), start.addr);
  link.attempt = start.attempt;
  link.expected = start.expected;
  if (start.attempt.index >= by_attempt_.size()) by_attempt_.resize(start.attempt.index + 1);
  by_attempt_[start.attempt.index] = link.slot;
  update_door();
}

void WireHost::on_dial_alarm(Now now) {
  DialEffects effects;
  dialer_.on_tick(now, effects);
  apply(now, effects);
  deliver(now);
}

}  // namespace kith::host
