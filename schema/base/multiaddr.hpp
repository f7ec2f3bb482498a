// Multiaddr: a self-describing address (multiformats/multiaddr; protocol table protocols.csv). Kept
// in its packed form; every protocol of the table is parsed and printed (multiaddr_protocols.hpp).
// A Multiaddr is well formed or empty. Bounds: kMultiaddrBytesMax packed, kMultiaddrPartsMax
// components. Attacker: a peer that advertises addresses, to fill memory, logs or dial queues.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/base/peer_id.hpp"

namespace kith {

inline constexpr std::size_t kMultiaddrBytesMax = 1024;
inline constexpr std::size_t kMultiaddrPartsMax = 32;

namespace proto {
inline constexpr std::uint32_t ip4 = 4, tcp = 6, udp = 273, ip6 = 41, ip6zone = 42, dns = 53,
                               dns4 = 54, dns6 = 55, dnsaddr = 56, unix_ = 400, p2p = 421,
                               tls = 448, sni = 449, quic_v1 = 461, ws = 477, wss = 478,
                               p2p_circuit = 290, memory = 777;
}  // namespace proto

struct MultiaddrPart {
  std::uint32_t code = 0;
  ByteView value;  // raw value, without length prefix; points into the Multiaddr
};

class Multiaddr {
 public:
  Multiaddr() = default;
  static Result<Multiaddr> parse(std::string_view text);
  static Result<Multiaddr> decode(ByteView packed);
  // /ip4/A/tcp/P or /ip6/A/tcp/P from raw address bytes (4 or 16).
  static Multiaddr of_tcp(ByteView address, std::uint16_t port);
  // /memory/N: what the simulator listens on.
  static Multiaddr of_memory(std::uint64_t number);

  const Bytes& bytes() const { return packed_; }
  std::string text() const;
  std::vector<MultiaddrPart> parts() const;
  std::optional<MultiaddrPart> find(std::uint32_t code) const;  // the first
  // The last /p2p component, the one that names the target. None when /p2p-circuit follows it: then
  // it names the relay.
  std::optional<PeerId> peer_id() const;
  // Replaces or appends a trailing /p2p. The result may pass the bounds by that component.
  Multiaddr with_peer_id(const PeerId& id) const;
  Multiaddr without_peer_id() const;  // drops a trailing /p2p
  bool is_loopback() const;           // 127/8 or ::1
  // Loopback, RFC 1918, CGNAT, link-local, ULA; also 0/8 and ::, which reach the dialling host.
  // Both look through IPv4 addresses that are mapped into IPv6.
  bool is_private() const;
  bool empty() const { return packed_.empty(); }
  friend bool operator==(const Multiaddr&, const Multiaddr&) = default;
  friend auto operator<=>(const Multiaddr&, const Multiaddr&) = default;

 private:
  Bytes packed_;
};

}  // namespace kith
