// Bytes as text: base16, base32, base36, base58btc, base64 and base64url, and multibase, which puts
// a letter for the base in front (multiformats/multibase).
//
// Rules: encoders write lower case, base64 alone with padding. Decoders are strict: no white space,
// no other alphabet, unused bits zero, so that no two texts mean the same bytes; base16 alone takes
// both cases. base36 and base58 are long division, quadratic in their length, so their decoders
// refuse texts above kDivisionTextMax. Attacker: whoever writes the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith {

inline constexpr std::size_t kDivisionTextMax = 512;  // characters; a CID of ours has 59

std::string to_base16(ByteView bytes);
std::string to_base32(ByteView bytes);  // RFC 4648, no padding
std::string to_base36(ByteView bytes);
std::string to_base58(ByteView bytes);     // the Bitcoin alphabet
std::string to_base64(ByteView bytes);     // RFC 4648 section 4, with padding
std::string to_base64url(ByteView bytes);  // RFC 4648 section 5, no padding

using Decoded = Result<std::vector<std::uint8_t>>;

Decoded from_base16(std::string_view text);
Decoded from_base32(std::string_view text);
Decoded from_base36(std::string_view text);
Decoded from_base58(std::string_view text);
Decoded from_base64(std::string_view text);
Decoded from_base64url(std::string_view text);

// I2P's base64: '-' and '~' for the last two digits, padding (multiaddr garlic64).
std::string to_base64_i2p(ByteView bytes);
Decoded from_base64_i2p(std::string_view text);

// Prefixes f F (base16), b B (base32), k K (base36), z (base58btc), m M (base64 without and with
// padding), u U (base64url without and with padding).
Decoded from_multibase(std::string_view text);

// Text from outside as it may stand in an error or a log: in quotes, at most kQuotedMax characters,
// all but printable ASCII as '?'.
inline constexpr std::size_t kQuotedMax = 128;
std::string quote_text(std::string_view text);

}  // namespace kith
