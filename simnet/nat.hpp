// NatTable: one address translator in front of one node, or of several, for TCP; in the terms of
// RFC 4787 and RFC 5382. Mapping says which port of the outside address a connection leaves from,
// filtering says whose dials are let in.
//
//                    mapping                          filtering
//   open             none                             none
//   full_cone        endpoint-independent             endpoint-independent
//   restricted       endpoint-independent             address-dependent
//   port_restricted  endpoint-independent             address- and port-dependent
//   symmetric        address- and port-dependent      address- and port-dependent
//   carrier          as symmetric, behind an address that kCarrierShare nodes share
//
// * Endpoint-independent: one inside endpoint has one outside port, its own where that is free
//   (port preservation), and whoever is let in reaches it there. Otherwise each destination sees a
//   fresh port, at which nobody else is let in: what one peer learns of it is of no use to another.
// * A mapping lasts as long as a connection that was dialled through it, whose keep-alives go
//   outwards, and kNatMappingLifetime longer.
// * What is not let in meets silence, not a refusal. No hairpinning, no port forwarding.
// Bound: kNatSessionsMax; the oldest goes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/base/time.hpp"

namespace kith::simnet {

enum class Nat : std::uint8_t { open, full_cone, restricted, port_restricted, symmetric, carrier };

inline constexpr Duration kNatMappingLifetime = 120s;
inline constexpr std::size_t kNatSessionsMax = 1024;
inline constexpr std::uint32_t kCarrierShare = 16;

struct NatEndpoint {
  std::uint32_t ip = 0;
  std::uint16_t port = 0;
  friend bool operator==(const NatEndpoint&, const NatEndpoint&) = default;
};

class NatTable {
 public:
  // `ip`: outside. Not for Nat::open, which needs no table.
  NatTable(Nat kind, std::uint32_t ip) : kind_(kind), ip_(ip) {}
  std::uint32_t ip() const { return ip_; }

  // A connection is dialled; answers with the endpoint that the destination sees.
  NatEndpoint open(Mono now, NatEndpoint inside, NatEndpoint to);
  // ... and is over.
  void close(Mono now, NatEndpoint inside, NatEndpoint to);
  // Where a dial to that outside port leads; none: it is not let in.
  std::optional<NatEndpoint> admit(Mono now, std::uint16_t port, NatEndpoint from) const;
  // Whose port it is, whoever dials.
  std::optional<NatEndpoint> owner(Mono now, std::uint16_t port) const;

 private:
  struct Session {
    NatEndpoint inside;
    NatEndpoint to;
    std::uint16_t port = 0;  // outside
    std::uint32_t connections = 0;
    Mono last{};  // something went out
  };
  static bool lives(const Session& session, Mono now) {
    return session.connections != 0 || now - session.last <= kNatMappingLifetime;
  }
  bool independent() const { return kind_ != Nat::symmetric && kind_ != Nat::carrier; }
  bool taken(std::uint16_t port) const;
  std::uint16_t choose_port(NatEndpoint inside);

  Nat kind_;
  std::uint32_t ip_;
  std::uint16_t port_next_ = 1024;
  std::vector<Session> sessions_;  // oldest first
};

}  // namespace kith::simnet
