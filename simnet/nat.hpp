// Nat: what an address translator in front of a node lets in, in the terms of RFC 4787 and RFC 5382
// (for TCP): filtering says whose dials pass, mapping says which address others see.
//
//   open             nothing in between
//   full_cone        endpoint-independent filtering: anybody may dial once the node has dialled out
//   restricted       address-dependent: only addresses that it dialled
//   port_restricted  address- and port-dependent: only where exactly it dialled
//   symmetric        as port_restricted, and each destination sees another port of ours
//   carrier          symmetric, behind an address that kCarrierShare nodes share
//
// A mapping lasts kNatMapping from the last dial. What is not let in meets silence, not a refusal.
// Bound: kNatMappingsMax destinations; the oldest goes.
#pragma once

#include <cstdint>
#include <vector>

#include "net/base/time.hpp"

namespace kith::simnet {

enum class Nat : std::uint8_t { open, full_cone, restricted, port_restricted, symmetric, carrier };

inline constexpr Duration kNatMapping = 120s;
inline constexpr std::size_t kNatMappingsMax = 1024;
inline constexpr std::uint32_t kCarrierShare = 16;

struct NatEndpoint {
  std::uint32_t ip = 0;
  std::uint16_t port = 0;
  friend bool operator==(const NatEndpoint&, const NatEndpoint&) = default;
};

class NatTable {
 public:
  // The node dials: where the destination will see it, `inside` being its own endpoint.
  NatEndpoint dialed(Mono now, Nat kind, NatEndpoint inside, NatEndpoint to);
  // Whether a dial from there to the node's own address is let in.
  bool admits(Mono now, Nat kind, NatEndpoint from) const;
  // The shared address of a node behind a carrier's translator.
  static std::uint32_t carrier_ip(std::uint32_t node);
  void clear() { mappings_.clear(); }

 private:
  struct Mapping {
    NatEndpoint to;
    Mono at{};
  };
  std::vector<Mapping> mappings_;  // oldest first
  std::uint16_t port_next_ = 1024;
};

}  // namespace kith::simnet
