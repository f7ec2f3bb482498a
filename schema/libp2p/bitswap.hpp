// Bitswap 1.2.0 messages (ipfs/specs bitswap-protocol.md): wants, blocks, presences.
//
// Bounds: kBitswapMessageMax bytes a message, kBitswapEntriesMax of each repeated field, counted on
// the raw bytes before anything is stored; CIDs of at most kMultihashDigestMax digest bytes. Blocks
// are slices of the message. A block's CID is computed by its receiver from prefix and data: it is
// never taken from the sender.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/cid.hpp"
#include "schema/base/result.hpp"

namespace kith::libp2p {

inline constexpr std::size_t kBitswapMessageMax = 4u << 20;
inline constexpr std::size_t kBitswapBlockMax = 2u << 20;
inline constexpr std::size_t kBitswapEntriesMax = 4096;

struct BitswapWant {
  enum class Type : std::uint8_t { block = 0, have = 1 };
  Cid cid;
  std::int32_t priority = 1;
  bool cancel = false;
  Type type = Type::block;
  bool send_dont_have = false;
};

struct BitswapBlock {
  std::uint64_t version = 1;  // CID prefix: all but the digest
  std::uint64_t codec = kCodecRaw;
  std::uint64_t hash_function = kMultihashSha256;
  std::uint64_t digest_bytes = 32;
  Bytes data;
};

struct BitswapPresence {
  Cid cid;
  bool have = false;
};

struct BitswapMessage {
  bool full = false;  // the wants are the whole list, not a change to it
  std::vector<BitswapWant> wants;
  std::vector<BitswapBlock> blocks;
  std::vector<BitswapPresence> presences;
  std::int32_t pending_bytes = 0;
};

// Wants and presences whose CIDs cannot be read are skipped (other hash functions are none of our
// business); blocks of the 1.0 form (field 2) are ignored. Errors: malformed, truncated, oversized.
Result<BitswapMessage> decode_bitswap(const Bytes& message);
Bytes encode_bitswap(const BitswapMessage& message);
// The CID that a block has, by hashing it; only SHA-256 and identity are known. Errors:
// unsupported.
Result<Cid> cid_of(const BitswapBlock& block);
BitswapBlock block_of(const Cid& cid, Bytes data);

}  // namespace kith::libp2p
