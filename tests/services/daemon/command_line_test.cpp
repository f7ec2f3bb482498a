#include <gtest/gtest.h>

#include "services/daemon/invocation.hpp"

namespace kith::daemon {
namespace {

const std::string kPeer = "12D3KooWEChVMMMzV8acJ53mJHrw1pQ27UAGkCxWXLJutbeUMvVu";
const std::string kCid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const std::string kAddr = "/ip4/127.0.0.1/tcp/4700";

Invocation parsed(const std::vector<std::string>& arguments) {
  auto in = parse_command_line(arguments);
  if (in) return *in;
  ADD_FAILURE() << describe(in.error());
  return {};
}

Error refused(const std::vector<std::string>& arguments) {
  auto in = parse_command_line(arguments);
  if (!in) return in.error();
  ADD_FAILURE() << "accepted: " << arguments.front();
  return {};
}

template <class T>
T command(const std::vector<std::string>& arguments) {
  const Invocation in = parsed(arguments);
  const T* found = std::get_if<T>(&in.command);
  if (found != nullptr) return *found;
  ADD_FAILURE() << "another command";
  return {};
}

TEST(CommandLine, shared_flags_stand_before_or_after_the_command) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--home", "/h", "--json", "--timeout", "2.5", "file", "stat", kCid},
           {"file", "--home", "/h", "stat", "--json", kCid, "--timeout", "2.5"},
           {"file", "stat", kCid, "--home=/h", "--json", "--timeout=2.5"}}) {
    const Invocation in = parsed(arguments);
    EXPECT_EQ(in.home, "/h");
    EXPECT_TRUE(in.json);
    ASSERT_TRUE(in.timeout);
    EXPECT_NEAR(static_cast<double>(in.timeout->count()), 2500, 1);
    EXPECT_TRUE(std::holds_alternative<FileStat>(in.command));
  }
}

TEST(CommandLine, run_and_up_take_many_addresses) {
  const kith::daemon::Run run =
      command<kith::daemon::Run>({"run", "--network", "n.toml", "--listen", kAddr, "--bootstrap",
                                  kAddr, "--listen", "/ip6/::1/tcp/0", "--json"});
  EXPECT_EQ(run.flags.network, "n.toml");
  EXPECT_EQ(run.flags.listen, (std::vector<std::string>{kAddr, "/ip6/::1/tcp/0"}));
  EXPECT_EQ(run.flags.bootstrap, std::vector<std::string>{kAddr});
  EXPECT_EQ(command<Up>({"up", "--listen", kAddr}).flags.listen.size(), 1u);
}

TEST(CommandLine, every_command_is_understood) {
  command<Down>({"down"});
  command<ShowStatus>({"status"});
  command<ShowId>({"id"});
  command<Version>({"version"});
  command<PeerList>({"peer", "ls"});
  EXPECT_EQ(command<PeerConnect>({"peer", "connect", kAddr}).addr, kAddr);
  EXPECT_EQ(command<PeerPing>({"peer", "ping", kPeer}).count, 4u);
  EXPECT_EQ(command<PeerPing>({"peer", "ping", kAddr, "--count", "9"}).count, 9u);
  const PeerEcho echo =
      command<PeerEcho>({"peer", "echo", kAddr, "--streams", "100", "--bytes", "1048576"});
  EXPECT_EQ(echo.streams, 100u);
  EXPECT_EQ(echo.bytes, 1'048'576u);
  command<TopicList>({"topic", "ls"});
  EXPECT_EQ(command<TopicSubscribe>({"topic", "sub", "t", "--count", "3"}).count, 3u);
  command<FileList>({"file", "ls"});
  EXPECT_EQ(command<FileRemove>({"file", "rm", kCid}).cid, kCid);
  const FileGet get = command<FileGet>({"file", "get", kCid, "--out", "x", "--local-only"});
  EXPECT_EQ(get.out, "x");
  EXPECT_TRUE(get.local_only);
  EXPECT_FALSE(get.overwrite);
  EXPECT_EQ(command<DhtFind>({"dht", "find", kPeer}).id, kPeer);
  EXPECT_EQ(command<DhtProviders>({"dht", "providers", kCid}).cid, kCid);
}

