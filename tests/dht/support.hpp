// Shorthands of the dht tests: peers, keys and times made from numbers.
#pragma once

#include <array>

#include "dht/dht.hpp"

namespace kith::dht::test {

inline constexpr Wall kStart{std::chrono::hours(500'000)};

inline Now at(Duration since_start) {
  return {Mono(std::chrono::hours(1)) + since_start, kStart + since_start};
}

// An Ed25519-shaped peer id that is a function of `number`.
inline PeerId peer_id(std::uint64_t number) {
  std::array<std::uint8_t, 36> key{0x08, 0x01, 0x12, 0x20};
  Rng(number).fill(std::span(key).subspan(4));
  return PeerId::of_public_key(key);
}

inline Multihash content(std::uint64_t number) {
  const std::array<std::uint8_t, 8> bytes = std::bit_cast<std::array<std::uint8_t, 8>>(number);
  return Multihash::of_sha256(bytes);
}

inline Multiaddr addr(std::string_view text) {
  Result<Multiaddr> parsed = Multiaddr::parse(text);
  CHECK(parsed.has_value());
  return std::move(*parsed);
}

inline Multiaddr public_addr(std::uint32_t network, std::uint8_t host = 1) {
  const std::array<std::uint8_t, 4> ip{static_cast<std::uint8_t>(20 + (network >> 16) % 100),
                                       static_cast<std::uint8_t>(network >> 8),
                                       static_cast<std::uint8_t>(network), host};
  return Multiaddr::of_tcp(ip, 4001);
}

template <class E>
std::vector<E> only(const Effects& effects) {
  std::vector<E> found;
  for (const Effect& effect : effects)
    if (const E* one = std::get_if<E>(&effect)) found.push_back(*one);
  return found;
}

inline host::PeerSlot peer_slot(std::uint32_t index) { return {index, 0}; }
inline host::StreamSlot stream_slot(std::uint32_t index) { return {index, 0}; }

// Judges "/n/..." records: a value is valid when it begins with 'v', and the greater is the better.
class GreaterWins final : public Validator {
 public:
  Result<void> validate(ByteView, ByteView value, Wall) const override {
    if (!value.empty() && value[0] == 'v') return {};
    return fail(Errc::malformed, "a value that does not begin with v");
  }
  int select(ByteView, ByteView a, ByteView b) const override { return order(a, b) < 0 ? 1 : 0; }
};

}  // namespace kith::dht::test
