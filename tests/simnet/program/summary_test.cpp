#include "simnet/program/summary.hpp"

#include <gtest/gtest.h>

#include "tests/simnet/program/support.hpp"

namespace kith::simnet {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Summary, one_sentence_says_who_what_and_how_fast) {
  EXPECT_EQ(opening_sentence(a_run()),
            "1,000 homes found each other; each of 20 messages reached all 999 others, half of "
            "them within 105 ms over 2 hops, 7.9 copies each.");
}

TEST(Summary, what_did_not_arrive_is_not_called_all) {
  ReportData data = a_run();
  data.metrics["gossip.delivery"] = 0.99999;
  const std::string text = opening_sentence(data);
  EXPECT_TRUE(holds(text, "20 messages reached 99.9990 % of those who should have heard")) << text;
  EXPECT_FALSE(holds(text, "found each other")) << text;
}

TEST(Summary, of_messages_that_were_due_to_nobody_none_is_called_delivered) {
  ReportData data = a_run();
  data.metrics["gossip.due"] = 0;
  EXPECT_EQ(opening_sentence(data),
            "1,000 homes ran; 20 messages were published while nobody was sure to hear them.");
}

TEST(Summary, homes_that_are_down_or_not_ready_are_counted) {
  ReportData data = a_run();
  data.metrics["nodes.up"] = 990;
  data.metrics["nodes.ready"] = 988;
  EXPECT_TRUE(opening_sentence(data).starts_with(
      "1,000 homes ran, 990 of them up at the end, 2 of those not ready; "))
      << opening_sentence(data);
}

TEST(Summary, lost_state_and_crashes_are_told) {
  ReportData data = a_run();
  data.metrics["kv.shared.acknowledged"] = 250;
  data.metrics["kv.shared.lost"] = 3;
  data.metrics["files.acknowledged"] = 1;
  data.metrics["files.lost"] = 0;
  data.metrics["faults.crashes"] = 2;
  const std::string text = opening_sentence(data);
  EXPECT_TRUE(holds(text,
                    "; 250 keys were acknowledged, 3 not found again; 1 file was "
                    "acknowledged, none lost; 2 crashes on the way."))
      << text;
}

TEST(Summary, a_run_without_any_figure_still_has_a_sentence) {
  ReportData data;
  data.nodes = 1;
  data.metrics = {{"nodes.up", 1}, {"nodes.ready", 1}};
  EXPECT_EQ(opening_sentence(data), "1 home ran.");
}

TEST(Summary, a_failure_is_shown_with_what_was_found_and_how_to_repeat_it) {
  ReportData data = a_run();
  EXPECT_TRUE(holds(summary_text(data), "all 2 checks passed"));
  EXPECT_FALSE(holds(summary_text(data), "repeat it"));
  EXPECT_TRUE(holds(summary_text(data), "hash 0123456789abcdef, seed 7"));
  data.verdicts[1] = {"expect gossip.delivery >= 1", false, "0.5"};
  const std::string text = summary_text(data);
  EXPECT_TRUE(holds(text, "FAILED  expect gossip.delivery >= 1: found 0.5\n")) << text;
  EXPECT_TRUE(holds(text, "1 of 2 checks failed")) << text;
  EXPECT_TRUE(holds(text, "repeat it: kith-sim run hello --seed 7\n")) << text;
}

}  // namespace
}  // namespace kith::simnet
