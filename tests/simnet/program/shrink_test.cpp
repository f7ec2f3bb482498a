#include "simnet/program/shrink.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

Scenario large() {
  Scenario scenario;
  scenario.name = "large";
  scenario.nodes = 100;
  scenario.until = 10min;
  scenario.settle = 30s;
  scenario.groups = {{"a", 10, 0, {}, {}, {}, {}}, {"b", 20, 0, {}, {}, {}, {}}};
  for (int i = 0; i < 8; ++i) {
    Fault fault;
    fault.kind = i == 5 ? FaultKind::partition : FaultKind::kill;
    fault.at = 10s * i;
    fault.who = i % 2 == 0 ? "a" : "all";
    scenario.faults.push_back(fault);
    Work work;
    work.kind = i == 2 ? WorkKind::put : WorkKind::publish;
    work.who = "b";
    work.at = 1s * i;
    work.until = 9min;
    scenario.work.push_back(work);
  }
  return scenario;
}

bool has(const Scenario& scenario, FaultKind kind) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(),
                     [kind](const Fault& fault) { return fault.kind == kind; });
}
bool has(const Scenario& scenario, WorkKind kind) {
  return std::any_of(scenario.work.begin(), scenario.work.end(),
                     [kind](const Work& work) { return work.kind == kind; });
}

TEST(Shrink, what_the_failure_needs_is_left_and_nothing_else) {
  ASSERT_TRUE(check_scenario(large(), "large").has_value());
  const Shrunk shrunk = shrink(large(), 1000, [](const Scenario& scenario) {
    return has(scenario, FaultKind::partition) && has(scenario, WorkKind::put) &&
           scenario.nodes >= 7;
  });
  const Scenario& small = shrunk.scenario;
  EXPECT_EQ(small.faults.size(), 1u);
  EXPECT_EQ(small.work.size(), 1u);
  EXPECT_TRUE(small.groups.empty());
  EXPECT_EQ(small.nodes, 12u);                 // 6 would be too few
  EXPECT_LT(small.until - small.settle, 70s);  // the partition strikes at 50 s
  EXPECT_GT(small.until - small.settle, 50s);
  EXPECT_EQ(small.work[0].who, "all");  // its group is gone
}

TEST(Shrink, every_scenario_that_is_tried_can_run) {
  shrink(large(), 1000, [](const Scenario& scenario) {
    const auto checked = check_scenario(scenario, "smaller");
    EXPECT_TRUE(checked.has_value()) << describe(checked.error());
    EXPECT_TRUE(read_scenario(scenario_text(scenario), "smaller").has_value());
    return scenario.faults.size() % 3 != 1;
  });
}

TEST(Shrink, tries_are_bounded_and_counted) {
  std::uint32_t asked = 0;
  const Shrunk shrunk = shrink(large(), 7, [&](const Scenario&) { return ++asked % 2 == 0; });
  EXPECT_EQ(asked, 7u);
  EXPECT_EQ(shrunk.tries, 7u);
  EXPECT_EQ(shrink(large(), 0, [](const Scenario&) { return true; }).scenario.nodes, 100u);
}

TEST(Shrink, what_cannot_be_smaller_stays_as_it_is) {
  const Shrunk shrunk = shrink(large(), 1000, [](const Scenario&) { return false; });
  EXPECT_EQ(scenario_text(shrunk.scenario), scenario_text(large()));
}

}  // namespace
}  // namespace kith::simnet
