// CSTORE's messages and records as plain structs, decoded from and encoded to Cap'n Proto
// (cstore.capnp).
//
// Rules: a batch's identity is the SHA-256 of its body; the signature around it may be made anew
// without making another batch. Names of namespaces are [a-z0-9._-], so that they can stand in a
// topic.
// Bounds: every size below is checked on the raw bytes before anything is copied out of them.
// Attacker: whoever publishes or answers a stream. Signatures are not checked here.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"
#include "schema/base/sha256.hpp"

namespace kith::schema {

inline constexpr std::size_t kKvSpaceMax = 64;
inline constexpr std::size_t kKvKeyMax = 512;
inline constexpr std::size_t kKvValueMax = 32u << 10;
inline constexpr std::size_t kKvOpsMax = 512;                // of a batch
inline constexpr std::size_t kKvSignedBytesMax = 60u << 10;  // what a gossip message carries
inline constexpr std::size_t kKvMarksMax = 1024;             // writers of a namespace
inline constexpr std::size_t kKvPageBatchesMax = 1024;
// A full vector of marks takes 136 bytes a writer; a page of batches is cut to it.
inline constexpr std::size_t kKvStreamBytesMax = 256u << 10;
inline constexpr std::size_t kKvRecordBytesMax = 256;

// [a-z0-9._-], 1 to kKvSpaceMax of them.
bool is_kv_space(std::string_view name);

enum class KvOpKind : std::uint8_t { put = 1, del = 2, counter = 3 };
struct KvOp {
  KvOpKind kind = KvOpKind::put;
  Bytes key;
  Bytes value;           // put
  std::uint64_t up = 0;  // counter: sums of the writer's incarnation so far
  std::uint64_t down = 0;
};
// Who writes: a peer, from one point on at which its store did not know what it had written before.
struct KvWriter {
  PeerId id;
  std::uint64_t started = 0;  // Unix milliseconds
  std::uint64_t nonce = 0;
  friend bool operator==(const KvWriter&, const KvWriter&) = default;
  friend auto operator<=>(const KvWriter&, const KvWriter&) = default;
};
struct KvBatch {
  std::string space;
  KvWriter writer;
  std::uint64_t sequence = 0;
  std::uint64_t stamp = 0;
  std::vector<KvOp> ops;
};
struct KvSigned {
  Bytes body;
  Bytes signature;
};
struct KvMark {
  KvWriter writer;
  std::uint64_t highest = 0;
  Sha256Digest digest{};
};
struct KvAsk {
  std::string space;
  Sha256Digest root{};
  bool full = false;
  std::vector<KvMark> marks;
  KvMark walk;  // with an empty writer: none
};
struct KvPage {
  bool same = false;
  bool more = false;
  std::vector<Bytes> batches;
  std::vector<KvMark> forks;
};
struct KvSpaceRecord {
  std::uint64_t started = 0;
  std::uint64_t nonce = 0;
};

Bytes encode_kv_batch(const KvBatch& batch);
Result<KvBatch> decode_kv_batch(ByteView body);
Bytes encode_kv_signed(ByteView body, ByteView signature);
Result<KvSigned> decode_kv_signed(ByteView message);
Bytes encode_kv_ask(const KvAsk& ask);
Result<KvAsk> decode_kv_ask(ByteView message);
Bytes encode_kv_page(const KvPage& page);
Result<KvPage> decode_kv_page(ByteView message);
Bytes encode_kv_space_record(const KvSpaceRecord& record);
Result<KvSpaceRecord> decode_kv_space_record(ByteView bytes);

}  // namespace kith::schema
