// Proof-of-Availability's messages and records as plain structs, decoded from and encoded to
// Cap'n Proto (poa.capnp).
//
// Bounds: kBeatBytesMax a beat; kTableAnswerBytesMax a page of a table, with at most
// kStatementEntriesMax peers of kStatementEpochsMax epochs; kPoaRecordBytesMax a record. A beat
// that is shorter than its fields is `truncated`, never filled up with zeros. Attacker: whoever may
// publish or open a stream. What a beat claims (time, capacity) is judged by services/poa.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"

namespace kith::schema {

inline constexpr std::size_t kBeatBytesMax = 200;
inline constexpr std::size_t kTableQuestionBytesMax = 256;
inline constexpr std::size_t kTableAnswerBytesMax = 60u << 10;
inline constexpr std::size_t kStatementEntriesMax = 400;  // of 30 epochs: 400 * 136 bytes
inline constexpr std::size_t kStatementEpochsMax = 64;
inline constexpr std::size_t kPoaRecordBytesMax = 16u << 10;  // a week of 10 s slots is 7,560 bytes
inline constexpr std::uint32_t kSlotsPerEpochMax = 60'480;    // a week of 10 s slots

// What a machine has to give: a claim of its owner's, never a proof.
struct Capacity {
  std::uint16_t cores = 0;
  std::uint16_t flags = 0;  // kKeepsForOthers
  std::uint32_t memory_mib = 0;
  std::uint64_t disk_free_mib = 0;
  friend bool operator==(const Capacity&, const Capacity&) = default;
};
inline constexpr std::uint16_t kKeepsForOthers = 1;

struct Beat {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint64_t time_ms = 0;  // Unix, of the publisher's wall clock
  Capacity capacity;
  friend bool operator==(const Beat&, const Beat&) = default;
};

struct StatementEntry {
  PeerId peer;
  std::vector<std::uint8_t> values;  // one for each of up_slots
  friend bool operator==(const StatementEntry&, const StatementEntry&) = default;
};
// A page of what `owner` observed.
struct Statement {
  PeerId owner;
  std::uint64_t time_ms = 0;
  std::uint32_t epoch_seconds = 0;
  std::uint64_t first_epoch = 0;
  std::vector<std::uint32_t> up_slots;  // the owner's own, an epoch each
  std::vector<StatementEntry> entries;  // in the order of peer ids
  bool more = false;
  friend bool operator==(const Statement&, const Statement&) = default;
};
struct SignedStatement {
  Bytes statement;  // encoded: the bytes that were signed
  Bytes signature;
};

struct PoaPeerRecord {
  std::uint64_t sequence = 0;
  std::uint64_t heard_slot = 0;
  Capacity capacity;
};
struct PoaEpochRecord {
  std::uint32_t slots_total = 0;
  std::vector<std::uint8_t> slots;  // bitmap of slots_total bits, or empty: closed
  std::uint32_t seen = 0;
  std::vector<std::uint8_t> parts;
};

Bytes encode_beat(const Beat& beat);
// Errors: oversized, truncated, malformed.
Result<Beat> decode_beat(ByteView message);
Bytes encode_table_question(const PeerId& after);
Result<PeerId> decode_table_question(ByteView message);  // empty: from the start
Bytes encode_signed_statement(const SignedStatement& answer);
Result<SignedStatement> decode_signed_statement(ByteView message);
Bytes encode_statement(const Statement& statement);
Result<Statement> decode_statement(ByteView bytes);
Bytes encode_poa_peer(const PoaPeerRecord& record);
Result<PoaPeerRecord> decode_poa_peer(ByteView bytes);
Bytes encode_poa_epoch(const PoaEpochRecord& record);
Result<PoaEpochRecord> decode_poa_epoch(ByteView bytes);

}  // namespace kith::schema
