// PeerRequests: `peer connect`, `peer ping`, `peer echo`: a connection first, then what was asked
// for over it.
#pragma once

#include <map>

#include "net/host/ping_service.hpp"
#include "services/node/echo.hpp"
#include "services/node/request_table.hpp"

namespace kith::node {

class PeerRequests final : public host::Protocol, private host::PingSink {
 public:
  PeerRequests(host::Host& host, host::PingService& ping, Echo& echo, RequestTable& requests);
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

  void reach(RequestId request, const PeerId& id, const Multiaddr& addr, Then then);
  void on_connected(Now, RequestId, Result<host::PeerSlot>) override;
  void on_ping(Now, RequestId, std::uint32_t number, Duration round_trip) override;
  void on_ping_done(Now, RequestId, Result<void>) override;

  host::Host& host_;
  host::PingService& ping_;
  Echo& echo_;
  RequestTable& requests_;
  host::ProtocolIndex protocol_;
  std::map<RequestId, Then> connecting_;
  std::map<RequestId, Pinging> pinging_;
};

}  // namespace kith::node
