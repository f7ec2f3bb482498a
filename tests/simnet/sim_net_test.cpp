// Links, faults and determinism of the simulated internet. The rules that it shares with sockets
// are in sim_transport_rules_test.cpp.
#include "simnet/sim_net.hpp"

#include <gtest/gtest.h>

#include "simnet/cluster.hpp"
#include "tests/support/transport_suite.hpp"

namespace kith::simnet {
namespace {

using test::RecordingSink;

// A node that listens, notes what it hears, and can be told to send.
struct Chatter final : NodeApp {
  explicit Chatter(NodeContext& context) : loop(context.loop), transport(context.transport) {
    transport.set_sink(sink);
    EXPECT_TRUE(transport.listen(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001")));
  }
  SimLoop& loop;
  SimTransport& transport;
  RecordingSink sink;
};

Cluster make_cluster(std::size_t nodes, const LinkOptions& link = {}, std::uint64_t seed = 1) {
  return Cluster({.nodes = nodes, .seed = seed, .link = link, .net = {}, .costs = {}},
                 [](NodeContext& context) { return std::make_unique<Chatter>(context); });
}

class SimNetTest : public ::testing::Test {
 protected:
  void build(std::size_t nodes, const LinkOptions& link = {}, std::uint64_t seed = 1) {
    cluster.emplace(
        ClusterOptions{.nodes = nodes, .seed = seed, .link = link, .net = {}, .costs = {}},
        [](NodeContext& context) { return std::make_unique<Chatter>(context); });
  }
  Chatter& at(NodeIndex node) { return cluster->app<Chatter>(node); }
  RecordingSink::Pipe& pipe_of(NodeIndex node, host::PipeSlot slot) {
    return at(node).sink.pipes[slot];
  }
  // From node `from` to node `to`; answers with both ends.
  std::pair<host::PipeSlot, host::PipeSlot> connect(NodeIndex from, NodeIndex to) {
    const std::size_t before = at(to).sink.accepted.size();
    const auto near = at(from).transport.dial(cluster->address(to));
    EXPECT_TRUE(cluster->run_until([&] { return pipe_of(from, near).dialed; }, 10s));
    EXPECT_GT(at(to).sink.accepted.size(), before);
    return {near, at(to).sink.accepted.back()};
  }
  Duration now() { return cluster->world().now().time_since_epoch(); }
  // Virtual time until `to` has received `size` bytes that `from` writes at once.
  Duration transfer(NodeIndex from, NodeIndex to, std::size_t size) {
    const auto [near, far] = connect(from, to);
    at(to).sink.keep = false;
    const std::uint64_t goal = at(to).sink.bytes + size;
    const Duration start = now();
    at(from).transport.write(near, Bytes::copy(std::string(size, 'x')));
    EXPECT_TRUE(cluster->run_until([&] { return at(to).sink.bytes == goal; }, 3600s));
    return now() - start;
  }
  std::optional<Cluster> cluster;
};

double seconds(Duration time) { return static_cast<double>(time.count()) * 1e-9; }

// ---- links -------------------------------------------------------------------------------------

TEST_F(SimNetTest, dial_takes_one_round_trip_and_a_byte_one_way) {
  build(2, {.latency = 30ms});
  const auto near = at(0).transport.dial(cluster->address(1));
  cluster->run_until([&] { return !at(1).sink.accepted.empty(); }, 1s);
  EXPECT_EQ(now(), 30ms);
  cluster->run_until([&] { return pipe_of(0, near).dialed; }, 1s);
  EXPECT_EQ(now(), 60ms);
  at(0).transport.write(near, Bytes::copy("x"));
  cluster->run_until([&] { return at(1).sink.bytes == 1; }, 1s);
  EXPECT_EQ(now(), 90ms);
}

TEST_F(SimNetTest, path_takes_half_of_each_sides_latency) {
  build(2, {.latency = 10ms});
  cluster->net().set_link(1, {.latency = 50ms});
  at(0).transport.dial(cluster->address(1));
  cluster->run_until([&] { return !at(1).sink.accepted.empty(); }, 1s);
  EXPECT_EQ(now(), 30ms);
}

TEST_F(SimNetTest, jitter_stays_within_its_bound_and_never_reorders) {
  build(2, {.latency = 10ms, .jitter = 8ms});
  const auto [near, far] = connect(0, 1);
  std::set<Duration> delays;
  std::string sent;
  for (int i = 0; i < 200; ++i) {
    const Duration start = now();
    const std::uint64_t goal = at(1).sink.bytes + 1;
    const char c = static_cast<char>('a' + i % 26);
    at(0).transport.write(near, Bytes::copy(std::string_view(&c, 1)));
    sent += c;
    cluster->run_until([&] { return at(1).sink.bytes == goal; }, 1s);
    EXPECT_GE(now() - start, 10ms);
    EXPECT_LE(now() - start, 18ms);
    delays.insert(now() - start);
  }
  EXPECT_GT(delays.size(), 100u);
  for (int i = 0; i < 200; ++i) {
    const char c = static_cast<char>('a' + i % 26);
    at(0).transport.write(near, Bytes::copy(std::string_view(&c, 1)));
    sent += c;
    cluster->run_for(100us);  // far less than the jitter
  }
  cluster->run_for(1s);
  EXPECT_EQ(pipe_of(1, far).received, sent);
}

TEST_F(SimNetTest, uplink_bounds_the_throughput_of_a_pipe) {
  build(2, {.latency = 20ms, .up_bytes_per_second = 6'250'000, .receive_window = 16u << 20});
  const double rate = 50e6 / seconds(transfer(0, 1, 50'000'000));
  EXPECT_NEAR(rate, 6.25e6, 0.02 * 6.25e6);
}

TEST_F(SimNetTest, downlink_bounds_the_throughput_of_a_pipe) {
  build(2, {.latency = 20ms,
            .up_bytes_per_second = 100'000'000,
            .down_bytes_per_second = 5'000'000,
            .receive_window = 16u << 20});
  const double rate = 50e6 / seconds(transfer(0, 1, 50'000'000));
  EXPECT_NEAR(rate, 5e6, 0.02 * 5e6);
}

TEST_F(SimNetTest, receive_window_over_round_trip_bounds_the_throughput_of_a_pipe) {
  build(2, {.latency = 50ms, .receive_window = 1'000'000, .segment_max = 16u << 10});
  const double rate = 50e6 / seconds(transfer(0, 1, 50'000'000));
  EXPECT_NEAR(rate, 1e6 / 0.1, 0.02 * 1e6 / 0.1);
}

// As WireHost writes: frames of any size, more when little is left.
TEST_F(SimNetTest, receive_window_is_used_whole_whatever_the_size_of_writes) {
  build(2, {.latency = 40ms, .receive_window = 512u << 10});
  const auto [near, far] = connect(0, 1);
  at(1).sink.keep = false;
  const auto refill = [&, slot = near](host::PipeSlot) {
    while (at(0).transport.backlog(slot) <= host::kPipeBacklogLow)
      at(0).transport.write(slot, Bytes::copy(std::string(65'537, 'x')));
  };
  at(0).sink.after_writable = refill;
  refill(near);
  cluster->run_for(1s);
  const std::uint64_t before = at(1).sink.bytes;
  cluster->run_for(8s);
  const double rate = static_cast<double>(at(1).sink.bytes - before) / 8;
  EXPECT_NEAR(rate, 524288 / 0.08, 0.02 * 524288 / 0.08);
}

TEST_F(SimNetTest, segment_cuts_through_both_links_instead_of_being_stored_twice) {
  build(2, {.latency = 10ms,
            .up_bytes_per_second = 1'000'000,
            .down_bytes_per_second = 1'000'000,
            .segment_max = 64u << 10});
  EXPECT_NEAR(seconds(transfer(0, 1, 60'000)), 0.010 + 0.060, 0.001);
}

TEST_F(SimNetTest, pipes_of_a_node_share_its_uplink_evenly) {
  build(3, {.latency = 5ms, .up_bytes_per_second = 1'000'000});
  const auto [to1, far1] = connect(0, 1);
  const auto [to2, far2] = connect(0, 2);
  at(0).transport.write(to1, Bytes::copy(std::string(5'000'000, 'x')));
  at(0).transport.write(to2, Bytes::copy(std::string(5'000'000, 'x')));
  cluster->run_for(4s);
  const auto first = static_cast<double>(at(1).sink.bytes);
  const auto second = static_cast<double>(at(2).sink.bytes);
  EXPECT_NEAR(first + second, 4e6, 2 * 65'536);  // two segments are under way
  EXPECT_NEAR(first, second, 2 * 65'536);
}

TEST_F(SimNetTest, paused_reader_leaves_at_most_a_window_under_way) {
  build(2, {.receive_window = 100'000});
  const auto [near, far] = connect(0, 1);
  at(1).transport.read_paused(far, true);
  at(0).transport.write(near, Bytes::copy(std::string(1'000'000, 'x')));
  cluster->run_for(100s);
  EXPECT_GE(at(0).transport.backlog(near), 900'000u);
  EXPECT_LE(at(0).transport.backlog(near), 900'000u + 100'000 / 8);
  EXPECT_EQ(pipe_of(0, near).writables, 0u);
  at(1).transport.read_paused(far, false);
  cluster->run_for(100s);
  EXPECT_EQ(at(1).sink.bytes, 1'000'000u);
  EXPECT_EQ(pipe_of(0, near).writables, 1u);
}

TEST_F(SimNetTest, writes_of_one_event_travel_together) {
  build(2);
  const auto [near, far] = connect(0, 1);
  for (int i = 0; i < 100; ++i) at(0).transport.write(near, Bytes::copy("piece"));
  cluster->run_for(1s);
  EXPECT_EQ(pipe_of(1, far).reads, 1u);
  EXPECT_EQ(at(1).sink.bytes, 500u);
}

TEST_F(SimNetTest, cutting_link_shows_many_boundaries_and_loses_nothing) {
  build(2, {.segment_max = 4000, .cut_ppm = 900'000});
  const auto [near, far] = connect(0, 1);
  const std::string text = test::pattern(200'000);
  at(0).transport.write(near, Bytes::copy(text));
  cluster->run_for(5s);
  EXPECT_EQ(pipe_of(1, far).received, text);
  EXPECT_GT(pipe_of(1, far).reads, 75u);
}

// ---- faults ------------------------------------------------------------------------------------

TEST_F(SimNetTest, dial_failures_come_as_often_as_asked) {
  build(2, {.dial_failure_ppm = 250'000});
  std::vector<host::PipeSlot> pipes;
  for (int i = 0; i < 400; ++i) pipes.push_back(at(0).transport.dial(cluster->address(1)));
  cluster->run_for(10s);
  const auto failed = std::count_if(pipes.begin(), pipes.end(),
                                    [&](auto pipe) { return pipe_of(0, pipe).dial_failed; });
  EXPECT_NEAR(static_cast<double>(failed), 100, 40);
}

TEST_F(SimNetTest, resets_strike_both_ends) {
  build(2, {.reset_ppm = 20'000, .segment_max = 1000});
  const auto [near, far] = connect(0, 1);
  at(0).transport.write(near, Bytes::copy(std::string(1'000'000, 'x')));
  cluster->run_for(60s);
  EXPECT_TRUE(pipe_of(0, near).closed);
  EXPECT_TRUE(pipe_of(1, far).closed);
  EXPECT_EQ(pipe_of(1, far).why.code, Errc::connection);
  EXPECT_LT(at(1).sink.bytes, 1'000'000u);
}

TEST_F(SimNetTest, nobody_at_the_address_is_silence_until_the_dial_times_out) {
  build(1);
  const auto pipe = at(0).transport.dial(*Multiaddr::parse("/ip4/203.0.113.9/tcp/4001"));
  cluster->run_for(NetOptions{}.dial_timeout - 1ms);
  EXPECT_FALSE(pipe_of(0, pipe).dial_failed);
  cluster->run_for(2ms);
  EXPECT_TRUE(pipe_of(0, pipe).dial_failed);
  EXPECT_EQ(pipe_of(0, pipe).why.code, Errc::timeout);
}

TEST_F(SimNetTest, partition_holds_bytes_back_until_it_heals) {
  build(4);
  const auto [near, far] = connect(0, 1);
  const auto [side, same_side] = connect(2, 3);
  const std::array<NodeIndex, 2> apart{1, 3};
  cluster->net().partition(apart);
  at(0).transport.write(near, Bytes::copy("held"));
  at(2).transport.write(side, Bytes::copy("held too"));
  const auto across = at(0).transport.dial(cluster->address(3));
  cluster->run_for(10s);
  EXPECT_EQ(at(1).sink.bytes, 0u);
  EXPECT_EQ(at(3).sink.bytes, 0u);
  const auto within = at(0).transport.dial(cluster->address(2));
  cluster->run_for(1s);
  EXPECT_TRUE(pipe_of(0, within).dialed);
  cluster->net().heal();
  cluster->run_for(1s);
  EXPECT_EQ(pipe_of(1, far).received, "held");
  EXPECT_EQ(pipe_of(3, same_side).received, "held too");
  EXPECT_FALSE(pipe_of(0, near).closed);
  EXPECT_FALSE(pipe_of(0, across).dialed) << "its packet was lost";
}

TEST_F(SimNetTest, long_partition_kills_the_end_that_had_something_to_say) {
  build(2);
  const auto [near, far] = connect(0, 1);
  const std::array<NodeIndex, 1> apart{1};
  cluster->net().partition(apart);
  at(0).transport.write(near, Bytes::copy("lost"));
  cluster->run_for(NetOptions{}.pipe_timeout + 1s);
  EXPECT_TRUE(pipe_of(0, near).closed);
  EXPECT_EQ(pipe_of(0, near).why.code, Errc::timeout);
  EXPECT_FALSE(pipe_of(1, far).closed) << "who only listens notices nothing";
  cluster->net().heal();
  at(1).transport.write(far, Bytes::copy("hello?"));
  cluster->run_for(1s);
  EXPECT_TRUE(pipe_of(1, far).closed) << "the other machine does not know the pipe";
  EXPECT_EQ(pipe_of(1, far).why.code, Errc::connection);
}

TEST_F(SimNetTest, sender_stops_at_a_window_when_acknowledgements_do_not_come_back) {
  build(2, {.receive_window = 100'000});
  const auto [near, far] = connect(0, 1);
  cluster->net().block(1, 0);
  at(0).transport.write(near, Bytes::copy(std::string(1'000'000, 'x')));
  cluster->run_for(10s);
  EXPECT_EQ(at(1).sink.bytes, 100'000u);
  cluster->net().unblock(1, 0);
  cluster->run_for(10s);
  EXPECT_EQ(at(1).sink.bytes, 1'000'000u);
  cluster->net().block(1, 0);
  at(0).transport.write(near, Bytes::copy("heard, and never acknowledged"));
  cluster->run_for(NetOptions{}.pipe_timeout + 1s);
  EXPECT_TRUE(pipe_of(0, near).closed);
  EXPECT_EQ(pipe_of(0, near).why.code, Errc::timeout);
  EXPECT_FALSE(pipe_of(1, far).closed);
}

TEST_F(SimNetTest, listener_that_stands_still_accepts_late_and_its_kernel_at_once) {
  build(2);
  cluster->pause(1, 10s);
  const auto near = at(0).transport.dial(cluster->address(1));
  at(0).transport.write(near, Bytes::copy("waits"));
  cluster->run_for(5s);
  EXPECT_TRUE(pipe_of(0, near).dialed);
  EXPECT_TRUE(at(1).sink.accepted.empty());
  at(0).transport.close(near);
  cluster->run_for(4s);
  EXPECT_TRUE(at(1).sink.accepted.empty());
  cluster->run_for(2s);
  ASSERT_EQ(at(1).sink.accepted.size(), 1u);
  EXPECT_EQ(at(1).sink.bytes, 5u);
}

TEST_F(SimNetTest, power_cut_is_silent_and_killed_process_is_not) {
  for (const CrashKind kind : {CrashKind::power, CrashKind::process}) {
    build(2);
    const auto [near, far] = connect(0, 1);
    cluster->crash(1, kind);
    EXPECT_FALSE(cluster->alive(1));
    cluster->run_for(10s);
    EXPECT_EQ(pipe_of(0, near).closed, kind == CrashKind::process);
    const auto again = at(0).transport.dial(cluster->address(1));
    cluster->run_for(1s);
    EXPECT_EQ(pipe_of(0, again).dial_failed, kind == CrashKind::process);
    cluster->restart(1);
    at(0).transport.write(near, Bytes::copy("still there?"));
    cluster->run_for(1s);
    EXPECT_TRUE(pipe_of(0, near).closed) << "the restarted machine does not know the pipe";
    EXPECT_EQ(at(1).sink.bytes, 0u);
    connect(0, 1);
  }
}

TEST_F(SimNetTest, crash_with_everything_under_way_leaves_the_others_working) {
  build(3, {.latency = 10ms, .jitter = 5ms, .up_bytes_per_second = 1'000'000});
  const auto [near, far] = connect(0, 1);
  const auto [other, other_far] = connect(0, 2);
  at(0).transport.write(near, Bytes::copy(std::string(500'000, 'x')));
  at(1).transport.write(far, Bytes::copy(std::string(500'000, 'x')));
  at(1).transport.dial(cluster->address(2));
  at(2).transport.dial(cluster->address(1));
  cluster->run_for(100ms);
  cluster->crash(1);
  at(0).transport.write(other, Bytes::copy("on we go"));
  cluster->run_for(2s);
  EXPECT_EQ(pipe_of(2, other_far).received, "on we go");
  cluster->run_for(60s);
  EXPECT_TRUE(pipe_of(0, near).closed);
}

TEST_F(SimNetTest, abort_at_the_very_instant_of_an_arrival_loses_it_quietly) {
  build(2, {.latency = 20ms});
  const auto [near, far] = connect(0, 1);
  struct Abort final : Alarm {
    std::function<void()> then;
    void on_alarm(Now) override { then(); }
  } alarm;
  alarm.then = [&, pipe = near] { at(0).transport.abort(pipe); };
  at(0).loop.arm(alarm, cluster->world().now() + 20ms);  // before the write: it comes first
  at(0).transport.write(near, Bytes::copy("too late"));
  cluster->run_for(1s);
  EXPECT_TRUE(pipe_of(0, near).closed);
  EXPECT_TRUE(pipe_of(1, far).closed);
  EXPECT_EQ(at(1).sink.bytes, 0u);
}

TEST_F(SimNetTest, graceful_end_on_a_slow_link_loses_nothing_that_is_under_way) {
  build(2, {.latency = 5ms});
  const auto [near, far] = connect(0, 1);
  at(1).transport.close(far);
  cluster->run_for(1s);
  cluster->net().set_link(1, {.latency = 20s});
  at(0).transport.write(near, Bytes::copy("last words"));
  at(0).transport.close(near);
  cluster->run_for(30s);
  EXPECT_TRUE(pipe_of(0, near).closed);
  EXPECT_EQ(pipe_of(0, near).why.code, Errc::closed);
}

TEST_F(SimNetTest, nodes_live_in_different_prefixes) {
  build(300);
  std::set<std::string> wide, narrow;
  for (NodeIndex i = 0; i < 300; ++i) {
    const Multiaddr address = cluster->address(i);
    const ByteView ip = address.find(proto::ip4)->value;
    if (i < 256) wide.insert(std::string(as_text(ip.first(2))));
    narrow.insert(std::string(as_text(ip.first(3))));
  }
  EXPECT_EQ(wide.size(), 256u);
  EXPECT_EQ(narrow.size(), 300u);
}

TEST_F(SimNetTest, listening_twice_or_elsewhere_is_refused) {
  build(2);
  EXPECT_EQ(at(0).transport.listen(cluster->address(0)).error().code, Errc::in_use);
  EXPECT_EQ(at(0).transport.listen(cluster->address(1)).error().code, Errc::configuration);
  EXPECT_EQ(at(0).transport.listen(*Multiaddr::parse("/ip6/::/tcp/1")).error().code,
            Errc::unsupported);
}

// ---- determinism -------------------------------------------------------------------------------

// Talk among five nodes with every fault on.
std::pair<std::uint64_t, std::vector<World::SecondHash>> busy_run(std::uint64_t seed) {
  Cluster cluster = [&] {
    LinkOptions link{.latency = 15ms, .jitter = 10ms};
    link.up_bytes_per_second = 2'000'000;
    link.down_bytes_per_second = 3'000'000;
    link.dial_failure_ppm = 50'000;
    link.reset_ppm = 500;
    link.cut_ppm = 200'000;
    return make_cluster(5, link, seed);
  }();
  Rng rng = cluster.world().rng("talk");
  for (int i = 0; i < 200; ++i) {
    const auto from = static_cast<NodeIndex>(rng.below(5));
    const auto to = static_cast<NodeIndex>(rng.below(5));
    SimTransport& transport = cluster.transport(from);
    const auto pipe = transport.dial(cluster.address(to));
    transport.write(pipe, Bytes::copy(std::string(rng.below(30'000), 'x')));
    if (rng.below(2) == 0) transport.close(pipe);
    cluster.run_for(50ms);
    if (i == 100) cluster.crash(4);
    if (i == 100) cluster.restart(4);
  }
  cluster.run_for(5s);
  return {cluster.trace_hash(), cluster.world().second_hashes()};
}

TEST(SimNetDeterminism, same_seed_gives_the_same_trace_twice) {
  const auto first = busy_run(42);
  const auto second = busy_run(42);
  EXPECT_EQ(first.first, second.first);
  EXPECT_EQ(first.second, second.second);
  EXPECT_GT(first.second.size(), 10u);
}

TEST(SimNetDeterminism, other_seed_gives_another_trace) {
  EXPECT_NE(busy_run(42).first, busy_run(43).first);
}

TEST(SimNetDeterminism, one_changed_byte_changes_the_trace_from_its_second_on) {
  const auto run = [](char last) {
    Cluster cluster = make_cluster(2);
    const auto pipe = cluster.transport(0).dial(cluster.address(1));
    cluster.transport(0).write(pipe, Bytes::copy("same"));
    cluster.run_for(5s);
    cluster.transport(0).write(pipe, Bytes::copy(std::string_view(&last, 1)));
    cluster.run_for(2s);
    return cluster.world().second_hashes();
  };
  const auto one = run('1');
  const auto two = run('2');
  ASSERT_EQ(one.size(), two.size());
  ASSERT_EQ(one.back().second, 5);
  EXPECT_NE(one.back(), two.back());
  for (std::size_t i = 0; i + 1 < one.size(); ++i) EXPECT_EQ(one[i], two[i]);
}

// Pins the trace: a change here means that every recorded seed means something else now.
TEST(SimNetDeterminism, trace_is_the_same_on_every_machine_and_compiler) {
  EXPECT_EQ(busy_run(42).first, 5447912814861354799u);
}

}  // namespace
}  // namespace kith::simnet
