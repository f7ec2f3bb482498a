// Addresses of the simulated internet: an IPv4 address and a TCP port, as numbers and as Multiaddr.
#pragma once

#include <optional>

#include "schema/base/multiaddr.hpp"
#include "simnet/nat.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

// /ip4/A/tcp/P, perhaps with /p2p behind it; none: another form.
std::optional<NatEndpoint> parse_address(const Multiaddr& from);
Multiaddr make_address(NatEndpoint from);
// 10.a.b.c: the first 256 nodes differ in a, the first 65,536 in a or b.
std::uint32_t default_ip(NodeIndex node);
// The address that this node's carrier gives to kCarrierShare nodes (RFC 6598).
std::uint32_t carrier_ip(NodeIndex node);

}  // namespace kith::simnet
