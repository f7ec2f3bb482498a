// ChaCha20-Poly1305 (RFC 8439) by libcrypto, for bulk data: one context a direction, made once and
// re-keyed or re-nonced after that, so that a frame costs no allocation and no algorithm look-up.
//
// The nonce is Noise's (specification section 12): four zero bytes, then the counter in
// little-endian. Counting is the caller's: a nonce used twice under one key gives both messages
// away.
//
// Input and output may be the same memory, and must not overlap otherwise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "schema/base/bytes.hpp"

struct evp_cipher_ctx_st;

namespace kith::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadTagBytes = 16;

using AeadKey = std::span<const std::uint8_t, kAeadKeyBytes>;
using AeadNonce = std::array<std::uint8_t, 12>;

AeadNonce aead_nonce(std::uint64_t counter);

struct CipherContextFree {
  void operator()(evp_cipher_ctx_st* context) const;
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, CipherContextFree>;

// Encrypts. Either whole messages with seal(), or piece by piece: begin, update..., finish.
class AeadSealer {
 public:
  AeadSealer();  // without a key: set one before anything else
  void set_key(AeadKey key);

  void begin(const AeadNonce& nonce, ByteView associated);
  // Writes from.size() bytes to `to`.
  void update(ByteView from, std::uint8_t* to);
  // Writes kAeadTagBytes to `tag`.
  void finish(std::uint8_t* tag);

  // Writes from.size() + kAeadTagBytes to `to`.
  void seal(const AeadNonce& nonce, ByteView associated, ByteView from, std::uint8_t* to);

 private:
  CipherContext context_;
};

class AeadOpener {
 public:
  AeadOpener();
  void set_key(AeadKey key);
  // `from` is ciphertext and tag. Writes from.size() - kAeadTagBytes to `to` and returns true; or
  // returns false, with what it wrote overwritten by zeros.
  [[nodiscard]] bool open(const AeadNonce& nonce, ByteView associated, ByteView from,
                          std::uint8_t* to);

 private:
  CipherContext context_;
};

}  // namespace kith::crypto
