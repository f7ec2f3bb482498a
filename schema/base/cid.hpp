// Cid: the name of a block, from its content (multiformats/cid). Version 1 in base32 is what we
// make; version 0 (base58, Qm...) is read.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "schema/base/multihash.hpp"

namespace kith {

inline constexpr std::uint64_t kCodecRaw = 0x55;
inline constexpr std::uint64_t kCodecDagPb = 0x70;
inline constexpr std::uint64_t kCodecLibp2pKey = 0x72;

class Cid {
 public:
  Cid() = default;
  static Cid v1(std::uint64_t codec, Multihash hash);
  static Result<Cid> decode(ByteView bytes);
  static Result<Cid> decode_front(ByteView bytes, std::size_t& used);
  // Text in any of: CIDv0 base58btc, CIDv1 in base32 (b), base58btc (z), base36 (k), base16 (f);
  // with or without a leading /ipfs/ or ipfs://.
  static Result<Cid> parse(std::string_view text);

  int version() const { return version_; }
  std::uint64_t codec() const { return codec_; }
  const Multihash& hash() const { return hash_; }
  Bytes bytes() const;       // binary form
  std::string text() const;  // base32 for version 1, base58btc for version 0
  bool empty() const { return hash_.empty(); }
  friend bool operator==(const Cid&, const Cid&) = default;
  friend auto operator<=>(const Cid&, const Cid&) = default;

 private:
  int version_ = 1;
  std::uint64_t codec_ = kCodecRaw;
  Multihash hash_;
};

}  // namespace kith
