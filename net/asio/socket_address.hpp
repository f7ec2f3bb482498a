// Between Multiaddr and the sockets' addresses. Pure, but for interface_addrs.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/base/multiaddr.hpp"

namespace kith::net {

inline constexpr std::size_t kInterfaceAddrsMax = 64;

// What a Multiaddr that we can dial says: exactly one of /ip4, /ip6, /dns, /dns4, /dns6, then /tcp,
// and nothing else (a trailing /p2p aside).
struct TcpTarget {
  enum class Kind : std::uint8_t { ip4, ip6, dns, dns4, dns6 };
  Kind kind = Kind::ip4;
  Bytes address;     // 4 or 16 bytes; empty for names
  std::string name;  // empty for addresses
  std::uint16_t port = 0;

  bool is_name() const { return kind > Kind::ip6; }
  bool is_any() const;  // 0.0.0.0 or ::
};
std::optional<TcpTarget> parse_tcp(const Multiaddr& from);

// Of AF_INET and AF_INET6; empty for others.
Multiaddr to_multiaddr(const sockaddr_storage& from);
// The result's length in `size`.
sockaddr_storage to_sockaddr(const TcpTarget& from, socklen_t& size);

// Addresses of the interfaces that are up, of one family (4 or 16 bytes), without the link-local
// ones of IPv6 (they say nothing without a zone); sorted.
std::vector<Bytes> interface_addrs(bool ip6);

}  // namespace kith::net
