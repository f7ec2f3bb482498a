// Which tasks a node knows and takes part in: joins that are cancelled, peers that are silent or
// lie, records of tasks that are refused.
#include "services/edil/edil_core.hpp"

#include "tests/services/edil/table.hpp"

namespace kith::edil::test {
namespace {

struct Desk {
  Desk() {
    core.start(out);
    core.on_scanned(now, std::vector<StoreEntry>{}, false, out);
    (void)take<TellReady>();
    Model first;
    first.shape = shape();
    first.weights = std::make_shared<Weights>(shape().parameters(), 1000);
    first_file = encode_model(first);
  }
  // Checks are real, disks and objects work; the rest is the test's.
  void settle() {
    for (Effect& effect : std::exchange(out, {})) {
      if (auto* check = std::get_if<Verify>(&effect)) {
        bool hold = true;
        for (const Check& one : check->checks) hold = hold && holds(kNetwork, one);
        core.on_verified(now, check->tag, hold, out);
      } else if (auto* commit = std::get_if<Commit>(&effect)) {
        core.on_persisted(now, commit->tag, {}, out);
      } else if (auto* get = std::get_if<GetObject>(&effect)) {
        core.on_got(now, get->tag, first_file, out);
      } else if (auto* settled = std::get_if<Settle>(&effect)) {
        last = settled->verdict;
      } else {
        kept.push_back(std::move(effect));
      }
    }
    if (!out.empty()) settle();
  }
  template <class T>
  std::vector<T> take() {
    settle();
    std::vector<T> found;
    for (Effect& effect : kept)
      if (auto* one = std::get_if<T>(&effect)) found.push_back(std::move(*one));
    std::erase_if(kept, [](const Effect& one) { return std::holds_alternative<T>(one); });
    return found;
  }
  void wait(Duration time) {
    now.mono += time;
    now.wall += time;
    core.on_tick(now, {}, out);
    settle();
  }

  std::uint64_t wall_ms() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count());
  }
  schema::EdilSigned task_by(std::size_t i, std::uint64_t created_ms, std::uint32_t rounds = 3) {
    schema::EdilTask task;
    task.shape = shape();
    task.first_model = cid_of_file(first_file);
    task.rounds = rounds;
    task.data = schema::DataKind::own;
    task.created_ms = created_ms;
    return sign(keys[i], kNetwork, Kind::task, schema::encode_edil_task(task));
  }
  schema::EdilSigned task_by(std::size_t i) { return task_by(i, wall_ms()); }
  // The verdict in the end.
  Verdict announce(const Bytes& message) {
    last = Verdict::pending;
    const Verdict verdict = core.on_announced(now, {++judges, 0}, message, out);
    settle();
    return verdict == Verdict::pending ? last : verdict;
  }
  TaskId known_task() {
    const auto record = task_by(1);
    EXPECT_EQ(announce(schema::encode_edil_signed(record)), Verdict::accept);
    return sha256(record.body);
  }
  TaskInfo show(const TaskId& task) {
    core.run(now, RequestId{999}, ShowTask{task}, out);
    const auto done = take<TellDone>();
    return done.empty() ? TaskInfo{} : std::get<TaskInfo>(*done.back().answer);
  }
  // Asks to join and gives what is to be loaded.
  LoadData join(const TaskId& task, RequestId request, const std::string& path) {
    core.run(now, request, JoinTask{task, {SourceKind::csv, path}, false}, out);
    const auto loads = take<LoadData>();
    EXPECT_EQ(loads.size(), 1u);
    return loads.empty() ? LoadData{} : loads[0];
  }

  std::vector<crypto::Identity> keys = [] {
    std::vector<crypto::Identity> all;
    for (std::uint64_t i = 0; i < 5; ++i) all.push_back(identity(i));
    return all;
  }();
  Now now{Mono(100s), Wall(std::chrono::hours(24 * 400))};
  Bytes first_file;
  EdilCore core{keys[0], std::string(kNetwork), 0, Rng(5)};
  Effects out;
  Effects kept;
  Verdict last = Verdict::pending;
  std::uint32_t judges = 0;
};

