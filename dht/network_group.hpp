// Which network an address belongs to, as far as an attacker must pay for another one: its /24
// (IPv4) or /48 (IPv6). Tables and records take only so many peers of one group, so that one rented
// subnet cannot fill them (the eclipse of CVE-2020-10937).
#pragma once

#include <cstdint>

#include "schema/base/multiaddr.hpp"

namespace kith::dht {

// 0: exempt. Private and loopback ranges are (a home network is one /24, and nobody can attack from
// there but its owner), and what has no IP address at all (the simulator's /memory).
using NetworkGroup = std::uint64_t;

NetworkGroup network_group(const Multiaddr& addr);

}  // namespace kith::dht
