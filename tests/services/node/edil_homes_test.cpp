// Whole nodes that train together, in virtual time.
#include "services/edil/trainer.hpp"
#include "services/edil/update.hpp"
#include "tests/services/node/homes.hpp"

namespace kith::node::test {
namespace {

using edil::TaskId;
using edil::TaskInfo;

#if defined(__clang__)  // the sanitizers' build: they cost a factor of ten
constexpr std::uint32_t kMany = 40;
#else
constexpr std::uint32_t kMany = 200;
#endif

std::vector<std::vector<std::uint32_t>> tree(std::uint32_t nodes, std::uint64_t seed) {
  Rng rng = Rng(seed).fork("tree");
  std::vector<std::vector<std::uint32_t>> knows(nodes);
  for (std::uint32_t i = 1; i < nodes; ++i)
    knows[i].push_back(static_cast<std::uint32_t>(rng.below(std::min<std::uint32_t>(i, 10))));
  return knows;
}

struct Learners {
  Learners(std::uint32_t nodes, std::uint64_t seed)
      : homes(
            tree(nodes, seed), seed, [](NodeConfig& config) { config.poa.beat = false; },
            Fidelity::messages) {
    homes.cluster().run_for(15s);
  }

  Result<TaskInfo> ask(std::uint32_t i, edil::Request what, Duration deadline = 60s) {
    auto answer = homes.ask(i, std::move(what), deadline);
    if (!answer) return answer.error();
    return std::get<TaskInfo>(std::get<edil::Answer>(*answer));
  }
  TaskId create(std::uint32_t by, schema::EdilTask task) {
    const auto made = ask(by, edil::CreateTask{std::move(task)});
    EXPECT_TRUE(made.has_value()) << (made ? "" : describe(made.error()));
    return made ? made->id : TaskId{};
  }
  void join(std::uint32_t i, const TaskId& task, bool follow = false) {
    const auto joined = ask(i, edil::JoinTask{task, {}, follow});
    EXPECT_TRUE(joined.has_value()) << i << ": " << (joined ? "" : describe(joined.error()));
  }
  TaskInfo show(std::uint32_t i, const TaskId& task) {
    const auto shown = ask(i, edil::ShowTask{task});
    return shown ? *shown : TaskInfo{};
  }
  std::vector<edil::RoundInfo> rounds(std::uint32_t i, const TaskId& task) {
    auto answer = homes.ask(i, edil::Request(edil::ShowRounds{task}));
    if (!answer) return {};
    return std::get<edil::RoundList>(std::get<edil::Answer>(*answer)).rounds;
  }
  // How many alive nodes are through with all rounds.
  std::uint32_t through(const TaskId& task, std::uint32_t rounds) {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < homes.cluster().size(); ++i)
      if (homes.cluster().alive(i) && show(i, task).round == rounds) ++count;
    return count;
  }
  bool run_until_through(const TaskId& task, std::uint32_t rounds, std::uint32_t nodes,
                         Duration within) {
    for (Duration spent{}; spent < within; spent += 10s) {
      if (through(task, rounds) >= nodes) return true;
      homes.cluster().run_for(10s);
    }
    return through(task, rounds) >= nodes;
  }

