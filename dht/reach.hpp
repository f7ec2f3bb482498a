// Reach: a connection to a peer of whom perhaps only the id is known. The caller's addresses are
// tried, or what the peer store knows; where there is none, the DHT is asked once where the peer
// is.
//
// Rules: exactly one on_reached for each start(), not before it has returned, unless cancel() comes
// first. Deadlines are those of the host (a connection) and of the DHT (a look-up). Bounds: what
// its users ask for at a time (the node's requests, tables of owners); nobody else can make it
// grow.
#pragma once

#include <map>
#include <optional>
#include <span>

#include "dht/routing.hpp"
#include "net/host/host.hpp"

namespace kith::dht {

class ReachSink {
 public:
  virtual void on_reached(Now, RequestId, Result<host::PeerSlot>) = 0;

 protected:
  ~ReachSink() = default;
};

class Reach final : private host::Protocol, private RoutingSink {
 public:
  Reach(host::Host& host, Routing& routing);
  Reach(const Reach&) = delete;
  Reach& operator=(const Reach&) = delete;

  // Answers with the number of this request. An empty id takes whoever is at `addrs`.
  RequestId start(const PeerId& id, std::span<const Multiaddr> addrs, ReachSink& sink);
  void cancel(RequestId request);

 private:
  struct Asked {
    PeerId id;
    ReachSink* sink = nullptr;
    std::optional<Error> unknown;  // what the host said; then the DHT is asked
  };
  void on_connected(Now, RequestId, Result<host::PeerSlot>) override;
  void on_routing_done(Now, RequestId, Result<RoutingAnswer>) override;

  host::Host& host_;
  Routing& routing_;
  host::ProtocolIndex protocol_;
  std::map<RequestId, Asked> asked_;
  std::uint64_t numbers_;
};

}  // namespace kith::dht
