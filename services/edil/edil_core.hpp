// EdilCore: which learning tasks there are, which of them this node takes part in, and what its
// user asks. Each task that it takes part in has a TaskCore; this one names it, feeds it, and keeps
// what must survive a restart.
//
// Rules
// * A task's record is signed by its creator and relayed as the exact bytes. Whoever takes part
// says
//   it again every kAnnounceEvery unless somebody else did; a new node asks kTasksAsked peers. Who
//   is silent for kTasksAnswerTime, fails or answers what is false frees its place for the next.
// * Stored under the id: the record with the own part in it (role, source of samples), closes by
//   round, the head's model.
//
// Bounds: kTasksMax known (strangers' oldest give way), kTasksJoinedMax taken part in,
// kWaitersMax requests, kTasksAsked peers asked at the start, kPeersToAskMax in line for it.
//
// Attacker: whoever publishes tasks. A record costs one signature check and one slot, of which one
// signer gets at most kTasksPerSignerMax; nothing is trained or fetched before the user joins.
#pragma once

#include <deque>
#include <map>

#include "services/edil/task_core.hpp"

namespace kith::edil {

inline constexpr std::size_t kTasksMax = 1024;
inline constexpr std::size_t kTasksPerSignerMax = 64;
inline constexpr std::size_t kTasksJoinedMax = 16;
inline constexpr std::size_t kWaitersMax = 256;
inline constexpr std::size_t kTasksAsked = 4;
inline constexpr std::size_t kPeersToAskMax = 64;
inline constexpr Duration kTasksAnswerTime = 10s;
inline constexpr std::size_t kPathMax = 4096;
inline constexpr Duration kAnnounceEvery = 60s;
inline constexpr Duration kTaskAgeMax = std::chrono::hours(24 * 365);

using Listeners = std::map<TaskId, std::vector<host::PeerSlot>>;

class EdilCore {
 public:
  EdilCore(const crypto::Identity& identity, std::string network_id, Family family, Rng rng);

  void start(Effects& out);
  void run(Now now, RequestId request, Request what, Effects& out);
  void cancel(RequestId request);

  gossip::Verdict on_announced(Now now, gossip::JudgeSlot judge, const Bytes& message,
                               Effects& out);
  gossip::Verdict on_message(Now now, const TaskId& task, gossip::JudgeSlot judge,
                             const PeerId& from, host::PeerSlot via, const Bytes& message,
                             Effects& out);
  void on_peer(Now now, host::PeerSlot peer, Effects& out);  // ready, and speaks our stream
  void on_verified(Now now, std::uint64_t tag, bool hold, Effects& out);
  // True: these samples are wanted; they are kept in place of others before.
  bool on_data(Now now, const TaskId& task, std::uint64_t tag, Result<std::uint32_t> samples,
               Effects& out);
  void on_trained(Now now, const TaskId& task, const Cid& base, Trained result, Effects& out);
  void on_measured(Now now, const TaskId& task, const Cid& model, Accuracy accuracy, Effects& out);
  void on_merged(Now now, const TaskId& task, std::uint64_t tag, Merged merged, Effects& out);
  void on_persisted(Now now, std::uint64_t tag, Result<void> result, Effects& out);
  void on_scanned(Now now, Result<std::vector<StoreEntry>> entries, bool more, Effects& out);
  void on_put(Now now, std::uint64_t tag, Result<Cid> cid, Effects& out);
  void on_got(Now now, std::uint64_t tag, Result<Bytes> file, Effects& out);
  void on_answer(Now now, std::uint64_t tag, Result<schema::EdilAnswer> answer, Effects& out);
  void on_tick(Now now, const Listeners& listeners, Effects& out);
  Mono next_deadline() const;

  schema::EdilAnswer answer(const schema::EdilQuestion& question) const;
  std::vector<TaskId> joined() const;
  Status status() const;

 private:
  // What the user wants; it becomes the entry's when the samples are there.
  struct Joining {
    RequestId request;
    Role role = Role::none;
    DataSource source;
  };
  struct Entry {
    schema::EdilSigned record;
    schema::EdilTask task;
    Role role = Role::none;  // as the user wants it
    DataSource source;
    std::unique_ptr<TaskCore> core;  // while it takes part
    std::uint32_t number = 0;
    std::optional<Joining> joining;  // waits for samples or the disk
    std::uint64_t loading = 0;       // tag of the samples under way
    std::vector<RequestId> waiters;
    std::vector<Link> stored_links;  // while loading
    Bytes stored_model;
    Mono heard{};
  };
  struct Creating {
    RequestId request;
    schema::EdilTask task;
    TaskId id{};
    schema::EdilSigned record;
  };
  struct Joined {
    RequestId request;
    TaskId id{};
  };
  struct Leaving {
    RequestId request;
    TaskId id{};
  };
  using Persisting = std::variant<Creating, Joined, Leaving>;
  struct Asked {
    host::PeerSlot peer;
    Mono ends{};
  };

  std::uint64_t new_tag() { return ++tags_; }
  TaskCore* core_of(std::uint64_t tag);
  TaskInfo info_of(const TaskId& id, const Entry& entry) const;
  Entry* find(const TaskId& id, RequestId request, Effects& out);
  bool insert(Now, const TaskId& id, schema::EdilSigned record, schema::EdilTask task);
  bool make_room(const PeerId& signer);
  void tell_news(Entry& entry, Effects& out);
  void begin(Now, const TaskId& id, Entry& entry, std::uint32_t samples, Effects& out);
  void load_data(const TaskId& id, Entry& entry, const DataSource& source, Effects& out);
  void persist_record(const TaskId& id, const Entry& entry, std::uint64_t tag, Effects& out);
  Result<std::pair<TaskId, schema::EdilTask>> read_task(Now, const schema::EdilSigned& record);
  void refuse(Errc code);
  void ask_next(Now, Effects& out);
  void ask_others(Now, Effects& out);
  void end_loading(Now, Effects& out);

  void run(Now, RequestId, CreateTask&, Effects&);
  void run(Now, RequestId, JoinTask&, Effects&);
  void run(Now, RequestId, LeaveTask&, Effects&);
  void run(Now, RequestId, ListTasks&, Effects&);
  void run(Now, RequestId, ShowTask&, Effects&);
  void run(Now, RequestId, ShowRounds&, Effects&);
  void run(Now, RequestId, WaitTask&, Effects&);

  TaskContext context_;
  Rng rng_;
  Counters counters_;
  std::map<TaskId, Entry> tasks_;
  std::map<std::uint32_t, TaskId> numbers_;
  std::map<std::uint64_t, Creating> creating_;      // by tag of the first model's put
  std::map<std::uint64_t, Persisting> persisting_;  // by tag
  struct Announced {
    schema::EdilSigned record;
    TaskId id{};
    schema::EdilTask task;
    std::optional<gossip::JudgeSlot> judge;  // none: it came by stream
  };
  std::map<std::uint64_t, std::vector<Announced>> announced_;  // under check, by tag
  std::map<std::uint64_t, Asked> asked_;                       // for tasks, by tag
  std::deque<host::PeerSlot> to_ask_;
  std::size_t answered_ = 0;  // whose answers were good
  bool loading_ = true;
  Mono announce_at_ = kNever;
  std::uint32_t numbers_given_ = 0;
  std::uint32_t tags_ = 0;
};

}  // namespace kith::edil
