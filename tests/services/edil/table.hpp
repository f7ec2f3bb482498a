// A task's core among contributors who are honest or not, for tests. Checks are the real ones,
// merges too; what was learned is made up.
#pragma once

#include <gtest/gtest.h>

#include "services/edil/task_core.hpp"

namespace kith::edil::test {

using gossip::Verdict;

inline constexpr std::string_view kNetwork = "test-00000000";

inline crypto::Identity identity(std::uint64_t i) {
  Rng rng = Rng(77).fork("identity", i);
  return crypto::Identity::make(rng);
}

inline ModelShape shape() { return {ModelKind::softmax, 3, 0, 2}; }

inline Merged merge_now(Merge& merge) {
  Aggregate sum(merge.head.weights->size());
  for (const Counted& one : merge.updates) sum.add(one.payload, one.samples);
  merge.head.weights = std::make_shared<Weights>(sum.apply(*merge.head.weights));
  Bytes file = encode_model(merge.head);
  return {merge.head.weights, file, cid_of_file(file)};
}

// One core, node 0, and the keys of the others.
struct Table {
  explicit Table(std::uint32_t min = 2, Role role = Role::contributor,
                 const ModelShape& shape = test::shape()) {
    first.shape = shape;
    first.weights = std::make_shared<Weights>(shape.parameters(), 1000);
    first_file = encode_model(first);
    task.shape = shape;
    task.first_model = cid_of_file(first_file);
    task.rounds = 3;
    task.contributors_min = min;
    task.round_ms = 10'000;
    id = sha256(schema::encode_edil_task(task));
    context = std::make_unique<TaskContext>(TaskContext{keys[0], std::string(kNetwork), 0});
    core = std::make_unique<TaskCore>(*context, 1, id, task, counters, Rng(5));
    core->start(now, role, 10, out);
    settle_all();
  }

  // Carries out what needs no decision; keeps the rest.
  void settle_all() {
    while (!out.empty()) {
      Effects todo = std::exchange(out, {});
      for (Effect& effect : todo) {
        if (auto* check = std::get_if<Verify>(&effect)) {
          bool hold = true;
          for (const Check& one : check->checks) hold = hold && holds(kNetwork, one);
          core->on_verified(now, check->tag, hold, out);
        } else if (auto* merge = std::get_if<Merge>(&effect)) {
          const std::uint64_t tag = merge->tag;
          core->on_merged(now, tag, merge_now(*merge), out);
        } else if (auto* commit = std::get_if<Commit>(&effect)) {
          if (commit->tag != 0) core->on_persisted(now, commit->tag, true, out);
        } else if (auto* get = std::get_if<GetObject>(&effect)) {
          core->on_got(now, get->tag,
                       get->cid == task.first_model
                           ? Result<Bytes>(first_file)
                           : Result<Bytes>(fail(Errc::not_found, "nobody has it")),
                       out);
        } else if (auto* measure = std::get_if<Measure>(&effect)) {
          core->on_measured(measure->model, {});
        } else if (auto* settle = std::get_if<Settle>(&effect)) {
          settled.push_back(settle->verdict);
        } else {
          kept.push_back(std::move(effect));
        }
      }
    }
  }
  template <class T>
  std::vector<T> take() {
    std::vector<T> found;
    for (Effect& effect : kept)
      if (auto* one = std::get_if<T>(&effect)) found.push_back(std::move(*one));
    std::erase_if(kept, [](const Effect& one) { return std::holds_alternative<T>(one); });
    return found;
  }

