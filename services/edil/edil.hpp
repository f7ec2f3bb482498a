// Edil: the front of services/edil: learning tasks that many nodes train together. Each contributor
// trains on samples of its own and publishes what changed in the weights; each round ends in one
// model, the same bits on every node, which is an R1FS object linked to the last.
//
// Rules
// * Every request has one on_edil_done; cancel(id) is always legal and leaves the task as it is: a
//   join whose samples are still being read comes to nothing, one that is past that goes on.
// * create answers when the task is durable and announced; join when its samples are read and the
//   part that this node takes is durable; wait when the last round is closed.
// * Updates are in plain for now: whoever listens to a task can learn from an update about the
//   samples behind it. The commands say so.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "schema/kith/edil_messages.hpp"

namespace kith::edil {

using schema::DataKind;
using schema::ModelKind;
using schema::ModelShape;
using schema::TaskId;

std::string task_text(const TaskId& id);  // hex
Result<TaskId> parse_task(std::string_view text);

enum class Role : std::uint8_t { none, follower, contributor };
std::string_view role_name(Role role);

// Where a contributor's samples come from: what the task says (drawn digits), or its own files.
enum class SourceKind : std::uint8_t { drawn, idx, csv };
struct DataSource {
  SourceKind kind = SourceKind::drawn;
  std::string path;  // idx: a folder with one *idx3* and one *idx1* file; csv: a file
};

struct CreateTask {
  schema::EdilTask task;  // first_model and created_ms are filled in
};
struct JoinTask {
  TaskId task{};
  DataSource data;
  bool follow = false;  // only keep the models
};
struct LeaveTask {
  TaskId task{};
};
struct ListTasks {};
struct ShowTask {
  TaskId task{};
};
struct ShowRounds {
  TaskId task{};
};
struct WaitTask {
  TaskId task{};
};  // tells each round
using Request =
    std::variant<CreateTask, JoinTask, LeaveTask, ListTasks, ShowTask, ShowRounds, WaitTask>;

// On held-out samples.
struct Accuracy {
  std::uint64_t right = 0;
  std::uint64_t of = 0;  // 0: not measured
};

struct RoundInfo {
  std::uint32_t round = 0;
  std::uint32_t view = 0;  // leaders passed over before this one
  PeerId leader;
  std::uint32_t contributors = 0;
  std::uint64_t samples = 0;
  Accuracy accuracy;
  Cid model;
};

struct TaskInfo {
  TaskId id{};
  schema::EdilTask task;
  PeerId creator;
  Role role = Role::none;
  std::uint32_t round = 0;    // last closed here
  Cid model;                  // of that round
  std::uint32_t joined = 0;   // contributors that said so
  std::uint32_t updates = 0;  // of the round under way, held here
  std::uint64_t weight = 0;   // samples behind all rounds
  std::uint32_t own_samples = 0;
  Accuracy accuracy;
  std::string doing;  // "training", "waiting for updates", ...
};
struct TaskList {
  std::vector<TaskInfo> tasks;
};
struct RoundList {
  std::vector<RoundInfo> rounds;
};
using Answer = std::variant<TaskInfo, TaskList, RoundList>;
using Progress = std::variant<RoundInfo>;

class Sink {
 public:
  virtual void on_edil_progress(Now, RequestId, const Progress&) {}
  virtual void on_edil_done(Now, RequestId, Result<Answer>) = 0;

 protected:
  ~Sink() = default;
};

// What came from others and was refused, by reason; and what went well.
struct Counters {
  std::uint64_t forged = 0;    // a signature or hash does not hold, or somebody else's name
  std::uint64_t replayed = 0;  // known already
  std::uint64_t truncated = 0;
  std::uint64_t oversized = 0;
  std::uint64_t malformed = 0;
  std::uint64_t future_dated = 0;
  std::uint64_t wrong_base = 0;   // names another model than the round's
  std::uint64_t wrong_model = 0;  // closes whose model does not follow from their updates
  std::uint64_t not_joined = 0;
  std::uint64_t equivocated = 0;  // a second signed update of one contributor for one round
  std::uint64_t full = 0;         // a table had no room
  std::uint64_t blamed = 0;       // false answers by stream, whose peer is not asked for a while
  std::uint64_t updates_in = 0;
  std::uint64_t update_bytes_in = 0;
  std::uint64_t updates_out = 0;
  std::uint64_t rounds_closed = 0;
  std::uint64_t rounds_led = 0;
  std::uint64_t switches = 0;  // to a chain of more weight
  std::uint64_t samples_trained = 0;
};

struct Status {
  std::uint32_t tasks = 0;
  std::uint32_t tasks_joined = 0;
  Counters counters;
};

}  // namespace kith::edil
