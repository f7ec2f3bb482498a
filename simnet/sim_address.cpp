#include "simnet/sim_address.hpp"

#include <array>

namespace kith::simnet {

std::optional<NatEndpoint> parse_address(const Multiaddr& from) {
  std::vector<MultiaddrPart> parts = from.parts();
  if (parts.size() == 3 && parts[2].code == proto::p2p) parts.pop_back();
  if (parts.size() != 2 || parts[0].code != proto::ip4 || parts[1].code != proto::tcp) return {};
  NatEndpoint address;
  for (const std::uint8_t byte : parts[0].value) address.ip = address.ip << 8 | byte;
  address.port = static_cast<std::uint16_t>(parts[1].value[0] << 8 | parts[1].value[1]);
  return address;
}

Multiaddr make_address(NatEndpoint from) {
  std::array<std::uint8_t, 4> bytes{};
  for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(from.ip >> (24 - 8 * i));
  return Multiaddr::of_tcp(bytes, from.port);
}

std::uint32_t default_ip(NodeIndex node) {
  return 10u << 24 | (node & 0xff) << 16 | (node >> 8 & 0xff) << 8 | (1 + (node >> 16));
}

std::uint32_t carrier_ip(NodeIndex node) {
  return (100u << 24 | 64u << 16) + node / kCarrierShare + 1;
}

}  // namespace kith::simnet
