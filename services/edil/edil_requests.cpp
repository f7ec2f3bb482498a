// What the user asks, and what survives a restart.
#include <algorithm>

#include "schema/base/base_encoding.hpp"
#include "services/edil/edil_core.hpp"

namespace kith::edil {
namespace {

constexpr std::size_t kStoredHead = 4;

Error unknown(const TaskId& id) {
  return fail(Errc::not_found, "the task " + task_text(id).substr(0, 16) + "... is not known here",
              "nobody who is connected announced it yet",
              "kith fl ls shows the tasks that are known");
}

std::uint64_t seed_of(const TaskId& id, const PeerId& peer) {
  std::vector<std::uint8_t> text(id.begin(), id.end());
  text.insert(text.end(), peer.bytes().begin(), peer.bytes().end());
  const Sha256Digest digest = sha256(text);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) seed = seed << 8 | digest[i];
  return seed;
}

// Stored: role, kind of source, length of its path (two bytes), path, record.
Bytes stored_entry(Role role, const DataSource& source, const schema::EdilSigned& record) {
  const Bytes body = schema::encode_edil_signed(record);
  const std::size_t path = source.path.size();
  return Bytes::make(kStoredHead + path + body.size(), [&](std::span<std::uint8_t> to) {
    to[0] = static_cast<std::uint8_t>(role);
    to[1] = static_cast<std::uint8_t>(source.kind);
    to[2] = static_cast<std::uint8_t>(path);
    to[3] = static_cast<std::uint8_t>(path >> 8);
    std::copy(source.path.begin(), source.path.end(), to.begin() + kStoredHead);
    std::copy(body.begin(), body.end(),
              to.begin() + kStoredHead + static_cast<std::ptrdiff_t>(path));
  });
}

}  // namespace

std::string task_text(const TaskId& id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : id) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<TaskId> parse_task(std::string_view text) {
  TaskId id{};
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  bool good = text.size() == 2 * id.size();
  for (std::size_t i = 0; good && i < id.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) id[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!good)
    return fail(Errc::usage, "this is not the id of a task", "an id is 64 hexadecimal digits",
                "copy it from kith fl ls");
  return id;
}

std::string_view role_name(Role role) {
  return role == Role::contributor ? "contributor" : role == Role::follower ? "follower" : "none";
}

TaskInfo EdilCore::info_of(const TaskId& id, const Entry& entry) const {
  TaskInfo info;
  info.id = id;
  info.task = entry.task;
  info.creator = entry.record.signer;
  info.model = entry.task.first_model;
  info.doing = entry.joining || entry.loading != 0 ? "reading samples" : "not taking part";
  if (entry.core) entry.core->fill(info);
  return info;
}

EdilCore::Entry* EdilCore::find(const TaskId& id, RequestId request, Effects& out) {
  const auto at = tasks_.find(id);
  if (at != tasks_.end()) return &at->second;
  out.push_back(TellDone{request, unknown(id)});
  return nullptr;
}

void EdilCore::run(Now now, RequestId request, Request what, Effects& out) {
  if (loading_)
    return out.push_back(TellDone{
        request, fail(Errc::refused, "the node is still loading", {}, "try again in a moment")});
  std::visit([&](auto& one) { run(now, request, one, out); }, what);
}

void EdilCore::run(Now now, RequestId request, CreateTask& what, Effects& out) {
  Creating creating{request, std::move(what.task), {}, {}};
  schema::EdilTask& task = creating.task;
  if (auto good = schema::check_task(task); !good)
    return out.push_back(TellDone{request, good.error()});
  task.created_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(
      0,
      std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count()));
  Model first;
  first.shape = task.shape;
  first.weights = std::make_shared<Weights>(first_weights(task.shape, rng_.next()));
  const std::uint64_t tag = new_tag();
  creating_.emplace(tag, std::move(creating));
  out.push_back(PutObject{tag, encode_model(first), "edil-first-model"});
}

void EdilCore::on_put(Now, std::uint64_t tag, Result<Cid> cid, Effects& out) {
  const auto at = creating_.find(tag);
  if (at == creating_.end()) return;  // a round's model: R1FS says by itself what went wrong
  Creating creating = std::move(at->second);
  creating_.erase(at);
  if (!cid) return out.push_back(TellDone{creating.request, cid.error()});
  creating.task.first_model = *cid;
  creating.record = sign(context_.identity, context_.network_id, Kind::task,
                         schema::encode_edil_task(creating.task));
  creating.id = sha256(creating.record.body);
  Commit commit;
  commit.batch.put(context_.family, task_key(creating.id),
                   stored_entry(Role::none, {}, creating.record));
  commit.durability = Durability::synced;
  commit.tag = new_tag();
  persisting_.emplace(commit.tag, std::move(creating));
  out.push_back(std::move(commit));
}

