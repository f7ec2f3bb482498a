#include "net/host/admission.hpp"

#include <algorithm>

namespace kith::host {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedIp4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kIp6PrefixBytes = 7;  // a /56: what a home is given

AddressPrefix make_prefix(std::uint8_t family, ByteView bytes) {
  AddressPrefix prefix{};
  prefix[0] = family;
  std::copy(bytes.begin(), bytes.end(), prefix.begin() + 1);
  return prefix;
}

}  // namespace

std::optional<AddressPrefix> prefix_of(const Multiaddr& remote) {
  if (remote.is_loopback()) return std::nullopt;
  if (const auto ip4 = remote.find(proto::ip4); ip4 && ip4->value.size() == 4)
    return make_prefix(4, ip4->value);
  const auto ip6 = remote.find(proto::ip6);
  if (!ip6 || ip6->value.size() != 16) return std::nullopt;
  if (equal(ip6->value.first(kMappedIp4.size()), kMappedIp4)) {
    const ByteView ip4 = ip6->value.subspan(kMappedIp4.size());
    if (ip4[0] == 127) return std::nullopt;
    return make_prefix(4, ip4);
  }
  return make_prefix(6, ip6->value.first(kIp6PrefixBytes));
}

std::optional<Admission::Ticket> Admission::inbound(const Multiaddr& remote) {
  if (!door_open()) return std::nullopt;
  Ticket ticket{.inbound = true, .authenticated = false, .prefix = prefix_of(remote)};
  if (ticket.prefix) {
    const auto found = prefixes_.find(*ticket.prefix);
    if (found != prefixes_.end() && found->second >= limits_.inbound_per_prefix_max)
      return std::nullopt;
    ++prefixes_[*ticket.prefix];
  }
  ++connections_;
  ++inbound_;
  ++unauthenticated_;
  return ticket;
}

std::optional<Admission::Ticket> Admission::outbound() {
  if (connections_ >= limits_.connections_max) return std::nullopt;
  ++connections_;
  return Ticket{};
}

void Admission::authenticated(Ticket& ticket) {
  if (ticket.inbound && !ticket.authenticated) --unauthenticated_;
  ticket.authenticated = true;
}

void Admission::leave(const Ticket& ticket) {
  --connections_;
  if (!ticket.inbound) return;
  --inbound_;
  if (!ticket.authenticated) --unauthenticated_;
  if (!ticket.prefix) return;
  const auto found = prefixes_.find(*ticket.prefix);
  if (--found->second == 0) prefixes_.erase(found);
}

bool Admission::door_open() const {
  return connections_ < limits_.connections_max && inbound_ < limits_.inbound_max &&
         unauthenticated_ < limits_.unauthenticated_max;
}

}  // namespace kith::host
