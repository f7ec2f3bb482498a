// Multihash: a digest that names its function (multiformats/multihash). We make SHA-256 and
// identity only, and keep any other that is well formed, so that records about them can be passed
// on.
#pragma once

#include <compare>
#include <cstdint>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith {

inline constexpr std::uint64_t kMultihashIdentity = 0x00;
inline constexpr std::uint64_t kMultihashSha256 = 0x12;
inline constexpr std::size_t kMultihashDigestMax = 128;  // bytes; identity digests included

class Multihash {
 public:
  Multihash() = default;                            // empty: valid only as "none"
  static Result<Multihash> decode(ByteView bytes);  // all of `bytes`
  // One multihash from the front of `bytes`; `used` is set to its length.
  static Result<Multihash> decode_front(ByteView bytes, std::size_t& used);
  static Multihash identity(ByteView content);   // content <= kMultihashDigestMax bytes
  static Multihash sha256(ByteView digest);      // digest: 32 bytes, already hashed
  static Multihash of_sha256(ByteView content);  // hashes with libcrypto (SHA-NI)

  std::uint64_t function() const;
  ByteView digest() const;
  const Bytes& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  friend bool operator==(const Multihash&, const Multihash&) = default;
  friend auto operator<=>(const Multihash&, const Multihash&) = default;

 private:
  Bytes bytes_;
};

}  // namespace kith
