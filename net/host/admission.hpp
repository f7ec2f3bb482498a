// Admission: who may connect, by count. Every connection holds a Ticket from its first byte to its
// last.
//
// Rules
// * connections_max in all, inbound_max of them inbound, unauthenticated_max of those still in
// their
//   handshake, inbound_per_prefix_max from one IPv4 address or IPv6 /56 (one home, one rented
//   machine). IPv4-mapped IPv6 counts as IPv4. Loopback and addresses without an IP are exempt from
//   the last.
// * door_open() says whether the transport should accept at all: while it is shut, what comes waits
//   in the kernel's queue and costs us nothing.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "net/host/limits.hpp"
#include "schema/base/multiaddr.hpp"

namespace kith::host {

// Nine bytes: family, then the prefix padded with zeros.
using AddressPrefix = std::array<std::uint8_t, 9>;
// None: exempt.
std::optional<AddressPrefix> prefix_of(const Multiaddr& remote);

class Admission {
 public:
  struct Ticket {
    bool inbound = false;
    bool authenticated = false;
    std::optional<AddressPrefix> prefix;
  };

  explicit Admission(const HostLimits& limits) : limits_(limits) {}

  std::optional<Ticket> inbound(const Multiaddr& remote);
  std::optional<Ticket> outbound();
  void authenticated(Ticket& ticket);
  void leave(const Ticket& ticket);

  bool door_open() const;
  std::size_t connections() const { return connections_; }
  std::size_t unauthenticated() const { return unauthenticated_; }
  std::size_t prefixes() const { return prefixes_.size(); }

 private:
  const HostLimits& limits_;
  std::size_t connections_ = 0;
  std::size_t inbound_ = 0;
  std::size_t unauthenticated_ = 0;  // inbound ones
  std::map<AddressPrefix, std::uint32_t> prefixes_;
};

}  // namespace kith::host
