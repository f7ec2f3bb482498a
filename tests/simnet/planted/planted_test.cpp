// The simulator tested by planted faults: each scenario passes as the program is, and fails with
// each of its faults, by a verdict that fits. A fault that escapes is a hole in the simulator's
// checks.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "net/base/planted.hpp"
#include "simnet/scenario/run.hpp"
#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

struct Case {
  std::string_view plant;
  const char* scenario;
  std::string_view verdict;  // what one of those that fail begins with

  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.plant; }
};

const Case kCases[] = {
    {"seen-forgotten", "gossip_pairs", "nobody was told a message twice"},
    {"backoff-forgotten", "gossip_crowd", "expect gossip.grafts_too_soon"},
    {"forwarded-to-sender", "gossip_ring", "expect gossip.copies"},
    {"last-member-skipped", "gossip_ring", "every subscriber that was there heard each message"},
    {"iwant-unanswered", "gossip_pairs", "every subscriber that was there heard each message"},
    {"mesh-not-refilled", "gossip_churn", "expect gossip.thin_meshes"},
    {"seqno-restarted", "gossip_churn", "every subscriber that was there heard each message"},
    {"closest-off-by-one", "dht", "expect lookup.true"},
    {"dead-never-evicted", "dht", "expect lookup.dead_ends_mean"},
    {"lookup-stops-early", "dht", "expect lookup.true"},
    {"write-not-synced", "kv", "namespace diary: no acknowledged key is lost"},
    {"write-acked-early", "kv", "namespace diary: no acknowledged key is lost"},
    {"tie-not-broken", "kv", "namespace shared: one root on all that hold it"},
    {"page-cut-short", "kv", "namespace shared: one root on all that hold it"},
    {"counter-starts-anew", "kv", "namespace shared: the counter counts what was acknowledged"},
    {"file-not-synced", "files", "no acknowledged file is lost on its home"},
    {"block-not-checked", "files", "no reader got other content"},
    {"offered-once", "files_late", "expect file.done"},
    {"beats-too-strict", "beats", "expect poa.seen"},
    {"update-added-twice", "learn", "every close is of the model that its updates make"},
    {"wakeup-lost", "gossip_jam", "every subscriber that was there heard each message"},
    {"alarm-lost", "files_late", "expect file.done"},
};

RunResult run(const std::string& scenario, std::string_view plant_name) {
  std::string path = KITH_PLANTED_SCENARIOS "/";
  path += scenario;
  path += ".toml";
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  const auto read = read_scenario(text.str(), path);
  EXPECT_TRUE(read) << (read ? "" : describe(read.error()));
  if (!read) return {};
  EXPECT_TRUE(plant(plant_name)) << plant_name;
  auto result = run_scenario(*read);
  plant("none");
  EXPECT_TRUE(result) << (result ? "" : describe(result.error()));
  return result ? std::move(*result) : RunResult{};
}

// For whoever has to find out why.
std::string account(const RunResult& result) {
  std::string text;
  for (const Verdict& verdict : result.verdicts)
    text +=
        std::string(verdict.ok ? "ok   " : "FAIL ") + verdict.what + ": " + verdict.found + "\n";
  for (const auto& [name, value] : result.metrics) text += name + " " + number_text(value) + "\n";
  return text;
}

std::string test_name(std::string name) {
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

class PlantedScenario : public testing::TestWithParam<std::string> {};

TEST_P(PlantedScenario, passes_with_nothing_planted) {
  const RunResult result = run(GetParam(), "none");
  EXPECT_TRUE(result.ok && !result.verdicts.empty()) << account(result);
}

std::vector<std::string> scenarios() {
  std::vector<std::string> names;
  for (const Case& one : kCases)
    if (std::find(names.begin(), names.end(), one.scenario) == names.end())
      names.emplace_back(one.scenario);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedScenario, testing::ValuesIn(scenarios()),
                         [](const auto& one) { return one.param; });

class PlantedFault : public testing::TestWithParam<Case> {};

TEST_P(PlantedFault, is_caught) {
  const RunResult result = run(GetParam().scenario, GetParam().plant);
  EXPECT_FALSE(result.ok);
  const bool fits =
      std::any_of(result.verdicts.begin(), result.verdicts.end(), [](const Verdict& verdict) {
        return !verdict.ok && std::string_view(verdict.what).starts_with(GetParam().verdict);
      });
  EXPECT_TRUE(fits) << GetParam().plant << " escaped " << GetParam().scenario << "\n"
                    << account(result);
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedFault, testing::ValuesIn(kCases),
                         [](const auto& one) { return test_name(std::string(one.param.plant)); });

TEST(Planted, every_fault_has_a_scenario) {
  for (const std::string_view name : kPlantedNames)
    EXPECT_TRUE(name == "none" || std::any_of(std::begin(kCases), std::end(kCases),
                                              [&](const Case& one) { return one.plant == name; }))
        << name;
}

TEST(Planted, an_unknown_name_plants_nothing) {
  EXPECT_FALSE(plant("no-such-fault"));
  EXPECT_TRUE(planted(Planted::none));
}

}  // namespace
}  // namespace kith::simnet