  Homes homes;
};

schema::EdilTask softmax(std::uint32_t rounds, std::uint32_t min, std::uint32_t samples) {
  schema::EdilTask task;
  task.name = "digits";
  task.rounds = rounds;
  task.contributors_min = min;
  task.samples = samples;
  task.rate_millionths = 100'000;
  task.epochs = 2;
  task.round_ms = 20'000;
  return task;
}

double accuracy(const TaskInfo& info) {
  return info.accuracy.of == 0
             ? 0
             : static_cast<double>(info.accuracy.right) / static_cast<double>(info.accuracy.of);
}

TEST(EdilHomes, five_homes_reach_the_accuracy_of_central_training_with_one_killed_in_round_four) {
  Learners five(5, 1);
  const TaskId task = five.create(0, softmax(10, 3, 300));
  five.homes.cluster().run_for(2s);
  for (std::uint32_t i = 0; i < 5; ++i) five.join(i, task);
  for (int i = 0; i < 600 && five.show(1, task).round < 3; ++i) five.homes.cluster().run_for(500ms);
  ASSERT_GE(five.show(1, task).round, 3u);
  five.homes.cluster().crash(3);
  five.homes.disk(3).crash();
  ASSERT_TRUE(five.run_until_through(task, 10, 4, 600s));
  five.homes.cluster().restart(3);
  ASSERT_TRUE(five.run_until_through(task, 10, 5, 120s));
  // Central training on the same kind of samples, as many and as often.
  auto all = std::make_shared<edil::Dataset>(edil::draw_digits(77, 1500));
  const schema::ModelShape shape;
  const edil::Weights start = edil::first_weights(shape, 1);
  edil::Trainer central({shape, 0.1f, 20, 16, 3}, all, start);
  while (!central.step(10'000)) {
  }
  edil::Aggregate whole(start.size());
  whole.add(edil::quantise(start, central.weights()), 1);
  const edil::Dataset held_out = edil::draw_digits(99, 1000);
  const double best = static_cast<double>(count_right(shape, whole.apply(start), held_out)) / 1000;
  const TaskInfo first = five.show(0, task);
  std::printf("central %.3f, five homes %.3f\n", best, accuracy(first));
  EXPECT_GE(accuracy(first), 0.95 * best);
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(five.show(i, task).model, first.model) << i;
    const auto got =
        five.homes.ask_file(i, FileGet{{first.model, five.homes.path("m" + std::to_string(i))}});
    ASSERT_TRUE(got.has_value()) << describe(got.error());
    const std::string file = five.homes.content("m" + std::to_string(i));
    const auto model = edil::decode_model(as_bytes(file));
    ASSERT_TRUE(model.has_value());
    EXPECT_EQ(model->round, 10u);
    const auto rounds = five.rounds(i, task);
    ASSERT_EQ(rounds.size(), 10u);
    EXPECT_EQ(model->previous, rounds[8].model) << "each model is linked to the last";
  }
}

void learn_in_parts(std::uint64_t seed) {
  Learners four(4, seed);
  for (std::uint32_t i = 0; i < 4; ++i) {
    simnet::LinkOptions link;
    link.latency = 40ms;
    link.jitter = 60ms;
    link.reset_ppm = 5'000;
    four.homes.cluster().net().set_link(i, link);
  }
  schema::EdilTask large = softmax(2, 3, 60);
  large.shape = {schema::ModelKind::mlp, 784, 160, 10};
  large.epochs = 1;
  ASSERT_GT(edil::payload_bytes(large.shape.parameters()), 2 * schema::kPartBytes);
  const TaskId task = four.create(0, large);
  four.homes.cluster().run_for(5s);
  for (std::uint32_t i = 0; i < 4; ++i) four.join(i, task, i == 3);
  ASSERT_TRUE(four.run_until_through(task, 2, 4, 300s));
  const TaskInfo first = four.show(0, task);
  EXPECT_EQ(first.weight, 2 * 3 * 60u) << "all three, in both rounds";
  for (std::uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(four.show(i, task).model, first.model) << i;
    const edil::Counters& count = four.homes.node(i).status().edil.counters;
    EXPECT_EQ(count.forged + count.equivocated + count.wrong_model + count.blamed, 0u) << i;
    EXPECT_EQ(count.updates_out, i == 3 ? 0u : 2u) << i;
  }
}

TEST(EdilHomes, an_update_of_several_parts_is_learned_over_links_that_fail) {
  for (const std::uint64_t seed : {7u, 8u, 9u, 10u}) {
    SCOPED_TRACE(seed);
    learn_in_parts(seed);
  }
}

// --- many homes, faults, and a partition that heals

struct Outcome {
  Cid model;
  std::uint64_t hash = 0;
  std::uint64_t switches = 0;
};

// Every eighth trains, the others follow; both sides of the partition have contributors enough to
// go on alone.
Outcome run_many(std::uint32_t nodes, std::uint64_t seed) {
  constexpr std::uint32_t kRounds = 5;
  constexpr std::uint32_t kChurned = 16;  // two seconds each, apart
  Learners many(nodes, seed);
  simnet::Cluster& cluster = many.homes.cluster();
  for (std::uint32_t i = 0; i < nodes; ++i) {
    simnet::LinkOptions link;
    link.latency = 40ms;
    link.jitter = 60ms;
    link.dial_failure_ppm = 100'000;
    link.reset_ppm = 200;
    cluster.net().set_link(i, link);
    many.homes.disk(i).faults.write_delay = 4ms;
  }
  schema::EdilTask task = softmax(kRounds, std::max(1u, nodes / 50), 60);
  task.epochs = 1;
  task.round_ms = 8'000;
  const TaskId id = many.create(0, task);
  cluster.run_for(10s);
  std::vector<Asked> sinks(nodes);
  for (std::uint32_t i = 0; i < nodes; ++i)
    many.homes.node(i).start_request(edil::Request(edil::JoinTask{id, {}, i % 8 != 0}), 60s,
                                     sinks[i]);
  cluster.run_for(5500ms);  // the first round is hardly closed
  std::uint32_t joined = 0;
  for (const Asked& sink : sinks)
    for (const auto& [request, answer] : sink.answers) joined += answer.has_value() ? 1 : 0;
  EXPECT_EQ(joined, nodes);
  for (std::uint32_t i = 0; i < nodes; ++i) many.homes.node(i).drop_sink(sinks[i]);

  Rng rng = Rng(seed).fork("faults");
  std::vector<simnet::NodeIndex> apart;
  for (std::uint32_t i = 1; i < nodes; ++i)
    if (rng.chance(400'000)) apart.push_back(i);
  cluster.net().partition(apart);
  std::vector<std::uint32_t> down;
  for (std::uint32_t k = 0; k < kChurned; ++k) {
    const auto i = 1 + static_cast<std::uint32_t>(rng.below(nodes - 1));
    if (!cluster.alive(i)) continue;
    cluster.crash(i);
    many.homes.disk(i).crash();
    down.push_back(i);
    cluster.run_for(2s);
  }
  cluster.net().heal();
  for (const std::uint32_t i : down) cluster.restart(i);
  EXPECT_TRUE(many.run_until_through(id, kRounds, nodes, 300s));
  // Two forks that both came to their end are compared, too.
  cluster.run_for(40s);
  Outcome outcome;
  outcome.model = many.show(0, id).model;
  std::uint32_t equal = 0;
  for (std::uint32_t i = 0; i < nodes; ++i) {
    equal += many.show(i, id).model == outcome.model ? 1 : 0;
    outcome.switches += many.homes.node(i).status().edil.counters.switches;
    EXPECT_EQ(many.homes.node(i).status().edil.counters.forged, 0u);
    EXPECT_EQ(many.homes.node(i).status().edil.counters.wrong_model, 0u);
    EXPECT_EQ(many.homes.node(i).status().edil.counters.equivocated, 0u);
    EXPECT_EQ(many.homes.node(i).status().edil.counters.blamed, 0u);
  }
  EXPECT_EQ(equal, nodes) << "one model on all";
  outcome.hash = cluster.trace_hash();
  return outcome;
}

TEST(EdilHomes, many_homes_with_faults_churn_and_a_partition_that_heals_end_with_one_model) {
#if defined(__clang__)
  (void)run_many(kMany, 3);
#else
  EXPECT_GT(run_many(kMany, 3).switches, 0u) << "the halves went on, and one took over the other's";
#endif
}

TEST(EdilHomes, the_same_seed_gives_the_same_trace) {
  const Outcome first = run_many(30, 5);
  const Outcome again = run_many(30, 5);
  EXPECT_EQ(first.hash, again.hash);
  EXPECT_EQ(first.model, again.model);
}

}  // namespace
}  // namespace kith::node::test