  // The verdict in the end.
  Verdict say(std::size_t from, const Bytes& message) {
    settled.clear();
    const Verdict verdict =
        core->on_message(now, {++judges, 0}, keys[from].id(), {0, 0}, message, out);
    settle_all();
    return verdict == Verdict::pending && settled.size() == 1 ? settled[0] : verdict;
  }
  Bytes join_of(std::size_t i, std::uint64_t at_ms = 5, bool leaves = false) {
    return schema::encode_edil_message(schema::JoinedTask{
        sign(keys[i], kNetwork, Kind::join, schema::encode_edil_join({id, at_ms, leaves}))});
  }
  Bytes payload(std::uint8_t value) const {
    std::vector<std::uint8_t> bytes(payload_bytes(task.shape.parameters()), value);
    for (std::size_t at = 0; at < bytes.size(); at += kBlockWeights + 1) bytes[at] = 4;
    return Bytes::adopt(std::move(bytes));
  }
  schema::EdilPart part_of(std::size_t i, std::uint32_t round, const Cid& base,
                           std::uint8_t value = 3, std::uint32_t samples = 10) {
    const Bytes whole = payload(value);
    return {
        id, round, base, sign_update(keys[i], kNetwork, id, round, base, samples, sha256(whole)),
        1,  0,     whole};
  }
  // The same, of a model whose update does not fit one message.
  std::vector<schema::EdilPart> parts_of(std::size_t i, std::uint32_t round, const Cid& base,
                                         std::uint8_t value = 3) {
    const Bytes whole = payload(value);
    schema::EdilPart part{
        id, round, base, sign_update(keys[i], kNetwork, id, round, base, 10, sha256(whole)),
        0,  0,     {}};
    part.count =
        static_cast<std::uint16_t>((whole.size() + schema::kPartBytes - 1) / schema::kPartBytes);
    std::vector<schema::EdilPart> all;
    for (; part.index < part.count; ++part.index) {
      const std::size_t from = std::size_t{part.index} * schema::kPartBytes;
      part.bytes = whole.slice(from, std::min(schema::kPartBytes, whole.size() - from));
      all.push_back(part);
    }
    return all;
  }
  Verdict say_part(std::size_t i, const schema::EdilPart& part) {
    return say(i, schema::encode_edil_message(part));
  }
  // A close of `round` over these members' made-up updates.
  schema::EdilSigned close_by(std::size_t leader, std::uint32_t round, const Model& base_model,
                              const std::vector<schema::EdilPart>& parts, bool lie = false) {
    const Cid base = cid_of_file(encode_model(base_model));
    Merge merge{id, 0, {id, round, base, task.shape, base_model.weights}, {}};
    schema::EdilClose close{id, round, 0, base, {}, {}};
    for (const schema::EdilPart& part : parts) {
      merge.updates.push_back({part.bytes, part.member.samples});
      close.members.push_back(part.member);
    }
    std::sort(close.members.begin(), close.members.end(),
              [](const auto& a, const auto& b) { return a.contributor < b.contributor; });
    close.model = lie ? cid_of_file(as_bytes("another")) : merge_now(merge).cid;
    return sign(keys[leader], kNetwork, Kind::close, schema::encode_edil_close(close));
  }
  Verdict say_close(std::size_t leader, const schema::EdilSigned& record) {
    return say(leader, schema::encode_edil_message(schema::ClosedRound{record}));
  }
  void wait(Duration time) {
    now.mono += time;
    now.wall += time;
    core->on_tick(now, listeners, out);
    settle_all();
  }

  std::vector<crypto::Identity> keys = [] {
    std::vector<crypto::Identity> all;
    for (std::uint64_t i = 0; i < 5; ++i) all.push_back(identity(i));
    return all;
  }();
  TaskInfo info() const {
    TaskInfo info;
    core->fill(info);
    return info;
  }
  // What the core asks by stream within `time`; answers are the test's.
  std::vector<Ask> asks_within(Duration time) {
    std::vector<Ask> all = take<Ask>();
    for (Duration spent{}; all.empty() && spent < time; spent += 500ms) {
      wait(500ms);
      all = take<Ask>();
    }
    return all;
  }
  void answer(const Ask& ask, Result<schema::EdilAnswer> what) {
    core->on_answer(now, ask.tag, std::move(what), out);
    settle_all();
  }

  std::vector<host::PeerSlot> listeners{{7, 0}};
  Now now{Mono(100s), Wall(std::chrono::hours(24))};
  Model first;
  Bytes first_file;
  schema::EdilTask task;
  TaskId id{};
  Counters counters;
  std::unique_ptr<TaskContext> context;
  std::unique_ptr<TaskCore> core;
  Effects out;
  Effects kept;
  std::vector<Verdict> settled;
  std::uint32_t judges = 0;
};

}  // namespace kith::edil::test
