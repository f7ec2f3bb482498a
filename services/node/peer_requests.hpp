// PeerRequests: `peer connect`, `peer ping`, `peer echo`: a connection first (of a peer that is
// known by its id alone, the DHT is asked where it is), then what was asked for over it.
#pragma once

#include <map>

#include "dht/reach.hpp"
#include "net/host/ping_service.hpp"
#include "services/node/echo.hpp"
#include "services/node/request_table.hpp"

namespace kith::node {

class PeerRequests final : private dht::ReachSink, private host::PingSink {
 public:
  PeerRequests(host::Host& host, dht::Reach& reach, host::PingService& ping, Echo& echo,
               RequestTable& requests);
  void connect(RequestId request, const Multiaddr& addr);
  void ping(RequestId request, const PeerPing& what);
  void echo(RequestId request, const PeerEcho& what);
  void abandon(RequestId request);

 private:
  struct Pinging {
    std::uint32_t count = 0;
    Pinged so_far;
    Duration sum{};
  };
  using Then = std::variant<PeerConnect, PeerPing, PeerEcho>;
  struct Connecting {
    RequestId request;
    Then then;
  };

  void reach(RequestId request, const PeerId& id, const Multiaddr& addr, Then then);
  void on_reached(Now, RequestId, Result<host::PeerSlot>) override;
  void on_ping(Now, RequestId, std::uint32_t number, Duration round_trip) override;
  void on_ping_done(Now, RequestId, Result<void>) override;

  host::Host& host_;
  dht::Reach& reach_;
  host::PingService& ping_;
  Echo& echo_;
  RequestTable& requests_;
  std::map<RequestId, Connecting> connecting_;  // by Reach's number
  std::map<RequestId, Pinging> pinging_;
};

}  // namespace kith::node