void EdilCore::on_persisted(Now now, std::uint64_t tag, Result<void> result, Effects& out) {
  if (TaskCore* core = core_of(tag)) return core->on_persisted(now, tag, result.has_value(), out);
  const auto at = persisting_.find(tag);
  if (at == persisting_.end()) return;
  const Persisting what = std::move(at->second);
  persisting_.erase(at);
  if (const auto* created = std::get_if<Creating>(&what)) {
    if (!result) return out.push_back(TellDone{created->request, result.error()});
    if (!insert(now, created->id, created->record, created->task))
      return out.push_back(
          TellDone{created->request, fail(Errc::exhausted, "too many tasks are known", {},
                                          "leave tasks that are over with kith fl leave")});
    out.push_back(Announce{schema::encode_edil_signed(created->record)});
    return out.push_back(
        TellDone{created->request, Answer(info_of(created->id, tasks_.at(created->id)))});
  }
  if (const auto* left = std::get_if<Leaving>(&what)) {
    const auto entry = tasks_.find(left->id);
    if (!result || entry == tasks_.end())
      return out.push_back(TellDone{
          left->request, result ? fail(Errc::not_found, "the task is not known") : result.error()});
    return out.push_back(TellDone{left->request, Answer(info_of(left->id, entry->second))});
  }
  const auto& joined = std::get<Joined>(what);
  const RequestId request = joined.request;
  const auto task = tasks_.find(joined.id);
  if (task == tasks_.end() || !task->second.joining || task->second.joining->request != request)
    return;
  task->second.joining.reset();
  if (!result) return out.push_back(TellDone{request, result.error()});
  out.push_back(TellDone{request, Answer(info_of(task->first, task->second))});
}

void EdilCore::run(Now now, RequestId request, JoinTask& what, Effects& out) {
  Entry* entry = find(what.task, request, out);
  if (entry == nullptr) return;
  if (entry->joining || entry->loading != 0)
    return out.push_back(
        TellDone{request, fail(Errc::in_use, "another join of this task is under way")});
  if (!entry->core && joined().size() >= kTasksJoinedMax)
    return out.push_back(TellDone{
        request, fail(Errc::exhausted, "this node takes part in too many tasks",
                      std::to_string(kTasksJoinedMax) + " at most", "leave one: kith fl leave")});
  if (!what.follow && entry->task.data == DataKind::own && what.data.kind == SourceKind::drawn)
    return out.push_back(TellDone{
        request, fail(Errc::usage, "this task is learned from your own samples", {},
                      "name them with --data idx:FOLDER or --data csv:FILE, or --follow")});
  if (what.data.path.size() > kPathMax)
    return out.push_back(TellDone{request, fail(Errc::oversized, "the path is too long")});
  entry->joining =
      Joining{request, what.follow ? Role::follower : Role::contributor, std::move(what.data)};
  if (what.follow) {
    out.push_back(DropData{what.task});
    return begin(now, what.task, *entry, 0, out);
  }
  load_data(what.task, *entry, entry->joining->source, out);
}

void EdilCore::load_data(const TaskId& id, Entry& entry, const DataSource& source, Effects& out) {
  entry.loading = new_tag();
  out.push_back(LoadData{entry.loading, id, source, entry.task.shape, entry.task.data,
                         seed_of(id, context_.identity.id()), entry.task.samples});
}

bool EdilCore::on_data(Now now, const TaskId& task, std::uint64_t tag,
                       Result<std::uint32_t> samples, Effects& out) {
  const auto at = tasks_.find(task);
  if (at == tasks_.end() || at->second.loading != tag) return false;  // cancelled, or left
  Entry& entry = at->second;
  entry.loading = 0;
  if (samples) {
    begin(now, task, entry, *samples, out);
    return true;
  }
  if (entry.joining) {
    out.push_back(TellDone{entry.joining->request, samples.error()});
    entry.joining.reset();
    return false;
  }
  // After a restart its files are gone: it goes on as one who follows.
  entry.role = Role::follower;
  begin(now, task, entry, 0, out);
  return false;
}

void EdilCore::begin(Now now, const TaskId& id, Entry& entry, std::uint32_t samples, Effects& out) {
  if (!entry.core) {
    entry.number = ++numbers_given_;
    numbers_[entry.number] = id;
    entry.core = std::make_unique<TaskCore>(context_, entry.number, id, entry.task, counters_,
                                            rng_.fork("task", entry.number));
    entry.core->restore(std::exchange(entry.stored_links, {}), entry.stored_model);
    entry.stored_model = Bytes();
  }
  if (entry.joining) {
    entry.role = entry.joining->role;
    entry.source = entry.joining->source;
    const std::uint64_t tag = new_tag();
    persisting_.emplace(tag, Joined{entry.joining->request, id});
    persist_record(id, entry, tag, out);
  }
  if (announce_at_ == kNever) announce_at_ = now.mono + kAnnounceEvery / 2;
  entry.core->start(now, entry.role, samples, out);
}

void EdilCore::persist_record(const TaskId& id, const Entry& entry, std::uint64_t tag,
                              Effects& out) {
  Commit commit;
  commit.batch.put(context_.family, task_key(id),
                   stored_entry(entry.role, entry.source, entry.record));
  commit.durability = Durability::synced;
  commit.tag = tag;
  out.push_back(std::move(commit));
}

