#include "net/asio/socket_address.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace kith::net {

namespace {

std::optional<TcpTarget::Kind> kind_of(std::uint32_t code) {
  switch (code) {
    case proto::ip4:
      return TcpTarget::Kind::ip4;
    case proto::ip6:
      return TcpTarget::Kind::ip6;
    case proto::dns:
      return TcpTarget::Kind::dns;
    case proto::dns4:
      return TcpTarget::Kind::dns4;
    case proto::dns6:
      return TcpTarget::Kind::dns6;
    default:
      return std::nullopt;
  }
}

ByteView address_bytes(const sockaddr_in& from) {
  return {reinterpret_cast<const std::uint8_t*>(&from.sin_addr), sizeof from.sin_addr};
}
ByteView address_bytes(const sockaddr_in6& from) {
  return {reinterpret_cast<const std::uint8_t*>(&from.sin6_addr), sizeof from.sin6_addr};
}

template <class Address>
Address read_as(const void* from) {
  Address address{};
  std::memcpy(&address, from, sizeof address);
  return address;
}

}  // namespace

bool TcpTarget::is_any() const {
  return !address.empty() && std::all_of(address.begin(), address.end(), [](auto b) { return !b; });
}

std::optional<TcpTarget> parse_tcp(const Multiaddr& from) {
  std::vector<MultiaddrPart> parts = from.parts();
  if (parts.size() == 3 && parts[2].code == proto::p2p) parts.pop_back();
  if (parts.size() != 2 || parts[1].code != proto::tcp || parts[1].value.size() != 2) return {};
  const auto kind = kind_of(parts[0].code);
  if (!kind) return {};
  TcpTarget target;
  target.kind = *kind;
  target.port = static_cast<std::uint16_t>(parts[1].value[0] << 8 | parts[1].value[1]);
  if (target.is_name()) {
    target.name = as_text(parts[0].value);
    if (target.name.empty() || target.name.find('\0') != std::string::npos) return {};
  } else {
    target.address = Bytes::copy(parts[0].value);
    if (target.address.size() != (*kind == TcpTarget::Kind::ip4 ? 4u : 16u)) return {};
  }
  return target;
}

Multiaddr to_multiaddr(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    const auto ip4 = read_as<sockaddr_in>(&from);
    return Multiaddr::of_tcp(address_bytes(ip4), ntohs(ip4.sin_port));
  }
  if (from.ss_family == AF_INET6) {
    const auto ip6 = read_as<sockaddr_in6>(&from);
    return Multiaddr::of_tcp(address_bytes(ip6), ntohs(ip6.sin6_port));
  }
  return {};
}

sockaddr_storage to_sockaddr(const TcpTarget& from, socklen_t& size) {
  sockaddr_storage storage{};
  if (from.kind == TcpTarget::Kind::ip4) {
    sockaddr_in ip4{};
    ip4.sin_family = AF_INET;
    ip4.sin_port = htons(from.port);
    std::memcpy(&ip4.sin_addr, from.address.data(), sizeof ip4.sin_addr);
    std::memcpy(&storage, &ip4, size = sizeof ip4);
  } else {
    sockaddr_in6 ip6{};
    ip6.sin6_family = AF_INET6;
    ip6.sin6_port = htons(from.port);
    std::memcpy(&ip6.sin6_addr, from.address.data(), sizeof ip6.sin6_addr);
    std::memcpy(&storage, &ip6, size = sizeof ip6);
  }
  return storage;
}

std::vector<Bytes> interface_addrs(bool ip6) {
  std::vector<Bytes> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (const ifaddrs* at = list; at != nullptr && found.size() < kInterfaceAddrsMax;
       at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_UP) == 0) continue;
    if (!ip6 && at->ifa_addr->sa_family == AF_INET)
      found.push_back(Bytes::copy(address_bytes(read_as<sockaddr_in>(at->ifa_addr))));
    if (ip6 && at->ifa_addr->sa_family == AF_INET6) {
      const auto address = read_as<sockaddr_in6>(at->ifa_addr);
      if (!IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr))
        found.push_back(Bytes::copy(address_bytes(address)));
    }
  }
  freeifaddrs(list);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace kith::net
