#include "simnet/program/parameters.hpp"

#include <gtest/gtest.h>

#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

std::string section_of(const std::string& toml) {
  const auto scenario = read_scenario("name = \"t\"\nnodes = 9\nuntil = \"60s\"\n" + toml, "test");
  return scenario ? parameters_section(scenario_text(*scenario)) : describe(scenario.error());
}

std::string before_details(const std::string& section) {
  return section.substr(0, section.find("<details>"));
}

bool shows(const std::string& section, const std::string& key, const std::string& value) {
  return before_details(section).find("<th>" + key + "</th><td>" + value + "</td>") !=
         std::string::npos;
}

TEST(Parameters, what_is_as_usual_is_left_to_the_whole_text) {
  const std::string section = section_of("[link]\nlatency = \"40ms\"\n");
  EXPECT_TRUE(shows(section, "nodes", "9"));
  EXPECT_TRUE(shows(section, "until", "1m")) << section;
  EXPECT_TRUE(shows(section, "latency", "40ms"));
  EXPECT_EQ(before_details(section).find("jitter"), std::string::npos);
  EXPECT_NE(section.find("jitter = "), std::string::npos);
}

TEST(Parameters, a_group_shows_where_it_departs_from_the_whole) {
  const std::string section = section_of(
      "[link]\nlatency = \"40ms\"\n[[group]]\nname = \"far\"\ncount = 2\n"
      "[group.link]\njitter = \"7ms\"\n");
  EXPECT_TRUE(shows(section, "name", "far"));
  EXPECT_TRUE(shows(section, "jitter", "7ms"));
  std::size_t latencies = 0;
  const std::string shown = before_details(section);
  for (std::size_t at = shown.find("<th>latency<"); at != std::string::npos;
       at = shown.find("<th>latency<", at + 1))
    ++latencies;
  EXPECT_EQ(latencies, 1u) << section;  // of [link]; the group's is the same
}

TEST(Parameters, each_work_says_what_it_does_though_that_is_the_usual) {
  const std::string section = section_of("[[work]]\ndo = \"publish\"\n");
  EXPECT_TRUE(shows(section, "do", "publish")) << section;
}

TEST(Parameters, a_matrix_is_one_value) {
  const std::string section =
      section_of("regions = [\"a\", \"b\"]\nlatency_ms = [[1, 20], [20, 1]]\n");
  EXPECT_NE(before_details(section).find("<th>latency_ms</th><td>[  [1, 20],  [20, 1],]</td>"),
            std::string::npos)
      << section;
}

TEST(Parameters, a_run_without_its_text_has_no_section) { EXPECT_EQ(parameters_section(""), ""); }

}  // namespace
}  // namespace kith::simnet
