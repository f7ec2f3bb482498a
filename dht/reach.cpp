#include "dht/reach.hpp"

namespace kith::dht {
namespace {

// Beside what others ask of Routing: the node's users from 1, scenarios from 2^61, R1FS from 2^62.
constexpr std::uint64_t kFirst = std::uint64_t{1} << 60;

host::ProtocolSpec spec() {
  host::ProtocolSpec none;  // only asks for connections
  none.serve = false;
  return none;
}

}  // namespace

Reach::Reach(host::Host& host, Routing& routing)
    : host_(host),
      routing_(routing),
      protocol_(host.add_protocol(spec(), *this)),
      numbers_(kFirst) {}

RequestId Reach::start(const PeerId& id, std::span<const Multiaddr> addrs, ReachSink& sink) {
  const RequestId request{numbers_++};
  asked_[request] = {id, &sink, std::nullopt};
  host_.connect(protocol_, request, id, addrs);
  return request;
}

void Reach::cancel(RequestId request) {
  const auto at = asked_.find(request);
  if (at == asked_.end()) return;
  const bool looked_up = at->second.unknown.has_value();
  asked_.erase(at);
  if (looked_up) routing_.cancel(request);
}

void Reach::on_connected(Now now, RequestId request, Result<host::PeerSlot> peer) {
  const auto at = asked_.find(request);
  if (at == asked_.end()) return;
  Asked& asked = at->second;
  if (!peer && peer.error().code == Errc::not_found && !asked.id.empty() && !asked.unknown) {
    asked.unknown = peer.error();
    return routing_.find_peer(request, asked.id, *this);
  }
  ReachSink* sink = asked.sink;
  asked_.erase(at);
  sink->on_reached(now, request, std::move(peer));
}

void Reach::on_routing_done(Now now, RequestId request, Result<RoutingAnswer> answer) {
  const auto at = asked_.find(request);
  if (at == asked_.end()) return;
  Asked& asked = at->second;
  // Without addresses: it has connected meanwhile.
  if (answer && !answer->peers.empty())
    return host_.connect(protocol_, request, asked.id, answer->peers.front().addrs);
  Error error = std::move(*asked.unknown);
  error.why = answer ? "nobody that was asked knows where it is" : answer.error().what;
  ReachSink* sink = asked.sink;
  asked_.erase(at);
  sink->on_reached(now, request, std::move(error));
}

}  // namespace kith::dht