TEST(EdilCore, a_join_that_is_cancelled_while_its_samples_load_leaves_nobody_in_the_task) {
  for (const bool readable : {true, false}) {
    Desk desk;
    const TaskId task = desk.known_task();
    const LoadData load = desk.join(task, RequestId{1}, "a.csv");
    desk.core.cancel(RequestId{1});
    const bool wanted = desk.core.on_data(
        desk.now, task, load.tag,
        readable ? Result<std::uint32_t>(10u) : fail(Errc::not_found, "gone"), desk.out);
    EXPECT_FALSE(wanted) << "its samples are not kept";
    desk.settle();
    EXPECT_EQ(desk.show(task).role, Role::none) << readable;
    EXPECT_TRUE(desk.core.joined().empty()) << readable;
    EXPECT_TRUE(desk.take<Subscribe>().empty());
    EXPECT_TRUE(desk.take<TellDone>().empty());
  }
}

TEST(EdilCore, a_cancelled_change_of_samples_leaves_the_contributor_as_it_was) {
  Desk desk;
  const TaskId task = desk.known_task();
  const LoadData first = desk.join(task, RequestId{1}, "a.csv");
  EXPECT_TRUE(desk.core.on_data(desk.now, task, first.tag, 10u, desk.out));
  EXPECT_EQ(desk.take<TellDone>().size(), 1u);
  const LoadData second = desk.join(task, RequestId{2}, "b.csv");
  desk.core.cancel(RequestId{2});
  EXPECT_FALSE(desk.core.on_data(desk.now, task, second.tag, 77u, desk.out));
  EXPECT_EQ(desk.show(task).role, Role::contributor);
  EXPECT_EQ(desk.show(task).own_samples, 10u);
}

TEST(EdilCore, samples_of_a_cancelled_join_are_not_taken_for_those_of_the_next) {
  Desk desk;
  const TaskId task = desk.known_task();
  const LoadData old = desk.join(task, RequestId{1}, "a.csv");
  desk.core.cancel(RequestId{1});
  const LoadData next = desk.join(task, RequestId{2}, "b.csv");
  EXPECT_FALSE(desk.core.on_data(desk.now, task, old.tag, 5u, desk.out));
  EXPECT_EQ(desk.show(task).role, Role::none);
  EXPECT_TRUE(desk.core.on_data(desk.now, task, next.tag, 6u, desk.out));
  const auto done = desk.take<TellDone>();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].request, RequestId{2});
  EXPECT_EQ(desk.show(task).own_samples, 6u);
}

TEST(EdilCore, a_join_that_fails_leaves_a_follower_a_follower_and_says_why) {
  Desk desk;
  const TaskId task = desk.known_task();
  desk.core.run(desk.now, RequestId{1}, JoinTask{task, {}, true}, desk.out);
  desk.settle();
  const LoadData load = desk.join(task, RequestId{2}, "a.csv");
  (void)desk.take<TellDone>();
  EXPECT_FALSE(desk.core.on_data(desk.now, task, load.tag, fail(Errc::io, "torn"), desk.out));
  const auto done = desk.take<TellDone>();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].answer.error().code, Errc::io);
  EXPECT_EQ(desk.show(task).role, Role::follower);
}

TEST(EdilCore, a_contributor_whose_samples_are_gone_after_a_restart_goes_on_as_one_who_follows) {
  Desk before;
  const TaskId task = before.known_task();
  const LoadData load = before.join(task, RequestId{1}, "a.csv");
  (void)before.core.on_data(before.now, task, load.tag, 10u, before.out);
  Bytes stored;
  for (const Effect& effect : before.out)
    if (const auto* commit = std::get_if<Commit>(&effect))
      for (const StoreWrite& write : commit->batch.writes)
        if (write.key == task_key(task)) stored = *write.value;
  ASSERT_FALSE(stored.empty());
  Desk after;
  EdilCore core(after.keys[0], std::string(kNetwork), 0, Rng(5));
  Effects out;
  core.start(out);
  core.on_scanned(after.now, std::vector<StoreEntry>{{task_key(task), stored}}, false, out);
  std::uint64_t tag = 0;
  for (const Effect& effect : out)
    if (const auto* again = std::get_if<LoadData>(&effect)) tag = again->tag;
  ASSERT_NE(tag, 0u);
  EXPECT_FALSE(core.on_data(after.now, task, tag, fail(Errc::not_found, "gone"), out));
  EXPECT_EQ(core.joined().size(), 1u);
}

