// EDIL's messages and records as plain structs, decoded from and encoded to Cap'n Proto
// (edil.capnp).
//
// Rules: ids of tasks are 32 bytes, hashes too; CIDs and peer ids are parsed; every number is
// within its bound below, so that sizes computed from a decoded task do not wrap. Signatures are
// only measured here; who holds a Signed checks it (services/edil/records.hpp).
//
// Bounds: kEdilMessageMax a gossip message, kEdilAnswerMax an answer; counts below. Attacker:
// whoever may publish or open a stream.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/cid.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"
#include "schema/base/sha256.hpp"

namespace kith::schema {

inline constexpr std::size_t kEdilMessageMax = 60u << 10;
inline constexpr std::size_t kEdilQuestionMax = 16u << 10;
inline constexpr std::size_t kEdilAnswerMax = 2u << 20;
inline constexpr std::size_t kEdilTaskMax = 1024;     // bytes of a task's body
inline constexpr std::size_t kEdilNameMax = 64;       // bytes of a task's name
inline constexpr std::size_t kContributorsMax = 256;  // their close fits a gossip message
inline constexpr std::uint32_t kRoundsMax = 1000;
inline constexpr std::uint32_t kInputsMax = 4096;
inline constexpr std::uint32_t kHiddenMax = 1024;
inline constexpr std::uint32_t kOutputsMax = 64;
inline constexpr std::uint32_t kParametersMax = 260'000;  // a model is one block of R1FS
inline constexpr std::uint32_t kSamplesMax = 1u << 20;    // of one contributor
inline constexpr std::uint32_t kRateMax = 10'000'000;     // 10 in millionths
inline constexpr std::uint32_t kEpochsMax = 100;
inline constexpr std::uint32_t kBatchMax = 1024;
inline constexpr std::uint32_t kRoundMsMin = 1'000;
inline constexpr std::uint32_t kRoundMsMax = 24u * 3600 * 1000;
inline constexpr std::size_t kPartBytes = 56u << 10;  // of an update in one message
inline constexpr std::size_t kPartsMax = 8;
inline constexpr std::size_t kTasksAnswerMax = 128;
inline constexpr std::size_t kClosesAnswerMax = 64;
inline constexpr std::size_t kAskedUpdatesMax = 256;

enum class ModelKind : std::uint8_t { softmax, mlp };
enum class DataKind : std::uint8_t { digits_iid, digits_by_label, own };

struct ModelShape {
  ModelKind kind = ModelKind::softmax;
  std::uint32_t inputs = 784;
  std::uint32_t hidden = 0;  // softmax: 0
  std::uint32_t outputs = 10;
  std::uint32_t parameters() const;
  friend bool operator==(const ModelShape&, const ModelShape&) = default;
};
// Errors: configuration, saying which number is outside which bounds.
Result<void> check_shape(const ModelShape& shape);

using TaskId = Sha256Digest;

struct EdilSigned {
  PeerId signer;
  Bytes body;
  Bytes signature;
};

struct EdilTask {
  std::string name;
  ModelShape shape;
  Cid first_model;
  std::uint32_t rounds = 10;
  std::uint32_t contributors_min = 1;
  std::uint32_t rate_millionths = 500'000;
  std::uint32_t epochs = 1;
  std::uint32_t batch = 16;
  DataKind data = DataKind::digits_iid;
  std::uint32_t samples = 200;
  std::uint32_t round_ms = 30'000;
  std::uint64_t created_ms = 0;
};
Result<void> check_task(const EdilTask& task);

struct EdilJoin {
  TaskId task{};
  std::uint64_t at_ms = 0;
  bool leaves = false;
};

struct EdilMember {
  PeerId contributor;
  std::uint32_t samples = 0;  // 1 to kSamplesMax
  Sha256Digest hash{};
  Bytes signature;
};

struct EdilClose {
  TaskId task{};
  std::uint32_t round = 0;  // 1 to kRoundsMax
  std::uint32_t view = 0;
  Cid base;
  Cid model;
  std::vector<EdilMember> members;  // strictly ascending by contributor; 1 to kContributorsMax
};

struct EdilPart {
  TaskId task{};
  std::uint32_t round = 0;
  Cid base;
  EdilMember member;
  std::uint16_t count = 0;  // 1 to kPartsMax
  std::uint16_t index = 0;  // below count
  Bytes bytes;              // 1 to kPartBytes
};

struct ClosedRound {
  EdilSigned record;
};
struct JoinedTask {
  EdilSigned record;
};
using EdilMessage = std::variant<EdilPart, ClosedRound, JoinedTask>;

struct TasksQuestion {};
struct ChainQuestion {
  TaskId task{};
  std::uint32_t from_round = 0;
  std::uint64_t weight = 0;
  Cid model;  // the asker's head
  std::uint32_t joins = 0;
};
struct UpdatesQuestion {
  TaskId task{};
  Cid base;
  std::vector<Sha256Digest> hashes;
};
using EdilQuestion = std::variant<TasksQuestion, ChainQuestion, UpdatesQuestion>;

struct EdilUpdate {
  std::uint32_t round = 0;
  Cid base;
  EdilMember member;
  Bytes payload;
};
struct EdilAnswer {
  std::uint64_t weight = 0;
  std::uint32_t round = 0;
  std::vector<EdilSigned> records;
  std::vector<EdilSigned> joins;
  std::vector<EdilUpdate> updates;
};

Bytes encode_edil_task(const EdilTask& task);
Result<EdilTask> decode_edil_task(ByteView body);
Bytes encode_edil_join(const EdilJoin& join);
Result<EdilJoin> decode_edil_join(ByteView body);
Bytes encode_edil_close(const EdilClose& close);
Result<EdilClose> decode_edil_close(ByteView body);
Bytes encode_edil_signed(const EdilSigned& record);
Result<EdilSigned> decode_edil_signed(ByteView bytes);
Bytes encode_edil_message(const EdilMessage& message);
Result<EdilMessage> decode_edil_message(ByteView bytes);
Bytes encode_edil_question(const EdilQuestion& question);
Result<EdilQuestion> decode_edil_question(ByteView bytes);
Bytes encode_edil_answer(const EdilAnswer& answer);
Result<EdilAnswer> decode_edil_answer(ByteView bytes);

}  // namespace kith::schema
