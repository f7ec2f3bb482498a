#include "simnet/scenario/scenario_toml.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace kith::simnet {
namespace {

constexpr const char* kHead = "name = \"t\"\nnodes = 10\nuntil = \"2m\"\n";

Result<Scenario> read(const std::string& rest, const std::vector<Override>& changes = {}) {
  return read_scenario(kHead + rest, "t.toml", changes);
}
std::string error_of(const std::string& rest) {
  const auto read_one = read(rest);
  return read_one ? "no error" : describe(read_one.error());
}

TEST(ScenarioToml, groups_begin_with_what_holds_for_all) {
  const auto scenario = read(
      "[link]\nlatency = \"7ms\"\njitter = \"1ms\"\n"
      "[[group]]\nname = \"far\"\ncount = 3\n[group.link]\nlatency = \"90ms\"\n");
  ASSERT_TRUE(scenario.has_value()) << describe(scenario.error());
  ASSERT_EQ(scenario->groups.size(), 1u);
  EXPECT_EQ(scenario->groups[0].link.latency, 90ms);
  EXPECT_EQ(scenario->groups[0].link.jitter, 1ms);
  EXPECT_EQ(scenario->link.latency, 7ms);
}

TEST(ScenarioToml, an_unknown_key_names_line_column_and_the_nearest_one) {
  const std::string error = error_of("[link]\nlatncy = \"7ms\"\n");
  EXPECT_NE(error.find("t.toml:5:1"), std::string::npos) << error;
  EXPECT_NE(error.find("\"link.latncy\" is unknown"), std::string::npos) << error;
  EXPECT_NE(error.find("did you mean 'latency'?"), std::string::npos) << error;
}

TEST(ScenarioToml, an_impossible_value_names_line_column_and_what_is_possible) {
  EXPECT_NE(error_of("seed = -1\n").find("t.toml:4:8"), std::string::npos) << error_of("seed = -1");
  EXPECT_NE(error_of("[link]\nlatency = \"9\"\n").find("a time such as"), std::string::npos);
  EXPECT_NE(error_of("[link]\nlatency = 9\n").find("a time such as"), std::string::npos);
  EXPECT_NE(error_of("[link]\ndial_failures = \"101%\"\n").find("a share"), std::string::npos);
  EXPECT_NE(error_of("fidelity = \"exact\"\n").find("one of \"messages\", \"bytes\""),
            std::string::npos);
  EXPECT_NE(error_of("[[work]]\ndo = \"sing\"\n").find("\"publish\""), std::string::npos);
  EXPECT_NE(error_of("link = 3\n").find("a table, [link]"), std::string::npos);
  EXPECT_NE(error_of("x = = 3\n").find("this is not TOML"), std::string::npos);
}

TEST(ScenarioToml, what_does_not_fit_together_is_refused) {
  EXPECT_NE(error_of("[[work]]\nwho = \"nobody\"\n").find("there is no group \"nobody\""),
            std::string::npos);
  EXPECT_NE(error_of("[[group]]\nname = \"a\"\ncount = 11\n").find("want 11 nodes of 10"),
            std::string::npos);
  EXPECT_NE(error_of("[[group]]\nname = \"all\"\ncount = 1\n").find("needs a `name`"),
            std::string::npos);
  EXPECT_NE(error_of("[[fault]]\nkind = \"crash\"\nat = \"3m\"\n").find("after the end"),
            std::string::npos);
  EXPECT_NE(error_of("[[fault]]\nat = \"50s\"\nuntil = \"40s\"\n").find("ends before it begins"),
            std::string::npos);
  EXPECT_NE(error_of("settle = \"2m\"\n").find("takes all of the run"), std::string::npos);
  EXPECT_NE(error_of("regions = [\"eu\"]\n").find("latency_ms"), std::string::npos);
  EXPECT_NE(error_of("[node]\ndegree = 20\n").find("out of order"), std::string::npos);
  EXPECT_NE(error_of("[[expect]]\nmetric = \"gossip.delivery\"\n").find("expects nothing"),
            std::string::npos);
  EXPECT_NE(error_of("[[work]]\ndo = \"publish\"\nsize = \"61KiB\"\n").find("at most 60KiB"),
            std::string::npos);
}

TEST(ScenarioToml, overrides_take_the_place_of_what_the_file_says) {
  const auto scenario =
      read("[[work]]\ndo = \"publish\"\nevery = \"1s\"\n", {{"nodes", "7"},
                                                            {"work.0.every", "4/s"},
                                                            {"link.latency", "3ms"},
                                                            {"node.topics", "[\"a\", \"b\"]"}});
  ASSERT_TRUE(scenario.has_value()) << describe(scenario.error());
  EXPECT_EQ(scenario->nodes, 7u);
  EXPECT_EQ(scenario->work[0].every, 250ms);
  EXPECT_EQ(scenario->link.latency, 3ms);
  EXPECT_EQ(scenario->node.topics.size(), 2u);
  EXPECT_FALSE(read("", {{"work.0.every", "4/s"}}).has_value());
  EXPECT_FALSE(read("", {{"nothing.here", "4"}}).has_value());
  EXPECT_FALSE(parse_override("nodes").has_value());
  EXPECT_FALSE(parse_override("=7").has_value());
  EXPECT_EQ(parse_override("a.b=c=d")->value, "c=d");
}

TEST(ScenarioToml, what_is_written_reads_back_the_same) {
  const auto scenario = read(
      "about = \"quotes \\\" and \\\\ and \\u0001\"\nregions = [\"eu\", \"us\"]\n"
      "latency_ms = [[5, 45], [45, 6]]\n[disk]\nroom = \"5MiB\"\n"
      "[[group]]\nname = \"a\"\nshare = \"20%\"\n[[work]]\ndo = \"file\"\nsize = \"100KiB\"\n"
      "[[fault]]\nkind = \"churn\"\nwho = \"a\"\nspread = \"pareto\"\n"
      "[[expect]]\nmetric = \"files.lost\"\nmax = 0\n");
  ASSERT_TRUE(scenario.has_value()) << describe(scenario.error());
  const std::string text = scenario_text(*scenario);
  const auto again = read_scenario(text, "again.toml");
  ASSERT_TRUE(again.has_value()) << describe(again.error()) << text;
  EXPECT_EQ(scenario_text(*again), text);
  EXPECT_EQ(again->about, scenario->about);
  EXPECT_EQ(again->latency_ms, scenario->latency_ms);
  EXPECT_EQ(again->disk.bytes_max, 5u << 20);
  EXPECT_EQ(again->faults[0].spread, Spread::pareto);
}

TEST(ScenarioToml, every_shipped_scenario_is_sound_and_says_what_it_is_about) {
  std::size_t count = 0;
  const std::filesystem::path folder =
      std::filesystem::path(KITH_TEST_FIXTURES) / "../../simnet/scenarios";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(file.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto scenario = read_scenario(text, file.path().filename());
    ASSERT_TRUE(scenario.has_value()) << describe(scenario.error());
    EXPECT_EQ(scenario->name, file.path().stem());
    EXPECT_FALSE(scenario->about.empty());
    EXPECT_FALSE(scenario->work.empty());
    ++count;
  }
  EXPECT_GE(count, 6u);
}

TEST(ScenarioToml, a_line_nested_without_end_is_refused_and_not_parsed) {
  EXPECT_FALSE(read(std::string(5000, '[')).has_value());
  std::string dots = "a";
  for (int i = 0; i < 5000; ++i) dots += ".a";
  EXPECT_FALSE(read(dots + " = 1\n").has_value());
  EXPECT_FALSE(parse_override(dots + "=1").has_value());
  EXPECT_FALSE(read_scenario(std::string((1u << 20) + 1, '#'), "t.toml").has_value());
}

}  // namespace
}  // namespace kith::simnet