// --- the search for tasks by stream

TEST(EdilCore, peers_that_are_silent_free_their_place_and_others_are_asked) {
  Desk desk;
  for (std::uint32_t i = 0; i < 6; ++i) desk.core.on_peer(desk.now, {i, 0}, desk.out);
  const auto silent = desk.take<Ask>();
  ASSERT_EQ(silent.size(), kTasksAsked);
  EXPECT_LE(desk.core.next_deadline(), desk.now.mono + kTasksAnswerTime);
  desk.wait(kTasksAnswerTime);
  EXPECT_EQ(desk.take<StopAsking>().size(), kTasksAsked);
  const auto others = desk.take<Ask>();
  ASSERT_EQ(others.size(), 2u);
  EXPECT_EQ(others[0].peer.index, 4u);
  EXPECT_EQ(others[1].peer.index, 5u);
  // An answer that comes too late is nobody's, one in time brings its task.
  schema::EdilAnswer answer;
  answer.records.push_back(desk.task_by(1));
  desk.core.on_answer(desk.now, silent[0].tag, answer, desk.out);
  desk.settle();
  EXPECT_EQ(desk.core.status().tasks, 0u);
  desk.core.on_answer(desk.now, others[0].tag, answer, desk.out);
  desk.settle();
  EXPECT_EQ(desk.core.status().tasks, 1u);
  // Who comes later is asked, too, until enough have answered.
  for (std::uint32_t i = 10; i < 20; ++i) desk.core.on_peer(desk.now, {i, 0}, desk.out);
  EXPECT_EQ(desk.take<Ask>().size(), 2u);
}

TEST(EdilCore, peers_that_are_gone_free_their_place_at_once_and_the_line_of_others_is_bounded) {
  Desk desk;
  for (std::uint32_t i = 0; i < 1000; ++i) desk.core.on_peer(desk.now, {i, 0}, desk.out);
  std::size_t asked = 0;
  for (auto asks = desk.take<Ask>(); !asks.empty(); asks = desk.take<Ask>())
    for (const Ask& ask : asks) {
      ++asked;
      desk.core.on_answer(desk.now, ask.tag, fail(Errc::closed, "gone"), desk.out);
    }
  EXPECT_EQ(asked, kTasksAsked + kPeersToAskMax);
  EXPECT_EQ(desk.core.status().counters.blamed, 0u);
}

