#include "dht/network_group.hpp"

#include <algorithm>

namespace kith::dht {
namespace {

constexpr std::uint64_t kIp4Tag = 4;
constexpr std::uint64_t kIp6Tag = 6;

NetworkGroup group_of(std::uint64_t tag, ByteView prefix) {
  NetworkGroup group = tag;
  for (const std::uint8_t byte : prefix) group = group << 8 | byte;
  return group;
}

// ::ffff:a.b.c.d: an IPv4 peer seen through an IPv6 socket.
bool is_mapped(ByteView ip6) {
  return std::all_of(ip6.begin(), ip6.begin() + 10, [](std::uint8_t byte) { return byte == 0; }) &&
         ip6[10] == 0xff && ip6[11] == 0xff;
}

}  // namespace

NetworkGroup network_group(const Multiaddr& addr) {
  if (addr.is_private()) return 0;
  if (const auto ip4 = addr.find(proto::ip4); ip4 && ip4->value.size() == 4)
    return group_of(kIp4Tag, ip4->value.first(3));
  const auto ip6 = addr.find(proto::ip6);
  if (!ip6 || ip6->value.size() != 16) return 0;
  if (is_mapped(ip6->value)) {
    const ByteView ip4 = ip6->value.subspan(12);
    const Multiaddr plain = Multiaddr::of_tcp(ip4, 0);
    return plain.is_private() ? 0 : group_of(kIp4Tag, ip4.first(3));
  }
  return group_of(kIp6Tag, ip6->value.first(6));
}

}  // namespace kith::dht
