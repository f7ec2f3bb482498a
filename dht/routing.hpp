// Routing: the front of dht/. Finds peers and providers, and keeps records, by Kademlia
// (libp2p/specs kad-dht).
//
// Rules: every command carries a RequestId, yields any number of on_routing_progress and exactly
// one on_routing_done; cancel(id) is always legal and answers with Errc::cancelled. Deadlines are
// the caller's (node/requests) beside kQueryDeadline.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "net/host/host.hpp"
#include "schema/base/multihash.hpp"

namespace kith::dht {

inline constexpr Duration kQueryDeadline = 60s;

struct PeerInfo {
  PeerId id;
  std::vector<Multiaddr> addrs;  // without /p2p
};

// Asked, answered and failed peers of a lookup so far, and providers found since the last progress.
struct RoutingProgress {
  std::uint32_t asked = 0;
  std::uint32_t answered = 0;
  std::uint32_t failed = 0;
  std::uint32_t hops = 0;  // of the longest chain of questions that led to a peer of the answer
  std::vector<PeerInfo> found;
};

struct RoutingAnswer {
  std::vector<PeerInfo> peers;  // closest first, or the peer asked for, or all providers found
  Bytes value;                  // get_value
  std::uint32_t stored = 0;     // peers that took a provider record or value
  RoutingProgress counts;       // `found` empty
};

class RoutingSink {
 public:
  virtual void on_routing_progress(Now, RequestId, const RoutingProgress&) {}
  virtual void on_routing_done(Now, RequestId, Result<RoutingAnswer>) = 0;

 protected:
  ~RoutingSink() = default;
};

// A record's judge: keys outside any registered namespace are refused (CVE-2026-45783).
class Validator {
 public:
  virtual ~Validator() = default;
  // Is `value` acceptable under `key` now?
  virtual Result<void> validate(ByteView key, ByteView value, Wall now) const = 0;
  // Index of the better of two valid values.
  virtual int select(ByteView key, ByteView a, ByteView b) const = 0;
};

enum class Mode : std::uint8_t { client, server };

class Routing {
 public:
  virtual ~Routing() = default;
  virtual void find_peer(RequestId request, const PeerId& id, RoutingSink& sink) = 0;
  virtual void find_closest(RequestId request, Bytes key,
                            RoutingSink& sink) = 0;  // raw key, hashed inside
  // Announces us as provider now, and again every kReprovideInterval until unprovide().
  virtual void provide(RequestId request, const Multihash& key, RoutingSink& sink) = 0;
  virtual void unprovide(const Multihash& key) = 0;
  // Ends when `enough` were found (0: at the end of the lookup).
  virtual void find_providers(RequestId request, const Multihash& key, std::uint32_t enough,
                              RoutingSink& sink) = 0;
  virtual void put_value(RequestId request, Bytes key, Bytes value, RoutingSink& sink) = 0;
  virtual void get_value(RequestId request, Bytes key, RoutingSink& sink) = 0;
  virtual void cancel(RequestId request) = 0;
  virtual void set_mode(Mode mode) = 0;
  virtual Mode mode() const = 0;
  virtual std::size_t table_size() const = 0;
  virtual std::vector<PeerId> table_peers() const = 0;
};

}  // namespace kith::dht
