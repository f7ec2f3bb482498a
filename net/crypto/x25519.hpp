// X25519 (RFC 7748) by libsodium: key pairs for Diffie-Hellman.
//
// Rule: an all-zero result is refused. The other side chose a point of low order then, and the
// "shared" secret would be known to everybody.
#pragma once

#include <array>
#include <cstdint>

#include "net/base/rng.hpp"
#include "net/crypto/secret.hpp"
#include "schema/base/result.hpp"

namespace kith::crypto {

inline constexpr std::size_t kX25519Bytes = 32;

using X25519Public = std::array<std::uint8_t, kX25519Bytes>;
using X25519Shared = Wiped<kX25519Bytes>;

class X25519Key {
 public:
  static X25519Key make(Rng& rng);
  // Any 32 bytes are a secret key; clamping is part of the function.
  explicit X25519Key(const Wiped<kX25519Bytes>& secret);

  const X25519Public& public_key() const { return public_; }
  // Errc::malformed for a point of low order.
  Result<X25519Shared> agree(const X25519Public& theirs) const;

 private:
  Wiped<kX25519Bytes> secret_;
  X25519Public public_{};
};

}  // namespace kith::crypto