TEST(EdilCore, an_answer_about_tasks_that_is_false_is_blamed_and_somebody_else_is_asked) {
  using Answered = std::function<Result<schema::EdilAnswer>(Desk&)>;
  const auto of_record = [](schema::EdilSigned record) {
    schema::EdilAnswer answer;
    answer.records.push_back(std::move(record));
    return answer;
  };
  struct Row {
    const char* what;
    Answered answered;
    std::uint64_t Counters::*counter;
    bool blamed;
  };
  const Row rows[] = {
      {"cut", [](Desk&) { return fail(Errc::truncated, "cut"); }, &Counters::truncated, true},
      {"long", [](Desk&) { return fail(Errc::oversized, "long"); }, &Counters::oversized, true},
      {"mad", [](Desk&) { return fail(Errc::malformed, "mad"); }, &Counters::malformed, true},
      {"a record that is no task",
       [&](Desk& desk) {
         return of_record(sign(desk.keys[1], kNetwork, Kind::task, Bytes::copy("no task")));
       },
       &Counters::truncated, true},
      {"a forged task",
       [&](Desk& desk) {
         auto record = desk.task_by(1);
         record.signer = desk.keys[2].id();
         return of_record(record);
       },
       &Counters::forged, true},
      {"a task of the future",
       [&](Desk& desk) { return of_record(desk.task_by(1, desk.wall_ms() + 3'600'000)); },
       &Counters::future_dated, false},
  };
  for (const Row& row : rows) {
    Desk desk;
    for (std::uint32_t i = 0; i < 5; ++i) desk.core.on_peer(desk.now, {i, 0}, desk.out);
    const auto asks = desk.take<Ask>();
    ASSERT_EQ(asks.size(), 4u);
    desk.core.on_answer(desk.now, asks[0].tag, row.answered(desk), desk.out);
    const auto next = desk.take<Ask>();
    EXPECT_EQ(next.size(), row.blamed ? 1u : 0u) << row.what;
    EXPECT_EQ(desk.core.status().counters.*row.counter, 1u) << row.what;
    EXPECT_EQ(desk.core.status().counters.blamed, row.blamed ? 1u : 0u) << row.what;
    EXPECT_EQ(desk.core.status().tasks, 0u) << row.what;
  }
}

// --- the topic of tasks

TEST(EdilCore, records_of_tasks_are_refused_counted_apart_and_blamed_on_who_could_see_it) {
  struct Row {
    const char* what;
    std::function<Bytes(Desk&)> message;
    Verdict verdict;
    std::uint64_t Counters::*counter;
  };
  const auto encoded = [](const schema::EdilSigned& record) {
    return schema::encode_edil_signed(record);
  };
  const Row rows[] = {
      {"forged",
       [&](Desk& desk) {
         auto record = desk.task_by(1);
         record.signer = desk.keys[2].id();
         return encoded(record);
       },
       Verdict::reject, &Counters::forged},
      {"signed for another purpose",
       [&](Desk& desk) {
         return encoded(sign(desk.keys[1], kNetwork, Kind::join, desk.task_by(1).body));
       },
       Verdict::reject, &Counters::forged},
      {"signed for another network",
       [&](Desk& desk) {
         return encoded(sign(desk.keys[1], "other-00000000", Kind::task, desk.task_by(1).body));
       },
       Verdict::reject, &Counters::forged},
      {"without a signature",
       [&](Desk& desk) {
         auto record = desk.task_by(1);
         record.signature = Bytes();
         return encoded(record);
       },
       Verdict::reject, &Counters::truncated},
      {"cut inside a word",
       [&](Desk& desk) {
         const Bytes whole = encoded(desk.task_by(1));
         return whole.slice(0, whole.size() - 3);
       },
       Verdict::reject, &Counters::truncated},
      {"above a message's maximum",
       [&](Desk&) {
         return Bytes::adopt(std::vector<std::uint8_t>(schema::kEdilMessageMax + 8, 0));
       },
       Verdict::reject, &Counters::oversized},
      {"of the future",
       [&](Desk& desk) { return encoded(desk.task_by(1, desk.wall_ms() + 3'600'000)); },
       Verdict::ignore, &Counters::future_dated},
  };
  for (const Row& row : rows) {
    Desk desk;
    EXPECT_EQ(desk.announce(row.message(desk)), row.verdict) << row.what;
    EXPECT_EQ(desk.core.status().counters.*row.counter, 1u) << row.what;
    EXPECT_EQ(desk.core.status().tasks, 0u) << row.what;
  }
}

TEST(EdilCore, a_signer_has_so_many_tasks_at_most_and_strangers_oldest_give_way) {
  Desk desk;
  for (std::uint32_t i = 0; i < kTasksPerSignerMax + 5; ++i)
    (void)desk.announce(schema::encode_edil_signed(desk.task_by(1, desk.wall_ms(), i + 1)));
  EXPECT_EQ(desk.core.status().tasks, kTasksPerSignerMax);
  EXPECT_EQ(desk.core.status().counters.full, 5u);
}

}  // namespace
}  // namespace kith::edil::test
