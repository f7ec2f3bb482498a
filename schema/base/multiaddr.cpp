#include "schema/base/multiaddr.hpp"

#include <algorithm>

#include "schema/base/base_encoding.hpp"
#include "schema/base/multiaddr_values.hpp"
#include "schema/base/varint.hpp"

namespace kith {
namespace {

// Percent-encoding triples an http-path; the names of 32 components take at most 20 letters each.
constexpr std::size_t kTextMax = 3 * kMultiaddrBytesMax + 20 * kMultiaddrPartsMax;

Result<std::uint64_t> take_varint(ByteView& rest) {
  const VarintRead read = read_varint(rest);
  if (read.state == VarintRead::State::more)
    return fail(Errc::truncated, "a multiaddr that ends within a number");
  if (read.state == VarintRead::State::malformed)
    return fail(Errc::malformed, "a multiaddr with a malformed varint");
  rest = rest.subspan(read.length);
  return read.value;
}

// Takes one component from the front. The value is not checked yet.
Result<MultiaddrPart> take_part(ByteView& rest, const MultiaddrProtocol*& protocol) {
  KITH_TRY(const std::uint64_t code, take_varint(rest));
  protocol = code <= UINT32_MAX ? find_protocol(static_cast<std::uint32_t>(code)) : nullptr;
  if (protocol == nullptr)
    return fail(Errc::unsupported, "a multiaddr protocol that is not in the table",
                "code " + std::to_string(code));
  std::uint64_t size = static_cast<std::uint64_t>(std::max(protocol->size, 0));
  if (protocol->size == kVariableSize) {
    KITH_TRY(size, take_varint(rest));
  }
  if (size > rest.size()) return fail(Errc::truncated, "a multiaddr that ends within a value");
  const MultiaddrPart part{protocol->code, rest.first(static_cast<std::size_t>(size))};
  rest = rest.subspan(part.value.size());
  return part;
}

void append_part(std::vector<std::uint8_t>& to, const MultiaddrProtocol& protocol, ByteView value) {
  append_varint(to, protocol.code);
  if (protocol.size == kVariableSize) append_varint(to, value.size());
  to.insert(to.end(), value.begin(), value.end());
}

Error bad_text(std::string_view text, std::string why) {
  return fail(Errc::malformed, "not a multiaddr: " + quote_text(text), std::move(why),
              "write it as /ip4/192.0.2.1/tcp/4001 or /dns4/example.org/tcp/443/wss");
}

// The next name between slashes; `rest` begins with '/'.
std::string_view take_segment(std::string_view& rest) {
  rest.remove_prefix(1);
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

Result<void> parse_part(std::string_view& rest, std::vector<std::uint8_t>& packed) {
  const std::string_view name = take_segment(rest);
  const MultiaddrProtocol* protocol = find_protocol(name);
  if (protocol == nullptr) return fail(Errc::unsupported, quote_text(name) + " is no protocol");
  std::string_view text;
  if (protocol->form == ValueForm::path) {
    text = rest;
    rest = {};
  } else if (protocol->form != ValueForm::none) {
    if (rest.size() < 2) return fail(Errc::truncated, "/" + std::string(name) + " needs a value");
    text = take_segment(rest);
  }
  KITH_TRY(const std::vector<std::uint8_t> value, parse_value(protocol->form, text));
  append_part(packed, *protocol, value);
  return {};
}

// What stands in front of a trailing /p2p, or everything.
std::size_t size_without_peer(const Bytes& packed) {
  ByteView rest = packed;
  std::size_t last_at = 0;
  const MultiaddrProtocol* protocol = nullptr;
  while (!rest.empty()) {
    last_at = packed.size() - rest.size();
    if (!take_part(rest, protocol)) return packed.size();
  }
  return protocol != nullptr && protocol->code == proto::p2p ? last_at : packed.size();
}

bool in_prefix(ByteView address, std::initializer_list<std::uint8_t> prefix, unsigned bits) {
  unsigned at = 0;
  for (const std::uint8_t byte : prefix) {
    const unsigned here = std::min(bits - 8 * at, 8u);
    const auto mask = static_cast<std::uint8_t>(0xff00u >> here);
    if ((address[at] & mask) != (byte & mask)) return false;
    ++at;
  }
  return true;
}

// The host's address, with an IPv4 address that was mapped into IPv6 taken out of it.
std::optional<ByteView> host_address(const Multiaddr& address) {
  for (const MultiaddrPart& part : address.parts()) {
    if (part.code == proto::ip4) return part.value;
    if (part.code != proto::ip6) continue;
    const bool mapped = in_prefix(part.value, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96);
    return mapped ? part.value.subspan(12) : part.value;
  }
  return std::nullopt;
}

bool loopback(ByteView ip) {
  if (ip.size() == 4) return in_prefix(ip, {127}, 8);
  return in_prefix(ip, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128);
}

bool private_ip4(ByteView ip) {
  return in_prefix(ip, {10}, 8) || in_prefix(ip, {172, 16}, 12) || in_prefix(ip, {192, 168}, 16) ||
         in_prefix(ip, {100, 64}, 10) || in_prefix(ip, {169, 254}, 16) || in_prefix(ip, {0}, 8);
}

bool private_ip6(ByteView ip) {
  return in_prefix(ip, {0xfe, 0x80}, 10) || in_prefix(ip, {0xfc}, 7) ||
         in_prefix(ip, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 128);
}

}  // namespace

Result<Multiaddr> Multiaddr::parse(std::string_view text) {
  if (text.size() > kTextMax) return bad_text(text, "longer than any address that fits");
  if (text.size() < 2 || text.front() != '/') return bad_text(text, "it does not begin with /name");
  std::vector<std::uint8_t> packed;
  std::size_t count = 0;
  // One slash at the end is forgiven, as elsewhere; in /unix it belongs to the path.
  for (std::string_view rest = text; !rest.empty() && (rest != "/" || count == 0);) {
    if (++count > kMultiaddrPartsMax) return bad_text(text, "more than 32 components");
    if (const Result<void> part = parse_part(rest, packed); !part) {
      const Error& error = part.error();
      return bad_text(text, error.why.empty() ? error.what : error.what + ": " + error.why);
    }
  }
  if (packed.size() > kMultiaddrBytesMax) return bad_text(text, "more than 1024 bytes packed");
  Multiaddr address;
  address.packed_ = Bytes::copy(ByteView(packed));
  return address;
}

Result<Multiaddr> Multiaddr::decode(ByteView packed) {
  if (packed.empty()) return fail(Errc::truncated, "an empty multiaddr");
  if (packed.size() > kMultiaddrBytesMax) return fail(Errc::oversized, "a multiaddr of over 1 KiB");
  std::size_t count = 0;
  for (ByteView rest = packed; !rest.empty();) {
    if (++count > kMultiaddrPartsMax)
      return fail(Errc::oversized, "a multiaddr of more than 32 components");
    const MultiaddrProtocol* protocol = nullptr;
    KITH_TRY(const MultiaddrPart part, take_part(rest, protocol));
    KITH_TRY_VOID(check_value(protocol->form, part.value));
    if (protocol->form == ValueForm::path && !rest.empty())
      return fail(Errc::malformed, "a path is the last component of a multiaddr");
  }
  Multiaddr address;
  address.packed_ = Bytes::copy(packed);
  return address;
}

Multiaddr Multiaddr::of_tcp(ByteView address, std::uint16_t port) {
  std::vector<std::uint8_t> packed;
  append_part(packed, *find_protocol(address.size() == 4 ? proto::ip4 : proto::ip6), address);
  const std::array<std::uint8_t, 2> value{static_cast<std::uint8_t>(port >> 8),
                                          static_cast<std::uint8_t>(port)};
  append_part(packed, *find_protocol(proto::tcp), value);
  Multiaddr made;
  made.packed_ = Bytes::copy(ByteView(packed));
  return made;
}

Multiaddr Multiaddr::of_memory(std::uint64_t number) {
  const std::string name = std::to_string(number);
  std::vector<std::uint8_t> packed;
  append_part(packed, *find_protocol(proto::memory), as_bytes(name));
  Multiaddr made;
  made.packed_ = Bytes::copy(ByteView(packed));
  return made;
}

std::string Multiaddr::text() const {
  std::string text;
  for (const MultiaddrPart& part : parts()) {
    const MultiaddrProtocol& protocol = *find_protocol(part.code);
    (text += '/') += protocol.name;
    if (protocol.form == ValueForm::none) continue;
    if (protocol.form != ValueForm::path) text += '/';
    text += print_value(protocol.form, part.value);
  }
  return text;
}

std::vector<MultiaddrPart> Multiaddr::parts() const {
  std::vector<MultiaddrPart> parts;
  const MultiaddrProtocol* protocol = nullptr;
  for (ByteView rest = packed_; !rest.empty();) parts.push_back(*take_part(rest, protocol));
  return parts;
}

std::optional<MultiaddrPart> Multiaddr::find(std::uint32_t code) const {
  const MultiaddrProtocol* protocol = nullptr;
  for (ByteView rest = packed_; !rest.empty();) {
    const MultiaddrPart part = *take_part(rest, protocol);
    if (part.code == code) return part;
  }
  return std::nullopt;
}

std::optional<PeerId> Multiaddr::peer_id() const {
  std::optional<PeerId> id;
  const MultiaddrProtocol* protocol = nullptr;
  for (ByteView rest = packed_; !rest.empty();) {
    const MultiaddrPart part = *take_part(rest, protocol);
    if (part.code == proto::p2p) id = *PeerId::decode(part.value);
    if (part.code == proto::p2p_circuit) id.reset();
  }
  return id;
}

Multiaddr Multiaddr::with_peer_id(const PeerId& id) const {
  const ByteView front = packed_.view().first(size_without_peer(packed_));
  std::vector<std::uint8_t> packed(front.begin(), front.end());
  append_part(packed, *find_protocol(proto::p2p), id.bytes());
  Multiaddr made;
  made.packed_ = Bytes::copy(ByteView(packed));
  return made;
}

Multiaddr Multiaddr::without_peer_id() const {
  Multiaddr made;
  made.packed_ = packed_.slice(0, size_without_peer(packed_));
  return made;
}

bool Multiaddr::is_loopback() const {
  const std::optional<ByteView> ip = host_address(*this);
  return ip && loopback(*ip);
}

bool Multiaddr::is_private() const {
  const std::optional<ByteView> ip = host_address(*this);
  return ip && (loopback(*ip) || (ip->size() == 4 ? private_ip4(*ip) : private_ip6(*ip)));
}

}  // namespace kith
