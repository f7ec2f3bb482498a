// Key: a point of the Kademlia key space, the SHA-256 of the raw bytes that name a thing (peer id,
// provider multihash, value key), and the XOR distance between two (libp2p/specs kad-dht,
// "Distance").
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>

#include "schema/base/bytes.hpp"

namespace kith::dht {

inline constexpr int kKeyBits = 256;

struct Key {
  std::array<std::uint64_t, 4> words{};  // most significant first

  static Key of(ByteView raw);  // hashes
  friend bool operator==(const Key&, const Key&) = default;
  friend auto operator<=>(const Key&, const Key&) = default;
};

// As a number: the smaller, the nearer.
inline Key distance(const Key& a, const Key& b) {
  Key apart;
  for (std::size_t i = 0; i < 4; ++i) apart.words[i] = a.words[i] ^ b.words[i];
  return apart;
}

// Is `a` nearer to `target` than `b` is?
inline bool nearer(const Key& target, const Key& a, const Key& b) {
  for (std::size_t i = 0; i < 4; ++i)
    if (a.words[i] != b.words[i])
      return (a.words[i] ^ target.words[i]) < (b.words[i] ^ target.words[i]);
  return false;
}

// Leading bits that both share: 0 to 256, which is equality. The index of b's bucket in a's table.
inline int common_prefix(const Key& a, const Key& b) {
  for (std::size_t i = 0; i < 4; ++i)
    if (const std::uint64_t apart = a.words[i] ^ b.words[i]; apart != 0)
      return static_cast<int>(64 * i) + std::countl_zero(apart);
  return kKeyBits;
}

}  // namespace kith::dht
