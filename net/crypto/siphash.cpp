#include "net/crypto/siphash.hpp"

#include "net/crypto/sodium.hpp"

namespace kith::crypto {

static_assert(SipHash::kKeyBytes == crypto_shorthash_KEYBYTES);

SipHash::SipHash(Rng& rng) { rng.fill(key_.span()); }

std::uint64_t SipHash::operator()(ByteView bytes) const {
  std::array<std::uint8_t, crypto_shorthash_BYTES> digest{};
  crypto_shorthash(digest.data(), start_of(bytes), bytes.size(), key_.data());
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < digest.size(); ++i)
    value |= static_cast<std::uint64_t>(digest[i]) << (8 * i);
  return value;
}

}  // namespace kith::crypto
