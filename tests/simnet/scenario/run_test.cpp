// Whole runs: both fidelities beside each other, and one hash for one seed in every build.
#include "simnet/scenario/run.hpp"

#include <gtest/gtest.h>

#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

#if defined(__clang__)  // the sanitizers' build: they cost a factor of ten
constexpr const char* kCrowd = "60";
#else
constexpr const char* kCrowd = "1000";
#endif

RunResult run(const std::string& text, const std::vector<Override>& changes = {}) {
  const auto scenario = read_scenario(text, "test.toml", changes);
  EXPECT_TRUE(scenario.has_value()) << (scenario ? "" : describe(scenario.error()));
  auto result = run_scenario(*scenario);
  EXPECT_TRUE(result.has_value()) << (result ? "" : describe(result.error()));
  return result ? std::move(*result) : RunResult{};
}

std::string failures(const RunResult& result) {
  std::string text;
  for (const Verdict& verdict : result.verdicts)
    if (!verdict.ok) text += verdict.what + ": " + verdict.found + "\n";
  return text;
}

constexpr const char* kCrowdScenario = R"(
name = "crowd"
nodes = 1000
until = "70s"
settle = "20s"
[link]
latency = "40ms"
jitter = "10ms"
up = "50Mbit/s"
down = "50Mbit/s"
[node]
topics = ["news"]
beats = false
dht_server = false
[topology]
graph = "random"
degree = 12
join = "5s"
[[work]]
do = "publish"
at = "25s"
until = "45s"
every = "2/s"
size = "1KiB"
)";

TEST(Fidelities, agree_at_a_thousand_nodes_in_delivery_latency_and_bytes) {
  const RunResult messages = run(kCrowdScenario, {{"nodes", kCrowd}});
  const RunResult bytes = run(kCrowdScenario, {{"nodes", kCrowd}, {"fidelity", "bytes"}});
  EXPECT_TRUE(messages.ok) << failures(messages);
  EXPECT_TRUE(bytes.ok) << failures(bytes);
  for (const char* metric :
       {"gossip.due", "gossip.delivery", "gossip.copies", "gossip.latency_ms_p50",
        "gossip.latency_ms_p99", "gossip.latency_ms_max", "net.bytes"}) {
    const double a = messages.metrics.at(metric), b = bytes.metrics.at(metric);
    std::printf("%-24s messages %12.6g  bytes %12.6g  apart %.2f %%\n", metric, a, b,
                100 * (a - b) / b);
    const bool exact = std::string_view(metric).starts_with("gossip.d");
    // The maximum is one delivery, not a quantile: it is told, and differs between small crowds.
    if (std::string_view(metric).ends_with("_max")) continue;
    EXPECT_NEAR(a, b, exact ? 0 : 0.05 * b) << metric;
  }
}

// Every service at work, with faults.
constexpr const char* kTown = R"(
name = "town"
nodes = 12
until = "100s"
settle = "50s"
[link]
latency = "20ms"
jitter = "15ms"
loss = "0.5%"
[disk]
write_delay = "2ms"
[node]
topics = ["news"]
spaces = ["shared"]
[topology]
join = "3s"
[[fault]]
kind = "churn"
share = "40%"
at = "15s"
session = "20s"
down = "5s"
spread = "pareto"
[[fault]]
kind = "link"
share = "50%"
at = "20s"
until = "45s"
every = "10s"
swarm = true
[[work]]
do = "publish"
at = "10s"
every = "1s"
[[work]]
do = "put"
at = "10s"
every = "1s"
size = "64B"
[[work]]
do = "file"
at = "12s"
every = "10s"
size = "40KiB"
[[work]]
do = "learn"
at = "8s"
who = "rest"
learners = 3
rounds = 2
samples = 40
)";

TEST(Run, equal_seeds_give_equal_runs_and_others_do_not) {
  const RunResult first = run(kTown), again = run(kTown), other = run(kTown, {{"seed", "2"}});
  EXPECT_EQ(first.hash, again.hash);
  EXPECT_EQ(first.metrics, again.metrics);
  EXPECT_EQ(first.second_hashes, again.second_hashes);
  EXPECT_NE(first.hash, other.hash);
}

// In the release, debug and sanitizer builds, of GCC and of clang. Whoever changes what nodes say
// or do changes it, too, and writes the new one here: it must be the same in both presets.
TEST(Run, the_hash_of_a_town_is_the_same_in_every_build) {
  EXPECT_EQ(run(kTown).hash, 12012494587820697488u);
}

// Disks without room are drawn several times, each time others; then there is room everywhere.
TEST(Run, a_fault_that_is_drawn_anew_is_healed_on_all_that_it_struck) {
  const RunResult result = run(R"(
name = "drawn anew"
nodes = 8
until = "60s"
settle = "10s"
[node]
spaces = ["shared"]
[[fault]]
kind = "disk"
count = 2
at = "10s"
until = "30s"
every = "4s"
[fault.disk]
room = "0B"
[[work]]
do = "put"
at = "31s"
every = "250ms"
)");
  EXPECT_EQ(result.metrics.at("put.done"), 76) << failures(result);
  EXPECT_EQ(result.metrics.at("put.failed"), 0);
}

// A home without room cannot number its messages, and says so: nobody waits for what it refused.
TEST(Run, a_message_that_its_publisher_refused_is_due_to_nobody) {
  const RunResult result = run(R"(
name = "refused"
nodes = 4
until = "60s"
settle = "10s"
[node]
topics = ["news"]
[[group]]
name = "full"
count = 1
[group.disk]
room = "0B"
[[work]]
do = "publish"
who = "full"
at = "20s"
every = "1s"
[[work]]
do = "publish"
who = "rest"
label = "others"
at = "20s"
every = "1s"
)");
  EXPECT_EQ(result.metrics.at("publish.failed"), 30);
  EXPECT_EQ(result.metrics.at("gossip.due"), 3 * 30) << "what the others published";
  EXPECT_EQ(result.metrics.at("gossip.delivery"), 1);
}

TEST(Run, an_expectation_that_does_not_hold_fails_the_run_and_says_what_was_found) {
  std::string text = kTown;
  text.append(R"(
[[expect]]
metric = "put.done"
min = 1e6
[[expect]]
metric = "put.doen"
min = 1
)");
  const RunResult result = run(text, {{"until", "20s"}, {"settle", "5s"}, {"fault", "[]"}});
  EXPECT_FALSE(result.ok);
  const std::string found = failures(result);
  EXPECT_NE(found.find("expect put.done >= 1e+06: "), std::string::npos) << found;
  EXPECT_NE(found.find("did you mean 'put.done'?"), std::string::npos) << found;
}

TEST(Run, too_little_memory_is_told_before_anything_starts) {
  const auto scenario = read_scenario(kTown, "test.toml", {{"memory", "1MiB"}});
  ASSERT_TRUE(scenario.has_value());
  const auto result = run_scenario(*scenario);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::exhausted);
  EXPECT_NE(result.error().fix.find("--nodes 4"), std::string::npos) << describe(result.error());
}

}  // namespace
}  // namespace kith::simnet
