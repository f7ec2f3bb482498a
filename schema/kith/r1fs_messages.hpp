// R1FS's messages and records as plain structs, decoded from and encoded to Cap'n Proto
// (r1fs.capnp).
//
// Bounds: kOfferBytesMax a message, kOfferBlocksMax blocks, traversal of at most 8 times the input,
// nesting 4. Attacker: whoever may publish or open a stream; CIDs are parsed, sizes are claims,
// bodies are checked against their CIDs by the keeper.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/cid.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"

namespace kith::schema {

inline constexpr std::size_t kOfferBytesMax = 60u << 10;
inline constexpr std::size_t kOfferBlocksMax = 64;
inline constexpr std::size_t kRecordBytesMax = 4096;

struct OfferedBlock {
  Cid cid;
  std::uint32_t size = 0;
  Bytes body;
};
struct Offer {
  Cid root;
  std::uint64_t file_bytes = 0;
  std::uint32_t blocks_total = 0;
  std::uint64_t expires = 0;  // Unix seconds
  std::vector<OfferedBlock> blocks;
};
struct FileRecord {
  Cid root;
  std::string name;
  std::uint64_t bytes = 0;
  std::uint32_t blocks = 0;
  std::uint64_t added = 0;  // Unix seconds
  bool own = false;
  bool is_public = false;
  std::uint32_t offers_done = 0;
  PeerId publisher;
};
struct BlockRecord {
  std::uint32_t size = 0;
  std::uint32_t public_refs = 0;
  std::uint32_t local_refs = 0;
  Multihash kept_for;  // empty: not kept
  std::uint32_t codec = 0;
};

Bytes encode_offer(const Offer& offer);
Result<Offer> decode_offer(const Bytes& message);
Bytes encode_holds_question(const Cid& root);
Result<Cid> decode_holds_question(const Bytes& message);
Bytes encode_holds_answer(bool complete);
Result<bool> decode_holds_answer(const Bytes& message);
Bytes encode_file_record(const FileRecord& record);
Result<FileRecord> decode_file_record(const Bytes& bytes);
Bytes encode_block_record(const BlockRecord& record);
Result<BlockRecord> decode_block_record(const Bytes& bytes);

}  // namespace kith::schema
