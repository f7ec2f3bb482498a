#include "simnet/nat.hpp"

#include <algorithm>

namespace kith::simnet {

NatEndpoint NatTable::dialed(Mono now, Nat kind, NatEndpoint inside, NatEndpoint to) {
  if (kind == Nat::open) return inside;
  std::erase_if(mappings_, [&](const Mapping& known) {
    return known.to == to || now - known.at > kNatMapping;
  });
  if (mappings_.size() >= kNatMappingsMax) mappings_.erase(mappings_.begin());
  mappings_.push_back({to, now});
  if (kind != Nat::symmetric && kind != Nat::carrier) return inside;
  NatEndpoint outside = inside;
  outside.port = port_next_;
  port_next_ = static_cast<std::uint16_t>(port_next_ == 32'767 ? 1024 : port_next_ + 1);
  return outside;
}

bool NatTable::admits(Mono now, Nat kind, NatEndpoint from) const {
  if (kind == Nat::open) return true;
  if (kind == Nat::symmetric || kind == Nat::carrier) return false;
  return std::any_of(mappings_.begin(), mappings_.end(), [&](const Mapping& known) {
    if (now - known.at > kNatMapping) return false;
    if (kind == Nat::full_cone) return true;
    return known.to.ip == from.ip && (kind == Nat::restricted || known.to.port == from.port);
  });
}

std::uint32_t NatTable::carrier_ip(std::uint32_t node) {
  return (100u << 24 | 64u << 16) + node / kCarrierShare + 1;  // RFC 6598
}

}  // namespace kith::simnet
