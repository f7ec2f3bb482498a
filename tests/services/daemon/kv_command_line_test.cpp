#include <gtest/gtest.h>

#include "services/daemon/invocation.hpp"

namespace kith::daemon {
namespace {

using Verb = KvCommand::Verb;

KvCommand kv(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "kv");
  const auto in = parse_command_line(arguments);
  if (in) return std::get<KvCommand>(in->command);
  ADD_FAILURE() << describe(in.error());
  return {};
}

TEST(KvCommandLine, commands_are_understood) {
  const KvCommand put = kv({"put", "team", "color", "blue"});
  EXPECT_EQ(put.verb, Verb::put);
  EXPECT_EQ(put.space, "team");
  EXPECT_EQ(put.key, "color");
  EXPECT_EQ(put.value, "blue");
  EXPECT_EQ(kv({"get", "team", "color"}).verb, Verb::get);
  EXPECT_EQ(kv({"del", "team", "color"}).verb, Verb::del);
  EXPECT_EQ(kv({"ls", "team", "--prefix", "c"}).prefix, "c");
  EXPECT_EQ(kv({"watch", "team", "--count", "3"}).count, 3u);
  EXPECT_EQ(kv({"stat", "team"}).verb, Verb::stat);
}

TEST(KvCommandLine, a_counter_goes_up_by_one_or_by_what_is_said) {
  EXPECT_EQ(kv({"incr", "team", "hits"}).by, 1);
  EXPECT_EQ(kv({"incr", "team", "hits", "12"}).by, 12);
  EXPECT_EQ(kv({"incr", "team", "hits", "-5"}).by, -5);
}

TEST(KvCommandLine, what_cannot_be_is_refused_before_anybody_is_asked) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"kv", "put", "No Space", "k", "v"},
                                             {"kv", "put", "team", "k"},
                                             {"kv", "get", "team"},
                                             {"kv", "incr", "team", "k", "many"},
                                             {"kv", "incr", "team", "k", "-9223372036854775808"},
                                             {"kv", "stat", "team", "extra"}}) {
    const auto in = parse_command_line(arguments);
    ASSERT_FALSE(in.has_value()) << arguments.back();
    EXPECT_EQ(in.error().code, Errc::usage);
    EXPECT_FALSE(describe(in.error()).empty());
  }
}

}  // namespace
}  // namespace kith::daemon
