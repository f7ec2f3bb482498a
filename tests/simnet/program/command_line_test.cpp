#include <gtest/gtest.h>

#include "simnet/program/invocation.hpp"

namespace kith::simnet {
namespace {

template <class C>
C parsed(std::vector<std::string> words) {
  auto command = parse_command_line(std::move(words));
  EXPECT_TRUE(command.has_value()) << describe(command.error());
  if (!command || !std::holds_alternative<C>(*command)) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return std::get<C>(*command);
}
std::string error_of(std::vector<std::string> words) {
  const auto command = parse_command_line(std::move(words));
  if (command) return "no error";
  EXPECT_EQ(command.error().code, Errc::usage);
  return describe(command.error());
}
bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CommandLine, run_takes_its_flags_in_any_order) {
  const auto run = parsed<RunCommand>({"run", "--seed", "7", "hello", "--nodes", "50", "--set",
                                       "link.latency=50ms", "--out", "o", "--set", "seed=9",
                                       "--overwrite", "--until", "2m", "--json", "--quiet"});
  EXPECT_EQ(run.source.name, "hello");
  ASSERT_EQ(run.source.overrides.size(), 5u);
  EXPECT_EQ(run.source.overrides[0].key, "seed");
  EXPECT_EQ(run.source.overrides[1].value, "50");
  EXPECT_EQ(run.source.overrides[2].value, "2m");
  EXPECT_EQ(run.source.overrides[3].key, "link.latency");
  EXPECT_EQ(run.source.overrides[4].value, "9");  // the last word on a key is the last to be put
  EXPECT_EQ(run.out, "o");
  EXPECT_TRUE(run.overwrite && run.json && run.quiet);
}

TEST(CommandLine, the_command_that_repeats_a_run_parses_to_the_same_source) {
  const auto run = parsed<RunCommand>(
      {"run", "a b.toml", "--seed", "7", "--set", "about=it's", "--until", "2m"});
  EXPECT_EQ(repeat_command(run.source),
            "kith-sim run 'a b.toml' --seed 7 --until 2m --set 'about=it'\\''s'");
}

TEST(CommandLine, a_mistyped_flag_or_command_names_the_nearest) {
  EXPECT_TRUE(holds(error_of({"runn", "hello"}), "did you mean 'run'?"));
  EXPECT_TRUE(holds(error_of({"run", "hello", "--sed", "7"}), "did you mean '--seed'?"));
  EXPECT_TRUE(holds(error_of({"scenario", "sho", "hello"}), "did you mean 'show'?"));
  EXPECT_TRUE(holds(error_of({"run", "hello", "more"}), "one too many"));
}

TEST(CommandLine, what_is_missing_or_impossible_says_what_to_write) {
  EXPECT_TRUE(holds(error_of({}), "kith-sim run hello"));
  EXPECT_TRUE(holds(error_of({"run"}), "SCENARIO"));
  EXPECT_TRUE(holds(error_of({"run", "hello", "--until", "soon"}), "--until 90s"));
  EXPECT_TRUE(holds(error_of({"run", "hello", "--set", "latency"}), "--set link.latency=50ms"));
  EXPECT_TRUE(holds(error_of({"run", "hello", "--seed", "one"}), "--seed"));
  EXPECT_TRUE(holds(error_of({"run", "hello", "--overwrite"}), "--out DIR --overwrite"));
  EXPECT_TRUE(holds(error_of({"sweep", "hello"}), "--seeds"));
  EXPECT_TRUE(holds(error_of({"sweep", "hello", "--seeds", "0"}), "--seeds"));
  EXPECT_TRUE(holds(error_of({"verify", "hello", "--jobs", "0"}), "--jobs"));
}

TEST(CommandLine, one_run_takes_jobs_and_says_that_they_change_nothing) {
  EXPECT_EQ(parsed<RunCommand>({"run", "hello", "--jobs", "2"}).source.name, "hello");
  EXPECT_TRUE(holds(parsed<HelpCommand>({"run", "--help"}).text, "nothing changes here"));
}

TEST(CommandLine, a_sweep_has_no_seed_of_its_own) {
  EXPECT_TRUE(holds(error_of({"sweep", "hello", "--seeds", "3", "--seed", "1"}), "--seed"));
  const auto sweep = parsed<SweepCommand>(
      {"sweep", "hello", "--seeds", "3", "--first", "10", "--jobs", "2", "--verify"});
  EXPECT_EQ(sweep.first, 10u);
  EXPECT_EQ(sweep.seeds, 3u);
  EXPECT_EQ(sweep.jobs, 2u);
  EXPECT_TRUE(sweep.verify);
}

TEST(CommandLine, the_help_lists_every_command_but_the_childs) {
  const auto help = parsed<HelpCommand>({"--help"});
  for (const char* name :
       {"run", "verify", "sweep", "replay", "diff", "report", "scenario", "export", "version"})
    EXPECT_TRUE(holds(help.text, std::string("\n  ") + name)) << name;
  EXPECT_FALSE(holds(help.text, "\n  child"));
}

}  // namespace
}  // namespace kith::simnet
