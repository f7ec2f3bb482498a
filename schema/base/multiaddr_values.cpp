#include "schema/base/multiaddr_values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "schema/base/base_encoding.hpp"
#include "schema/base/multihash.hpp"
#include "schema/base/peer_id.hpp"

namespace kith {
namespace {

using Value = Result<std::vector<std::uint8_t>>;

constexpr std::size_t kPortSize = 2;
constexpr std::size_t kOnionKey = 10;
constexpr std::size_t kOnion3Key = 35;
constexpr std::size_t kGarlic64Min = 386;       // an I2P destination
constexpr std::size_t kGarlic32Hash = 32;       // an I2P destination's hash
constexpr std::size_t kGarlic32Encrypted = 35;  // the shortest address of an encrypted lease set

template <class Integer>
bool parse_decimal(std::string_view text, Integer& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Value parse_port(std::string_view text) {
  std::uint16_t port = 0;
  if (!parse_decimal(text, port)) return fail(Errc::malformed, "a port is a number below 65536");
  return std::vector{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
}

std::string print_port(ByteView value) { return std::to_string(value[0] << 8 | value[1]); }

Value parse_ip(std::string_view text, int family, std::size_t size) {
  std::vector<std::uint8_t> value(size);
  if (inet_pton(family, std::string(text).c_str(), value.data()) != 1 ||
      text.find('\0') != text.npos)
    return fail(Errc::malformed, family == AF_INET ? "not an IPv4 address" : "not an IPv6 address");
  return value;
}

std::string print_ip4(ByteView value) {
  std::string text;
  for (const std::uint8_t byte : value.first(4))
    text += (text.empty() ? "" : ".") + std::to_string(byte);
  return text;
}

// RFC 5952: lower case, no leading zeros, the longest run of two zero groups or more (the first of
// equals) as "::", and mapped IPv4 addresses dotted. inet_ntop also dots the long dead
// IPv4-compatible ones, which other implementations do not.
std::string print_ip6(ByteView value) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (equal(value.first(12), kMapped)) return "::ffff:" + print_ip4(value.subspan(12));
  const auto group = [&](std::size_t i) { return value[2 * i] << 8 | value[2 * i + 1]; };
  std::size_t run_at = 8;
  std::size_t run = 1;
  for (std::size_t at = 0, end = 0; at < 8; at = end + 1) {
    for (end = at; end < 8 && group(end) == 0;) ++end;
    if (end - at > run) {
      run_at = at;
      run = end - at;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8;) {
    if (i == run_at) {
      text += "::";
      i += run;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> hex{};
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), group(i), 16).ptr;
    text.append(hex.data(), end);
    ++i;
  }
  return text;
}

// Length of the UTF-8 sequence at the front, 0 when there is none (RFC 3629: no surrogates, no
// overlong forms).
std::size_t utf8_sequence(ByteView text) {
  const std::uint8_t first = text[0];
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((text[i] & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && text[1] < 0xa0) return 0;
  if (first == 0xed && text[1] > 0x9f) return 0;
  if (first == 0xf0 && text[1] < 0x90) return 0;
  if (first == 0xf4 && text[1] > 0x8f) return 0;
  return size;
}

Result<void> check_text(ByteView text, bool slashes) {
  if (text.empty()) return fail(Errc::malformed, "an empty name");
  for (ByteView rest = text; !rest.empty();) {
    const std::size_t size = utf8_sequence(rest);
    if (size == 0) return fail(Errc::malformed, "a name that is not UTF-8");
    // C1 controls (U+0080 to U+009F) move a terminal's cursor as C0 ones do.
    const bool control = rest[0] < 0x20 || rest[0] == 0x7f || (rest[0] == 0xc2 && rest[1] < 0xa0);
    if (control) return fail(Errc::malformed, "a name with a control character");
    if (rest[0] == '/' && !slashes) return fail(Errc::malformed, "a name with a slash");
    rest = rest.subspan(size);
  }
  return {};
}

Result<void> check_path(ByteView path) {
  if (path.size() < 2 || path[0] != '/')
    return fail(Errc::malformed, "a path that does not begin with a slash and a name");
  return check_text(path, true);
}

Result<void> check_onion(ByteView value) {
  const ByteView port = value.last(kPortSize);
  if (port[0] == 0 && port[1] == 0) return fail(Errc::malformed, "an onion address with port 0");
  return {};
}

Value parse_onion(std::string_view text, std::size_t key_size) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return fail(Errc::malformed, "an onion address without a port");
  KITH_TRY(std::vector<std::uint8_t> value, from_base32(text.substr(0, colon)));
  if (value.size() != key_size) return fail(Errc::malformed, "an onion address of another length");
  KITH_TRY(const std::vector<std::uint8_t> port, parse_port(text.substr(colon + 1)));
  value.insert(value.end(), port.begin(), port.end());
  return value;
}

std::string print_onion(ByteView value) {
  return to_base32(value.first(value.size() - kPortSize)) + ":" + print_port(value.last(kPortSize));
}

Result<void> check_garlic32(std::size_t size) {
  if (size == kGarlic32Hash || size >= kGarlic32Encrypted) return {};
  return fail(Errc::malformed,
              "a garlic32 address of 32 bytes, or of 35 and more, is what I2P has");
}

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

Value parse_percent(std::string_view text) {
  std::vector<std::uint8_t> value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      value.push_back(static_cast<std::uint8_t>(text[i]));
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(Errc::malformed, "'%' without two hexadecimal digits");
    value.push_back(static_cast<std::uint8_t>(high << 4 | low));
    i += 2;
  }
  return value;
}

// RFC 3986: all but the unreserved characters.
std::string print_percent(ByteView value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string text;
  for (const std::uint8_t byte : value) {
    if (kUnreserved.find(static_cast<char>(byte)) != kUnreserved.npos)
      text += static_cast<char>(byte);
    else
      (text += '%').append({kHex[byte >> 4], kHex[byte & 15]});
  }
  return text;
}

Value parse_cidr(std::string_view text) {
  std::uint8_t bits = 0;
  if (!parse_decimal(text, bits)) return fail(Errc::malformed, "ipcidr is a number below 256");
  return std::vector{bits};
}

Value parse_peer(std::string_view text) {
  KITH_TRY(const PeerId id, PeerId::parse(text));
  return id.bytes().to_vector();
}

Value parse_unchecked(ValueForm form, std::string_view text) {
  switch (form) {
    case ValueForm::none:
      return std::vector<std::uint8_t>{};
    case ValueForm::ip4:
      return parse_ip(text, AF_INET, 4);
    case ValueForm::ip6:
      return parse_ip(text, AF_INET6, 16);
    case ValueForm::port:
      return parse_port(text);
    case ValueForm::cidr:
      return parse_cidr(text);
    case ValueForm::name:
    case ValueForm::path:
      return Bytes::copy(text).to_vector();
    case ValueForm::peer:
      return parse_peer(text);
    case ValueForm::onion:
      return parse_onion(text, kOnionKey);
    case ValueForm::onion3:
      return parse_onion(text, kOnion3Key);
    case ValueForm::garlic64:
      return from_base64_i2p(text);
    case ValueForm::garlic32:
      return from_base32(text);
    case ValueForm::certhash:
      return from_multibase(text);
    case ValueForm::http_path:
      return parse_percent(text);
  }
  return fail(Errc::unsupported, "no such form");
}

}  // namespace

Result<void> check_value(ValueForm form, ByteView value) {
  switch (form) {
    case ValueForm::none:
    case ValueForm::ip4:
    case ValueForm::ip6:
    case ValueForm::port:
    case ValueForm::cidr:
      return {};  // every value of the fixed size
    case ValueForm::name:
      return check_text(value, false);
    case ValueForm::path:
      return check_path(value);
    case ValueForm::peer: {
      KITH_TRY_VOID(PeerId::decode(value));
      return {};
    }
    case ValueForm::onion:
    case ValueForm::onion3:
      return check_onion(value);
    case ValueForm::garlic64:
      if (value.size() >= kGarlic64Min) return {};
      return fail(Errc::malformed, "a garlic64 address has at least 386 bytes");
    case ValueForm::garlic32:
      return check_garlic32(value.size());
    case ValueForm::certhash: {
      KITH_TRY_VOID(Multihash::decode(value));
      return {};
    }
    case ValueForm::http_path:
      if (!value.empty()) return {};
      return fail(Errc::malformed, "an empty http-path");
  }
  return fail(Errc::unsupported, "no such form");
}

Result<std::vector<std::uint8_t>> parse_value(ValueForm form, std::string_view text) {
  KITH_TRY(std::vector<std::uint8_t> value, parse_unchecked(form, text));
  KITH_TRY_VOID(check_value(form, value));
  return value;
}

std::string print_value(ValueForm form, ByteView value) {
  switch (form) {
    case ValueForm::none:
      return {};
    case ValueForm::ip4:
      return print_ip4(value);
    case ValueForm::ip6:
      return print_ip6(value);
    case ValueForm::port:
      return print_port(value);
    case ValueForm::cidr:
      return std::to_string(value[0]);
    case ValueForm::name:
    case ValueForm::path:
      return std::string(as_text(value));
    case ValueForm::peer:
      return to_base58(value);
    case ValueForm::onion:
    case ValueForm::onion3:
      return print_onion(value);
    case ValueForm::garlic64:
      return to_base64_i2p(value);
    case ValueForm::garlic32:
      return to_base32(value);
    case ValueForm::certhash:
      return "u" + to_base64url(value);
    case ValueForm::http_path:
      return print_percent(value);
  }
  return {};
}

}  // namespace kith
