#include "net/host/peer_table.hpp"

#include <algorithm>

namespace kith::host {

Link* Peer::usable_link() const {
  for (Link* link : links)
    if (link->usable()) return link;
  return nullptr;
}

Peer* PeerTable::on_secured(Now now, Link& link, const PeerId& id) {
  auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    const PeerSlot slot = peers_.insert(std::make_unique<Peer>());
    Peer& made = *peers_.at(slot);
    made.slot = slot;
    made.facts.id = id;
    made.facts.remote = link.remote.with_peer_id(id);
    made.facts.outbound = link.dialler;
    made.since = now.mono;
    made.pushes_left = limits_.pushes_burst;
    made.pushes_filled = now.mono;
    found = by_id_.emplace(id, &made).first;
  }
  Peer& peer = *found->second;
  if (peer.links.size() >= limits_.connections_per_peer_max) return nullptr;
  peer.links.push_back(&link);
  link.peer = peer.slot;
  return &peer;
}

void PeerTable::take_facts(Peer& peer) {
  const auto& known = peer.known;
  peer.facts.agent = known.agent.value_or(std::string());
  peer.facts.protocols = host::ProtocolList(known.protocols.value_or(std::vector<std::string>()));
  const auto addrs = known.addrs();
  peer.facts.listen_addrs.assign(
      addrs.begin(),
      addrs.begin() + static_cast<std::ptrdiff_t>(std::min(addrs.size(), kListenAddrsMax)));
}

void PeerTable::on_identified(Now now, Link& link, wire::IdentifyFacts facts) {
  link.identified = true;
  link.identify_deadline = kNever;
  Peer* peer = find(link.peer);
  if (peer == nullptr) return;
  const auto protocols_before = peer->facts.protocols;
  const auto addrs_before = peer->facts.listen_addrs;
  wire::merge_identify(peer->known, std::move(facts));
  take_facts(*peer);
  if (peer->ready) {
    if (peer->facts.protocols != protocols_before || peer->facts.listen_addrs != addrs_before)
      turn_.push(PeerChanged{peer->slot});
    return;
  }
  peer->ready = true;
  peer->since = now.mono;
  turn_.push(PeerReady{peer->slot});
  unpark(*peer);
}

void PeerTable::on_push(Link& link, wire::IdentifyFacts facts) {
  Peer* peer = find(link.peer);
  if (peer == nullptr) return;
  wire::merge_identify(peer->known, std::move(facts));
  if (!peer->ready) return;  // its identify will tell
  take_facts(*peer);
  turn_.push(PeerChanged{peer->slot});
}

bool PeerTable::take_push(Now now, Peer& peer) {
  const auto earned = (now.mono - peer.pushes_filled) / limits_.push_interval;
  if (earned > 0) {
    peer.pushes_left = static_cast<std::uint32_t>(
        std::min<std::int64_t>(earned + peer.pushes_left, limits_.pushes_burst));
    peer.pushes_filled = now.mono;
  }
  if (peer.pushes_left == 0) return false;
  --peer.pushes_left;
  return true;
}

void PeerTable::unpark(Peer& peer) {
  for (HostEvent& event : peer.parked) turn_.push(std::move(event));
  peer.parked.clear();
  budget_.give(std::exchange(peer.parked_bytes, 0));
}

bool PeerTable::on_link_lost(Link& link) {
  Peer* peer = find(link.peer);
  if (peer == nullptr) return false;
  peer->bytes_in += link.bytes_in;
  peer->bytes_out += link.bytes_out;
  if (std::erase(peer->links, &link) == 0 || !peer->links.empty()) return false;
  by_id_.erase(peer->facts.id);
  if (!peer->ready) {
    erase(peer->slot);
    return true;
  }
  peer->gone = true;
  turn_.push(PeerGone{peer->slot});
  return true;
}

void PeerTable::erase(PeerSlot slot) {
  if (Peer* peer = find(slot)) budget_.give(peer->parked_bytes);
  peers_.erase(slot);
}

Peer* PeerTable::find(PeerSlot slot) {
  auto* found = peers_.find(slot);
  return found == nullptr ? nullptr : found->get();
}
const Peer* PeerTable::find(PeerSlot slot) const {
  const auto* found = peers_.find(slot);
  return found == nullptr ? nullptr : found->get();
}

Peer* PeerTable::find_ready(const PeerId& id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() && found->second->ready ? found->second : nullptr;
}

std::vector<PeerStatus> PeerTable::status() const {
  std::vector<PeerStatus> all;
  peers_.for_each([&](PeerSlot slot, const std::unique_ptr<Peer>& peer) {
    if (!peer->ready || peer->gone) return;
    PeerStatus status{slot, peer->facts, peer->bytes_in, peer->bytes_out, {}, peer->since};
    for (const Link* link : peer->links) {
      status.bytes_in += link->bytes_in;
      status.bytes_out += link->bytes_out;
      if (status.round_trip == Duration::zero() && link->connection->is_open())
        status.round_trip = link->connection->mux().round_trip();
    }
    all.push_back(std::move(status));
  });
  return all;
}

std::vector<Multiaddr> PeerTable::observed() const {
  std::vector<Multiaddr> seen;
  peers_.for_each([&](PeerSlot, const std::unique_ptr<Peer>& peer) {
    const auto& addr = peer->known.observed;
    if (peer->ready && !peer->gone && addr && !addr->empty() &&
        std::find(seen.begin(), seen.end(), *addr) == seen.end())
      seen.push_back(*addr);
  });
  return seen;
}

}  // namespace kith::host
