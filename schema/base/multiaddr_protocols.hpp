// The protocol table of multiaddr (multiformats/multiaddr, protocols.csv). Deprecated protocols
// stay readable. What the value of each form is, multiaddr_values.hpp knows.
#pragma once

#include <cstdint>
#include <string_view>

namespace kith {

enum class ValueForm : std::uint8_t {
  none,
  ip4,
  ip6,        // printed by RFC 5952
  port,       // big-endian 16 bits
  cidr,       // one byte, decimal
  name,       // UTF-8 without '/' and control characters
  path,       // a file path: begins with '/' and takes the rest of the text
  peer,       // a peer id
  onion,      // base32 of 10 bytes, ':', port
  onion3,     // base32 of 35 bytes, ':', port
  garlic64,   // I2P base64 of a destination, at least 386 bytes
  garlic32,   // base32 of 32 bytes, or of 35 and more
  certhash,   // multibase of a multihash
  http_path,  // any bytes, percent-encoded
};

inline constexpr int kVariableSize = -1;  // a varint with the length stands before the value

struct MultiaddrProtocol {
  std::uint32_t code = 0;
  int size = 0;  // bytes of the value, or kVariableSize
  std::string_view name;
  ValueForm form = ValueForm::none;
};

// Null when the table has no such protocol. By name, /ipfs is /p2p.
const MultiaddrProtocol* find_protocol(std::uint32_t code);
const MultiaddrProtocol* find_protocol(std::string_view name);

}  // namespace kith
