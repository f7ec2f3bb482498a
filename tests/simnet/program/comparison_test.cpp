#include "simnet/program/comparison.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "simnet/program/shipped.hpp"
#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Scenario tiny() {
  Scenario scenario;
  scenario.name = "tiny";
  scenario.nodes = 4;
  scenario.until = 4s;
  scenario.settle = 1s;
  scenario.node.beats = false;
  return scenario;
}

RecordedEvent event(std::int64_t at, std::uint64_t data, std::uint64_t trace) {
  RecordedEvent one;
  one.event.at = at;
  one.event.node = 7;
  one.event.handler = 1;
  one.event.data = data;
  one.trace = trace;
  return one;
}

TEST(Comparison, figures_stand_side_by_side_with_their_change) {
  const std::string table = metrics_side_by_side({{"a", 100}, {"b", 0}, {"c", 3}, {"e", 5}},
                                                 {{"a", 110}, {"b", 2}, {"d", 4}, {"e", 5}});
  EXPECT_TRUE(holds(table, "+10.0 %")) << table;
  EXPECT_TRUE(holds(table, "from 0")) << table;
  EXPECT_TRUE(holds(table, "only one has it")) << table;
  EXPECT_TRUE(holds(table, "5  =\n")) << table;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 6);
}

TEST(Comparison, the_first_differing_event_is_named) {
  ChildRun left, right;
  left.handlers = right.handlers = {"SimLoops", "SimNet"};
  left.recorded = {event(1'000'000'001, 1, 11), event(1'500'000'000, 2, 12)};
  right.recorded = {event(1'000'000'001, 1, 11), event(1'500'000'000, 3, 13)};
  const std::string text = first_differing_event(left, right);
  EXPECT_TRUE(holds(text, "event 2 of that second")) << text;
  EXPECT_TRUE(holds(text, "left:  at 1.500000000 s, node 7, handler SimNet, kind 0, data 0x2"));
  EXPECT_TRUE(holds(text, "right: at 1.500000000 s, node 7, handler SimNet, kind 0, data 0x3"));
}

TEST(Comparison, an_equal_event_that_read_something_else_is_told_apart) {
  ChildRun left, right;
  left.recorded = {event(1, 1, 11)};
  right.recorded = {event(1, 1, 99)};
  EXPECT_TRUE(holds(first_differing_event(left, right), "the event is the same"));
  right.recorded.clear();
  EXPECT_TRUE(holds(first_differing_event(left, right), "has no more events"));
}

TEST(Comparison, runs_that_differ_only_at_their_end_differ_in_their_last_second) {
  ChildRun left, right;
  left.seconds = right.seconds = {{0, 1}, {1, 2}};
  left.hash = 5;
  right.hash = 5;
  left.simulated_s = right.simulated_s = 2.5;
  EXPECT_EQ(differing_second(left, right), std::nullopt);
  right.hash = 6;
  EXPECT_EQ(differing_second(left, right), 2);
}

TEST(ChildRun, what_a_child_writes_its_parent_reads) {
  ChildRun run;
  run.ok = false;
  run.hash = UINT64_MAX;
  run.simulated_s = 90.25;
  run.failed = {{"what\n", false, "found"}};
  run.seconds = {{3, UINT64_MAX - 1}};
  run.handlers = {"SimNet"};
  run.recorded = {event(10, 11, 12), event(13, 14, 15)};
  const ChildRun read = read_child_text(child_text(run));
  EXPECT_TRUE(read.ended);
  EXPECT_EQ(read.hash, run.hash);
  EXPECT_EQ(read.simulated_s, 90.25);
  ASSERT_EQ(read.failed.size(), 1u);
  EXPECT_EQ(read.failed[0].what, "what\n");
  EXPECT_EQ(read.seconds, run.seconds);
  EXPECT_EQ(read.handlers, run.handlers);
  ASSERT_EQ(read.recorded.size(), 2u);
  EXPECT_EQ(read.recorded[1].trace, 15u);
}

TEST(ChildRun, half_a_result_is_none) {
  const std::string whole = child_text({});
  for (std::size_t size = 0; size + 1 < whole.size(); ++size)
    EXPECT_FALSE(read_child_text(whole.substr(0, size)).ended) << size;
  ChildRun failed;
  failed.error = fail(Errc::exhausted, "too little", "why", "fix");
  const ChildRun read = read_child_text(child_text(failed));
  ASSERT_TRUE(read.error.has_value());
  EXPECT_EQ(read.error->code, Errc::exhausted);
  EXPECT_FALSE(read.ended);
}

TEST(Recording, shows_the_events_of_one_second_and_changes_nothing) {
  const auto plain = run_scenario(tiny());
  ASSERT_TRUE(plain.has_value());
  std::vector<RecordedEvent> events;
  RunHooks hooks;
  hooks.record_second = 1;
  hooks.recorded = &events;
  const auto recorded = run_scenario(tiny(), hooks);
  ASSERT_TRUE(recorded.has_value());
  EXPECT_EQ(recorded->hash, plain->hash);
  ASSERT_FALSE(events.empty());
  std::int64_t before = 0;
  for (const RecordedEvent& one : events) {
    EXPECT_EQ(one.event.at / 1'000'000'000, 1);
    EXPECT_GE(one.event.at, before);
    before = one.event.at;
    EXPECT_LT(one.event.handler, recorded->handlers.size());
  }
  const auto& seconds = recorded->second_hashes;
  const auto second =
      std::find_if(seconds.begin(), seconds.end(), [](const auto& one) { return one.second == 1; });
  ASSERT_NE(second, seconds.end());
  EXPECT_EQ(events.back().trace, second->hash);
  EXPECT_NE(std::find(recorded->handlers.begin(), recorded->handlers.end(), "SimLoops"),
            recorded->handlers.end());
}

TEST(Shipped, every_scenario_reads_and_says_what_it_is_about) {
  ASSERT_FALSE(shipped_scenarios().empty());
  for (const Shipped& shipped : shipped_scenarios()) {
    const auto scenario = read_scenario(shipped.text, std::string(shipped.name));
    ASSERT_TRUE(scenario.has_value()) << describe(scenario.error());
    EXPECT_EQ(scenario->name, shipped.name);
    EXPECT_FALSE(scenario->about.empty());
  }
}

}  // namespace
}  // namespace kith::simnet
