// What comes in: records of tasks, and events for the tasks taken part in.
#include "services/edil/edil_core.hpp"

#include <algorithm>

namespace kith::edil {

using gossip::Verdict;

EdilCore::EdilCore(const crypto::Identity& identity, std::string network_id, Family family, Rng rng)
    : context_{identity, std::move(network_id), family}, rng_(std::move(rng)) {}

TaskCore* EdilCore::core_of(std::uint64_t tag) {
  const auto number = numbers_.find(static_cast<std::uint32_t>(tag >> 32));
  if (number == numbers_.end()) return nullptr;
  const auto at = tasks_.find(number->second);
  return at == tasks_.end() ? nullptr : at->second.core.get();
}

std::vector<TaskId> EdilCore::joined() const {
  std::vector<TaskId> all;
  for (const auto& [id, entry] : tasks_)
    if (entry.core) all.push_back(id);
  return all;
}

Status EdilCore::status() const {
  return {static_cast<std::uint32_t>(tasks_.size()), static_cast<std::uint32_t>(joined().size()),
          counters_};
}

// --- records of tasks

void EdilCore::refuse(Errc code) {
  ++(code == Errc::oversized   ? counters_.oversized
     : code == Errc::truncated ? counters_.truncated
                               : counters_.malformed);
}

Result<std::pair<TaskId, schema::EdilTask>> EdilCore::read_task(Now now,
                                                                const schema::EdilSigned& record) {
  auto task = schema::decode_edil_task(record.body);
  if (!task) {
    refuse(task.error().code);
    return task.error();
  }
  const Duration created =
      std::chrono::milliseconds(std::min<std::uint64_t>(task->created_ms, 9'000'000'000'000ull));
  const Duration wall = now.wall.time_since_epoch();
  if (created > wall + kClockSkewMax) {
    ++counters_.future_dated;
    return fail(Errc::refused, "a task from the future");
  }
  if (created + kTaskAgeMax < wall) return fail(Errc::timeout, "a task of long ago");
  return std::make_pair(sha256(record.body), std::move(*task));
}

bool EdilCore::make_room(const PeerId& signer) {
  const auto of_signer =
      static_cast<std::size_t>(std::count_if(tasks_.begin(), tasks_.end(), [&](const auto& one) {
        return one.second.record.signer == signer;
      }));
  if (of_signer >= kTasksPerSignerMax && signer != context_.identity.id()) return false;
  if (tasks_.size() < kTasksMax) return true;
  auto oldest = tasks_.end();
  for (auto at = tasks_.begin(); at != tasks_.end(); ++at) {
    const bool needed = at->second.core || at->second.joining || at->second.role != Role::none ||
                        at->second.record.signer == context_.identity.id();
    if (needed) continue;
    if (oldest == tasks_.end() || at->second.heard < oldest->second.heard) oldest = at;
  }
  if (oldest == tasks_.end()) return false;
  tasks_.erase(oldest);
  return true;
}

bool EdilCore::insert(Now now, const TaskId& id, schema::EdilSigned record, schema::EdilTask task) {
  if (tasks_.count(id) != 0) return true;
  if (!make_room(record.signer)) {
    ++counters_.full;
    return false;
  }
  Entry& entry = tasks_[id];
  entry.record = std::move(record);
  entry.task = std::move(task);
  entry.heard = now.mono;
  return true;
}

Verdict EdilCore::on_announced(Now now, gossip::JudgeSlot judge, const Bytes& message,
                               Effects& out) {
  if (loading_) return Verdict::ignore;
  auto record = schema::decode_edil_signed(message);
  if (!record) {
    refuse(record.error().code);
    return Verdict::reject;
  }
  const auto known = tasks_.find(sha256(record->body));
  if (known != tasks_.end() && known->second.record.signature == record->signature) {
    known->second.heard = now.mono;
    return Verdict::accept;  // said again for those who are new
  }
  auto read = read_task(now, *record);
  // Clocks differ: who passed it on need not see that it is of the future, or of long ago.
  if (!read) return shows_to_all(read.error()) ? Verdict::reject : Verdict::ignore;
  if (announced_.size() >= kChecksMax) {
    ++counters_.full;
    return Verdict::ignore;
  }
  const std::uint64_t tag = new_tag();
  out.push_back(Verify{tag, {check_of(Kind::task, *record)}});
  announced_[tag].push_back({std::move(*record), read->first, std::move(read->second), judge});
  return Verdict::pending;
}

void EdilCore::on_peer(Now now, host::PeerSlot peer, Effects& out) {
  if (loading_ || answered_ >= kTasksAsked || to_ask_.size() >= kPeersToAskMax) return;
  to_ask_.push_back(peer);
  ask_next(now, out);
}

void EdilCore::ask_next(Now now, Effects& out) {
  while (!to_ask_.empty() && answered_ + asked_.size() < kTasksAsked) {
    const host::PeerSlot peer = to_ask_.front();
    to_ask_.pop_front();
    const std::uint64_t tag = new_tag();
    asked_.emplace(tag, Asked{peer, now.mono + kTasksAnswerTime});
    out.push_back(Ask{peer, tag, schema::TasksQuestion{}});
  }
  if (answered_ >= kTasksAsked) to_ask_.clear();
}

// In place of those that are silent.
void EdilCore::ask_others(Now now, Effects& out) {
  std::erase_if(asked_, [&](const auto& one) {
    if (one.second.ends > now.mono) return false;
    out.push_back(StopAsking{one.first});
    return true;
  });
  ask_next(now, out);
}

schema::EdilAnswer EdilCore::answer(const schema::EdilQuestion& question) const {
  schema::EdilAnswer none;
  if (loading_) return none;
  if (const auto* chain = std::get_if<schema::ChainQuestion>(&question)) {
    const auto at = tasks_.find(chain->task);
    return at == tasks_.end() || !at->second.core ? none : at->second.core->answer(*chain);
  }
  if (const auto* updates = std::get_if<schema::UpdatesQuestion>(&question)) {
    const auto at = tasks_.find(updates->task);
    return at == tasks_.end() || !at->second.core ? none : at->second.core->answer(*updates);
  }
  // Those that are alive here first.
  for (const bool taken_part : {true, false})
    for (const auto& [id, entry] : tasks_)
      if ((entry.core != nullptr) == taken_part && none.records.size() < schema::kTasksAnswerMax)
        none.records.push_back(entry.record);
  return none;
}

void EdilCore::on_answer(Now now, std::uint64_t tag, Result<schema::EdilAnswer> answer,
                         Effects& out) {
  if (TaskCore* core = core_of(tag)) return core->on_answer(now, tag, std::move(answer), out);
  if (asked_.erase(tag) == 0) return;
  if (!answer) {
    if (shows_to_all(answer.error())) {
      refuse(answer.error().code);
      ++counters_.blamed;
    }
    return ask_next(now, out);
  }
  std::vector<Announced> fresh;
  std::vector<Check> checks;
  bool good = true;
  for (schema::EdilSigned& record : answer->records) {
    if (tasks_.count(sha256(record.body)) != 0) continue;
    auto read = read_task(now, record);
    if (!read) {
      good = good && !shows_to_all(read.error());
      continue;
    }
    checks.push_back(check_of(Kind::task, record));
    fresh.push_back({std::move(record), read->first, std::move(read->second), {}});
  }
  ++(good ? answered_ : counters_.blamed);
  ask_next(now, out);
  if (fresh.empty() || announced_.size() >= kChecksMax) return;
  const std::uint64_t check = new_tag();
  announced_[check] = std::move(fresh);
  out.push_back(Verify{check, std::move(checks)});
}

void EdilCore::on_verified(Now now, std::uint64_t tag, bool hold, Effects& out) {
  if (TaskCore* core = core_of(tag)) {
    core->on_verified(now, tag, hold, out);
    const auto at = tasks_.find(numbers_.at(static_cast<std::uint32_t>(tag >> 32)));
    return tell_news(at->second, out);
  }
  const auto at = announced_.find(tag);
  if (at == announced_.end()) return;
  std::vector<Announced> records = std::move(at->second);
  announced_.erase(at);
  if (!hold) ++counters_.forged;
  if (!hold && !records.front().judge) {
    ++counters_.blamed;
    if (answered_ > 0) --answered_;  // somebody else is asked instead
    ask_next(now, out);
  }
  for (Announced& one : records) {
    bool kept = false;
    if (hold) kept = insert(now, one.id, std::move(one.record), std::move(one.task));
    if (one.judge)
      out.push_back(Settle{*one.judge, !hold  ? Verdict::reject
                                       : kept ? Verdict::accept
                                              : Verdict::ignore});
  }
}

// --- events of the tasks taken part in

Verdict EdilCore::on_message(Now now, const TaskId& task, gossip::JudgeSlot judge,
                             const PeerId& from, host::PeerSlot via, const Bytes& message,
                             Effects& out) {
  const auto at = tasks_.find(task);
  if (at == tasks_.end() || !at->second.core) return Verdict::ignore;
  const Verdict verdict = at->second.core->on_message(now, judge, from, via, message, out);
  tell_news(at->second, out);
  return verdict;
}

void EdilCore::on_trained(Now now, const TaskId& task, const Cid& base, Trained result,
                          Effects& out) {
  const auto at = tasks_.find(task);
  if (at == tasks_.end() || !at->second.core) return;
  at->second.core->on_trained(now, base, std::move(result), out);
}

void EdilCore::on_measured(Now, const TaskId& task, const Cid& model, Accuracy accuracy,
                           Effects& out) {
  const auto at = tasks_.find(task);
  if (at == tasks_.end() || !at->second.core) return;
  at->second.core->on_measured(model, accuracy);
  tell_news(at->second, out);
}

void EdilCore::on_merged(Now now, const TaskId& task, std::uint64_t tag, Merged merged,
                         Effects& out) {
  const auto at = tasks_.find(task);
  if (at == tasks_.end() || !at->second.core) return;
  at->second.core->on_merged(now, tag, std::move(merged), out);
}

void EdilCore::on_got(Now now, std::uint64_t tag, Result<Bytes> file, Effects& out) {
  if (TaskCore* core = core_of(tag)) core->on_got(now, tag, std::move(file), out);
}

void EdilCore::on_tick(Now now, const Listeners& listeners, Effects& out) {
  static const std::vector<host::PeerSlot> kNobody;
  for (auto& [id, entry] : tasks_) {
    if (!entry.core) continue;
    const auto heard = listeners.find(id);
    entry.core->on_tick(now, heard == listeners.end() ? kNobody : heard->second, out);
  }
  ask_others(now, out);
  if (now.mono < announce_at_) return;
  // Not all in the same second: who is first spares the others the word.
  announce_at_ = now.mono + kAnnounceEvery / 2 +
                 Duration(static_cast<Duration::rep>(
                     rng_.below(static_cast<std::uint64_t>(Duration(kAnnounceEvery).count()))));
  for (auto& [id, entry] : tasks_) {
    if (!entry.core || entry.core->complete() || now.mono - entry.heard < kAnnounceEvery) continue;
    entry.heard = now.mono;
    out.push_back(Announce{schema::encode_edil_signed(entry.record)});
  }
}

Mono EdilCore::next_deadline() const {
  Mono next = announce_at_;
  for (const auto& [tag, asked] : asked_) next = std::min(next, asked.ends);
  for (const auto& [id, entry] : tasks_)
    if (entry.core) next = std::min(next, entry.core->next_deadline());
  return next;
}

void EdilCore::tell_news(Entry& entry, Effects& out) {
  if (!entry.core) return;
  for (const std::uint32_t round : entry.core->take_news())
    for (const RequestId waiter : entry.waiters)
      out.push_back(TellProgress{waiter, entry.core->round_info(round)});
  if (entry.waiters.empty() || !entry.core->complete()) return;
  const TaskInfo info = info_of(sha256(entry.record.body), entry);
  if (info.doing != "complete" || !entry.core->head_measured()) return;
  for (const RequestId waiter : std::exchange(entry.waiters, {}))
    out.push_back(TellDone{waiter, Answer(info)});
}

}  // namespace kith::edil
