// HKDF with SHA-256 (RFC 5869).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "net/crypto/secret.hpp"

namespace kith::crypto {

inline constexpr std::size_t kHkdfHashBytes = 32;
inline constexpr std::size_t kHkdfOutputMax = 255 * kHkdfHashBytes;

using HkdfKey = Wiped<kHkdfHashBytes>;

HkdfKey hkdf_extract(ByteView salt, ByteView input_key);
// to.size() <= kHkdfOutputMax.
void hkdf_expand(const HkdfKey& key, ByteView info, std::span<std::uint8_t> to);

}  // namespace kith::crypto
