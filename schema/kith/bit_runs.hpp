// Bitmaps packed for the store: the shorter of the plain bytes and the lengths of runs.
//
// Form: a byte 0 and the bitmap, or a byte 1 and uvarints, the lengths of runs of zeros and ones in
// turn, zeros first; bits after the last run are zero. Bits are numbered from the lowest of each
// byte. A node that is always there packs a day into five bytes, and the worst pattern costs one
// byte more than the bitmap.
//
// Bounds: unpacking allocates for `bits` only, whatever the runs say. Attacker: a damaged disk.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::schema {

constexpr std::size_t bitmap_bytes(std::uint32_t bits) { return (std::size_t{bits} + 7) / 8; }
inline bool bit_at(const std::vector<std::uint8_t>& bitmap, std::uint32_t at) {
  return (bitmap[at / 8] >> (at % 8) & 1) != 0;
}
inline void set_bit(std::vector<std::uint8_t>& bitmap, std::uint32_t at) {
  bitmap[at / 8] = static_cast<std::uint8_t>(bitmap[at / 8] | 1u << (at % 8));
}

// `bitmap` has bitmap_bytes(bits) bytes.
std::vector<std::uint8_t> pack_bits(const std::vector<std::uint8_t>& bitmap, std::uint32_t bits);
// Errors: malformed (runs beyond `bits`, a set bit beyond them, another form).
Result<std::vector<std::uint8_t>> unpack_bits(ByteView packed, std::uint32_t bits);

}  // namespace kith::schema