void EdilCore::run(Now now, RequestId request, LeaveTask& what, Effects& out) {
  Entry* entry = find(what.task, request, out);
  if (entry == nullptr) return;
  if (entry->core) {
    entry->core->leave(now, out);
    numbers_.erase(entry->number);
    entry->core.reset();
  }
  if (entry->joining)
    out.push_back(
        TellDone{entry->joining->request, fail(Errc::cancelled, "the task was left meanwhile")});
  entry->joining.reset();
  entry->loading = 0;
  entry->role = Role::none;
  entry->source = {};
  for (const RequestId waiter : std::exchange(entry->waiters, {}))
    out.push_back(TellDone{waiter, fail(Errc::cancelled, "this node left the task")});
  const std::uint64_t tag = new_tag();
  persisting_.emplace(tag, Leaving{request, what.task});
  persist_record(what.task, *entry, tag, out);
}

void EdilCore::run(Now, RequestId request, ListTasks&, Effects& out) {
  TaskList list;
  for (const auto& [id, entry] : tasks_) list.tasks.push_back(info_of(id, entry));
  std::stable_sort(list.tasks.begin(), list.tasks.end(), [](const auto& a, const auto& b) {
    return a.task.created_ms > b.task.created_ms;
  });
  out.push_back(TellDone{request, Answer(std::move(list))});
}

void EdilCore::run(Now, RequestId request, ShowTask& what, Effects& out) {
  if (Entry* entry = find(what.task, request, out))
    out.push_back(TellDone{request, Answer(info_of(what.task, *entry))});
}

void EdilCore::run(Now, RequestId request, ShowRounds& what, Effects& out) {
  Entry* entry = find(what.task, request, out);
  if (entry == nullptr) return;
  RoundList list;
  if (entry->core) list.rounds = entry->core->rounds();
  out.push_back(TellDone{request, Answer(std::move(list))});
}

void EdilCore::run(Now, RequestId request, WaitTask& what, Effects& out) {
  Entry* entry = find(what.task, request, out);
  if (entry == nullptr) return;
  if (!entry->core)
    return out.push_back(
        TellDone{request, fail(Errc::refused, "this node takes no part in the task", {},
                               "kith fl join " + task_text(what.task))});
  if (entry->waiters.size() >= kWaitersMax)
    return out.push_back(TellDone{request, fail(Errc::exhausted, "too many wait for this task")});
  entry->waiters.push_back(request);
  tell_news(*entry, out);
}

void EdilCore::cancel(RequestId request) {
  for (auto& [id, entry] : tasks_) {
    std::erase(entry.waiters, request);
    if (!entry.joining || entry.joining->request != request) continue;
    entry.joining.reset();
    entry.loading = 0;  // samples that come now are not wanted
  }
}

// --- what the store held

void EdilCore::start(Effects& out) { out.push_back(Scan{}); }

void EdilCore::on_scanned(Now now, Result<std::vector<StoreEntry>> entries, bool more,
                          Effects& out) {
  if (!entries) return out.push_back(TellReady{entries.error()});
  // Keys sort closes, models, tasks: of a round, of a task, and who they belong to comes last.
  for (const StoreEntry& one : *entries) {
    if (one.key.size() < 1 + kSha256Size) continue;
    TaskId id{};
    std::copy_n(one.key.begin() + 1, id.size(), id.begin());
    Entry& entry = tasks_[id];
    if (one.key[0] == 'm') entry.stored_model = one.value;
    if (one.key[0] == 'c') {
      auto record = schema::decode_edil_signed(one.value);
      if (!record) continue;
      if (auto close = schema::decode_edil_close(record->body))
        entry.stored_links.push_back(make_link(std::move(*record), std::move(*close)));
    }
    if (one.key[0] != 't' || one.value.size() < kStoredHead) continue;
    const std::size_t path = one.value[2] | static_cast<std::size_t>(one.value[3]) << 8;
    auto record = schema::decode_edil_signed(one.value.slice(kStoredHead + path));
    if (!record || one.value[0] > 2 || one.value[1] > 2) continue;
    auto task = schema::decode_edil_task(record->body);
    if (!task) continue;
    entry.role = static_cast<Role>(one.value[0]);
    entry.source = {static_cast<SourceKind>(one.value[1]),
                    std::string(one.value.slice(kStoredHead, path).text())};
    entry.record = std::move(*record);
    entry.task = std::move(*task);
    entry.heard = now.mono;
  }
  if (more) return out.push_back(Scan{key_after(entries->back().key)});
  end_loading(now, out);
}

void EdilCore::end_loading(Now now, Effects& out) {
  loading_ = false;
  std::erase_if(tasks_, [](const auto& one) { return one.second.record.body.empty(); });
  for (auto& [id, entry] : tasks_) {
    if (entry.role == Role::contributor) load_data(id, entry, entry.source, out);
    if (entry.role == Role::follower) begin(now, id, entry, 0, out);
  }
  out.push_back(TellReady{{}});
}

}  // namespace kith::edil