TEST(CommandLine, a_topic_may_be_called_like_a_command_and_a_message_be_a_dash) {
  const TopicPublish pub = command<TopicPublish>({"topic", "pub", "file", "-"});
  EXPECT_EQ(pub.topic, "file");
  EXPECT_EQ(pub.data, "-");
  EXPECT_EQ(command<TopicPublish>({"topic", "pub", "status", "topic"}).data, "topic");
}

TEST(CommandLine, a_file_is_added_only_when_it_is_said_who_may_read_it) {
  EXPECT_FALSE(command<FileAdd>({"file", "add", "--public", "a"}).local);
  EXPECT_TRUE(command<FileAdd>({"file", "add", "a", "--local"}).local);
  EXPECT_EQ(command<FileAdd>({"file", "add", "--public", "-", "--spread", "2"}).spread, 2u);
  const Error error = refused({"file", "add", "a"});
  EXPECT_EQ(error.code, Errc::usage);
  EXPECT_NE(error.why.find("readable by anyone"), std::string::npos);
  EXPECT_NE(error.fix.find("--public"), std::string::npos);
  refused({"file", "add", "a", "--public", "--local"});
  refused({"file", "add", "a", "--local", "--spread", "1"});
}

TEST(CommandLine, typing_errors_name_what_was_meant) {
  EXPECT_NE(refused({"fiel", "add", "x"}).fix.find("'file'"), std::string::npos);
  EXPECT_NE(refused({"file", "ad", "x"}).fix.find("'add'"), std::string::npos);
  EXPECT_NE(refused({"file", "add", "x", "--pubilc"}).fix.find("'--public'"), std::string::npos);
  EXPECT_NE(refused({"--jsno", "id"}).fix.find("'--json'"), std::string::npos);
  EXPECT_EQ(refused({"id", "--zzz"}).fix, "known: --help, --home, --json, --timeout");
  EXPECT_NE(refused({"topic", "sub", "--conut", "3"}).fix.find("'--count'"), std::string::npos);
}

TEST(CommandLine, bad_cids_ids_and_addresses_are_usage_errors) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"file", "get", "bafkrei"},
                                             {"file", "get", ""},
                                             {"file", "stat", "Qm"},
                                             {"file", "rm", kPeer},
                                             {"dht", "providers", "xyz"},
                                             {"dht", "find", "12D3KooW"},
                                             {"peer", "connect", "1.2.3.4:5"},
                                             {"peer", "connect", "/ip4/1.2.3/tcp/5"},
                                             {"peer", "ping", "/ip4/1.2.3.4/tcp/70000"},
                                             {"peer", "ping", "nobody"},
                                             {"run", "--listen", "4700"},
                                             {"up", "--bootstrap", "/dns4"}})
    EXPECT_EQ(refused(arguments).code, Errc::usage) << arguments.back();
}

TEST(CommandLine, what_is_missing_too_many_or_out_of_range_is_a_usage_error) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"nothing"},
                                             {"file"},
                                             {"file", "get"},
                                             {"file", "get", kCid, "second"},
                                             {"topic", "pub", "t"},
                                             {"--timeout", "0", "id"},
                                             {"--timeout", "-1", "id"},
                                             {"--timeout", "soon", "id"},
                                             {"--timeout", "nan", "id"},
                                             {"--timeout", "1e9", "id"},
                                             {"peer", "ping", kPeer, "--count", "0"},
                                             {"peer", "ping", kPeer, "--count", "1001"},
                                             {"peer", "ping", kPeer, "--count", "x"},
                                             {"file", "add", "--public", "a", "--spread", "65"},
                                             {"--home"}}) {
    const Error error = refused(arguments);
    EXPECT_EQ(error.code, Errc::usage) << arguments.back();
    EXPECT_NE(error.what, "") << arguments.back();
  }
  EXPECT_EQ(parse_command_line({}).error().code, Errc::usage);
}

TEST(CommandLine, help_is_there_for_all_and_for_each) {
  EXPECT_NE(command<Help>({"--help"}).text.find("file"), std::string::npos);
  EXPECT_NE(command<Help>({"help"}).text.find("topic"), std::string::npos);
  EXPECT_NE(command<Help>({"file", "add", "--help"}).text.find("--spread"), std::string::npos);
  EXPECT_NE(command<Help>({"help", "file", "get"}).text.find("--local-only"), std::string::npos);
  EXPECT_EQ(command<Help>({"help", "peer"}).text.find("echo"), std::string::npos);
}

}  // namespace
}  // namespace kith::daemon
