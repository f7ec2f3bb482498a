// Server: what we answer to other peers' requests (libp2p/specs kad-dht, "RPC messages").
//
//   FIND_NODE      the k nearest of our table; with the peer itself, when the key is the id of one
//                  that is connected to us, or ours
//   GET_PROVIDERS  providers recorded here, ourselves among them if we provide it, and the k
//   nearest ADD_PROVIDER   recorded when the provider named is the sender itself; no answer
//   PUT_VALUE      validated, stored, echoed
//   GET_VALUE      the record if we have one, and the k nearest
//   PING           echoed
//
// Rules: the asking peer and failing peers are never among the closer ones. A request that cannot
// be served (a malformed key, a record that its validator refuses, another's provider record) is an
// error, and the stream is reset; so is the stream of a peer that asks faster than kRequestRate.
// Attacker: any stranger, with any message.
#pragma once

#include "dht/effects.hpp"
#include "dht/provided.hpp"
#include "dht/provider_records.hpp"
#include "dht/routing_table.hpp"
#include "dht/value_records.hpp"

namespace kith::dht {

inline constexpr std::uint32_t kRequestRate = 100;   // requests a second and peer, on average
inline constexpr std::uint32_t kRequestBurst = 400;  // at once; a lookup of ours asks a peer once
// Addresses of providers are told for a day; by then the provider has announced itself again.
inline constexpr Duration kProviderAddrsLifetime = 24h;

// A bucket of request tokens, refilled with time.
class RequestRate {
 public:
  bool take(Mono now);

 private:
  std::uint32_t tokens_ = kRequestBurst;
  Mono filled_{};
};

// A ready peer, server or client.
struct Connected {
  PeerRef peer;
  host::PeerSlot slot;
};

struct Requester {
  PeerRef peer;
  NetworkGroup group = 0;
};

class Server {
 public:
  // All outlive it.
  struct Knowledge {
    const RoutingTable* table;
    ProviderRecords* providers;
    ValueRecords* values;
    const Provided* provided;
    const std::map<PeerId, Connected>* connected;
  };
  Server(PeerRef self, Knowledge knowledge) : self_(std::move(self)), know_(knowledge) {}

  // Success appends at most one Reply; an error means that the stream is to be reset.
  Result<void> on_request(Now now, host::StreamSlot stream, const Requester& from,
                          const libp2p::KadMessage& request, Effects& out);

 private:
  void add_closer(const Requester& from, ByteView raw_key, Reply& reply) const;
  Result<void> get_providers(Now now, const Requester& from, Reply reply, Effects& out);
  Result<void> add_provider(Now now, const Requester& from, const libp2p::KadMessage& request,
                            Effects& out);
  Result<void> put_value(Now now, const Requester& from, const libp2p::KadMessage& request,
                         Reply reply, Effects& out);
  Result<void> get_value(Now now, const Requester& from, Reply reply, Effects& out);

  PeerRef self_;
  Knowledge know_;
};

}  // namespace kith::dht
