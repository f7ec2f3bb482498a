#include "services/node/peer_requests.hpp"

namespace kith::node {

PeerRequests::PeerRequests(host::Host& host, dht::Reach& reach, host::PingService& ping, Echo& echo,
                           RequestTable& requests)
    : host_(host), reach_(reach), ping_(ping), echo_(echo), requests_(requests) {}

void PeerRequests::reach(RequestId request, const PeerId& id, const Multiaddr& addr, Then then) {
  PeerId target = id;
  std::vector<Multiaddr> addrs;
  if (!addr.empty()) {
    if (auto named = addr.peer_id()) target = *named;
    addrs.push_back(addr.without_peer_id());
  }
  connecting_[reach_.start(target, addrs, *this)] = {request, std::move(then)};
}

void PeerRequests::connect(RequestId request, const Multiaddr& addr) {
  reach(request, {}, addr, PeerConnect{addr});
}
void PeerRequests::ping(RequestId request, const PeerPing& what) {
  reach(request, what.id, what.addr, what);
}
void PeerRequests::echo(RequestId request, const PeerEcho& what) {
  reach(request, {}, what.addr, what);
}

void PeerRequests::on_reached(Now, RequestId number, Result<host::PeerSlot> peer) {
  const auto at = connecting_.find(number);
  if (at == connecting_.end()) return;
  const auto [request, then] = std::move(at->second);
  connecting_.erase(at);
  if (!peer) return requests_.done(request, peer.error());
  const host::PeerFacts* facts = host_.facts(*peer);
  if (facts == nullptr)
    return requests_.done(request, fail(Errc::closed, "the peer went away again"));
  if (std::holds_alternative<PeerConnect>(then)) {
    requests_.done(request, Answer(Connected{facts->id, facts->remote}));
  } else if (const auto* ping = std::get_if<PeerPing>(&then)) {
    pinging_[request] = {ping->count, {facts->id, 0, 0, {}, {}, {}}, {}};
    ping_.ping(request, *peer, ping->count, *this);
  } else if (const auto* echo = std::get_if<PeerEcho>(&then)) {
    echo_.start(request, *peer, echo->streams, echo->bytes);
  }
}

void PeerRequests::on_ping(Now, RequestId request, std::uint32_t number, Duration round_trip) {
  const auto at = pinging_.find(request);
  if (at == pinging_.end()) return;
  Pinged& told = at->second.so_far;
  told.min = told.received == 0 ? round_trip : std::min(told.min, round_trip);
  told.max = std::max(told.max, round_trip);
  ++told.received;
  at->second.sum += round_trip;
  requests_.progress(request, PingReply{number, round_trip});
}

void PeerRequests::on_ping_done(Now, RequestId request, Result<void> result) {
  const auto at = pinging_.find(request);
  if (at == pinging_.end()) return;
  Pinging done = std::move(at->second);
  pinging_.erase(at);
  if (!result) return requests_.done(request, result.error());
  done.so_far.sent = done.count;
  if (done.so_far.received > 0) done.so_far.mean = done.sum / done.so_far.received;
  requests_.done(request, Answer(done.so_far));
}

void PeerRequests::abandon(RequestId request) {
  std::erase_if(connecting_, [&](const auto& one) {
    if (one.second.request != request) return false;
    reach_.cancel(one.first);
    return true;
  });
  if (pinging_.erase(request) != 0) ping_.cancel(request);
  echo_.abandon(request);
}

}  // namespace kith::node
