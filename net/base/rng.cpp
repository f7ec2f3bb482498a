#include "net/base/rng.hpp"

#include <sodium.h>

#include <cstring>

#include "net/base/check.hpp"

namespace kith {

Rng::Rng(std::uint64_t seed) : seed_{} {
  for (std::size_t i = 0; i < 8; ++i) seed_[i] = static_cast<std::uint8_t>(seed >> (8 * i));
}

Rng Rng::from_system() {
  CHECK(sodium_init() >= 0);
  Seed seed{};
  randombytes_buf(seed.data(), seed.size());
  return Rng(seed);
}

void Rng::refill() {
  static constexpr std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> kNonce{};
  std::memset(buffer_.data(), 0, buffer_.size());
  crypto_stream_chacha20_xor_ic(buffer_.data(), buffer_.data(), buffer_.size(), kNonce.data(),
                                block_, seed_.data());
  block_ += buffer_.size() / 64;
  used_ = 0;
}

std::uint64_t Rng::next() {
  if (buffer_.size() - used_ < 8) refill();
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= static_cast<std::uint64_t>(buffer_[used_ + i]) << (8 * i);
  sodium_memzero(buffer_.data() + used_, 8);
  used_ += 8;
  return value;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  CHECK(bound > 0);
  // Rejection keeps it uniform: the first `threshold` values would be drawn once too often.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t drawn = next();
    if (drawn >= threshold) return drawn % bound;
  }
}

void Rng::fill(std::span<std::uint8_t> to) {
  for (std::size_t at = 0; at < to.size();) {
    if (used_ == buffer_.size()) refill();
    const std::size_t part = std::min(to.size() - at, buffer_.size() - used_);
    std::memcpy(to.data() + at, buffer_.data() + used_, part);
    sodium_memzero(buffer_.data() + used_, part);
    used_ += part;
    at += part;
  }
}

Rng Rng::fork(std::string_view name, std::uint64_t index) const {
  crypto_generichash_state state;
  Seed seed{};
  std::array<std::uint8_t, 8> number{};
  for (std::size_t i = 0; i < 8; ++i) number[i] = static_cast<std::uint8_t>(index >> (8 * i));
  crypto_generichash_init(&state, seed_.data(), seed_.size(), seed.size());
  crypto_generichash_update(&state, number.data(), number.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(name.data()),
                            name.size());
  crypto_generichash_final(&state, seed.data(), seed.size());
  return Rng(seed);
}

}  // namespace kith
