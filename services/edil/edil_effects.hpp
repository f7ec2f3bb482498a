// What the cores of edil ask of their attachment. Names of answers are those of EdilCore's inputs.
#pragma once

#include <variant>
#include <vector>

#include "gossip/gossip.hpp"
#include "net/base/store.hpp"
#include "services/edil/edil.hpp"
#include "services/edil/records.hpp"
#include "services/edil/trainer.hpp"

namespace kith::edil {

// On the topic of all tasks, or of one.
struct Announce {
  Bytes message;
};
struct Publish {
  TaskId task{};
  Bytes message;
};
struct Subscribe {
  TaskId task{};
};
struct Unsubscribe {
  TaskId task{};
};
struct Settle {
  gossip::JudgeSlot judge;
  gossip::Verdict verdict = gossip::Verdict::accept;
};

// On the pool: whether all signatures hold.
struct Verify {
  std::uint64_t tag = 0;
  std::vector<Check> checks;
};  // on_verified

// Reads or draws the samples of a contributor; what on_data wants is kept until DropData.
struct LoadData {
  std::uint64_t tag = 0;
  TaskId task{};
  DataSource source;
  ModelShape shape;
  DataKind kind = DataKind::digits_iid;
  std::uint64_t seed = 0;
  std::uint32_t samples = 0;
};  // on_data
struct DropData {
  TaskId task{};
};
struct Train {
  TaskId task{};
  Cid base;
  SharedWeights weights;
  TrainingPlan plan;
};  // on_trained
struct Measure {
  TaskId task{};
  Cid model;
  SharedWeights weights;
  ModelShape shape;
  bool digits = true;  // drawn ones serve who has no samples of its own
};                     // on_measured

// The weighted mean of updates, applied to a model.
struct Counted {
  Bytes payload;
  std::uint32_t samples = 0;
};
struct Merge {
  TaskId task{};
  std::uint64_t tag = 0;
  Model head;  // of the new model; its weights are still the base's
  std::vector<Counted> updates;
};  // on_merged

struct PutObject {
  std::uint64_t tag = 0;
  Bytes content;
  std::string name;
};  // on_put
struct GetObject {
  std::uint64_t tag = 0;
  Cid cid;
};  // on_got

struct Commit {
  StoreBatch batch;
  Durability durability = Durability::buffered;
  std::uint64_t tag = 0;
};  // on_persisted
struct Scan {
  Bytes from;
};  // on_scanned

struct Ask {
  host::PeerSlot peer;
  std::uint64_t tag = 0;
  schema::EdilQuestion question;
};  // on_answer
struct StopAsking {
  std::uint64_t tag = 0;
};  // its answer is not wanted any more

struct TellProgress {
  RequestId request;
  Progress progress;
};
struct TellDone {
  RequestId request;
  Result<Answer> answer;
};
struct TellReady {
  Result<void> result;
};

using Effect = std::variant<Announce, Publish, Subscribe, Unsubscribe, Settle, Verify, LoadData,
                            DropData, Train, Measure, Merge, PutObject, GetObject, Commit, Scan,
                            Ask, StopAsking, TellProgress, TellDone, TellReady>;
using Effects = std::vector<Effect>;

// What a merge gives.
struct Merged {
  SharedWeights weights;
  Bytes file;
  Cid cid;
};
// What training gives.
struct Trained {
  Bytes payload;
  std::uint32_t samples = 0;       // behind it
  std::uint64_t samples_seen = 0;  // epochs times samples
};

}  // namespace kith::edil
