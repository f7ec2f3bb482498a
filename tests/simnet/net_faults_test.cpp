// What a simulated internet does to bytes and to whole messages when something is wrong with it.
#include <gtest/gtest.h>

#include "simnet/cluster.hpp"
#include "simnet/sim_host.hpp"
#include "simnet/swarm.hpp"
#include "tests/support/transport_suite.hpp"

namespace kith::simnet {
namespace {

using test::RecordingSink;

// ---- bytes -------------------------------------------------------------------------------------

struct PipeNode final : NodeApp {
  explicit PipeNode(NodeContext& context) : transport(context.transport) {
    transport.set_sink(sink);
    EXPECT_TRUE(transport.listen(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001")));
  }
  SimTransport& transport;
  RecordingSink sink;
};

class PipeFaults : public ::testing::Test {
 protected:
  void build(std::size_t nodes, const LinkOptions& link = {}) {
    cluster = std::make_unique<Cluster>(
        ClusterOptions{.nodes = nodes, .seed = 3, .link = link, .net = {}, .costs = {}},
        [](NodeContext& context) { return std::make_unique<PipeNode>(context); });
  }
  PipeNode& at(NodeIndex node) { return cluster->app<PipeNode>(node); }
  bool reaches(NodeIndex from, NodeIndex to) {
    const auto pipe = at(from).transport.dial(cluster->address(to));
    cluster->run_for(2s);
    return at(from).sink.pipes[pipe].dialed;
  }
  host::PipeSlot connect(NodeIndex from, NodeIndex to) {
    const auto pipe = at(from).transport.dial(cluster->address(to));
    EXPECT_TRUE(cluster->run_until([&] { return at(from).sink.pipes[pipe].dialed; }, 10s));
    return pipe;
  }
  double rate(std::size_t size) {  // bytes a second of one pipe from 0 to 1
    const auto pipe = connect(0, 1);
    at(1).sink.keep = false;
    const Mono start = cluster->world().now();
    at(0).transport.write(pipe, Bytes::copy(std::string(size, 'x')));
    EXPECT_TRUE(cluster->run_until([&] { return at(1).sink.bytes == size; }, 3600s));
    const Duration took = cluster->world().now() - start;
    return static_cast<double>(size) / (static_cast<double>(took.count()) * 1e-9);
  }
  std::unique_ptr<Cluster> cluster;
};

TEST_F(PipeFaults, loss_holds_the_rate_to_that_of_tcp) {
  // 1.22 * 1460 / (0.08 * sqrt(0.01)) = 222,650 bytes a second; both ends lose half of it.
  LinkOptions link{.latency = 40ms};
  link.loss_ppm = 5'000;
  link.receive_window = 4u << 20;
  build(2, link);
  EXPECT_NEAR(rate(4'000'000), 222'650, 222'650 * 0.15);
}

TEST_F(PipeFaults, a_lost_segment_comes_late_and_nothing_overtakes_it) {
  LinkOptions link{.latency = 10ms};
  link.loss_ppm = 100'000;
  build(2, link);
  const auto pipe = connect(0, 1);
  int late = 0;
  std::string sent;
  for (int i = 0; i < 200; ++i) {
    const char c = static_cast<char>('a' + i % 26);
    const std::uint64_t goal = at(1).sink.bytes + 1;
    const Mono start = cluster->world().now();
    at(0).transport.write(pipe, Bytes::copy(std::string_view(&c, 1)));
    sent += c;
    ASSERT_TRUE(cluster->run_until([&] { return at(1).sink.bytes == goal; }, 60s));
    const Duration took = cluster->world().now() - start;
    EXPECT_GE(took, 10ms);
    if (took > 10ms) {
      ++late;
      EXPECT_GE(took, 210ms) << "a retransmission timeout";
    }
  }
  EXPECT_NEAR(late, 40, 25);  // a fifth of 200
  EXPECT_EQ(at(1).sink.pipes[at(1).sink.accepted.back()].received, sent);
}

TEST_F(PipeFaults, a_path_that_loses_everything_kills_the_pipe) {
  build(2);
  const auto pipe = connect(0, 1);
  LinkOptions dead = cluster->net().link(0);
  dead.loss_ppm = 1'000'000;
  cluster->net().set_link(0, dead);
  at(0).transport.write(pipe, Bytes::copy("x"));
  cluster->run_for(1s);
  EXPECT_TRUE(at(0).sink.pipes[pipe].closed);
}

TEST_F(PipeFaults, what_a_mute_node_sends_does_not_arrive_and_what_others_send_does) {
  build(2);
  const auto pipe = connect(0, 1);
  const auto far = at(1).sink.accepted.back();
  const NodeIndex mute[] = {0};
  cluster->net().partition_one_way(mute);
  EXPECT_FALSE(cluster->net().connected(0, 1));
  at(0).transport.write(pipe, Bytes::copy("from the mute"));
  at(1).transport.write(far, Bytes::copy("to the mute"));
  cluster->run_for(5s);
  EXPECT_EQ(at(1).sink.bytes, 0u);
  EXPECT_EQ(at(0).sink.pipes[pipe].received, "to the mute");
  cluster->net().heal();
  cluster->run_for(1s);
  EXPECT_EQ(at(1).sink.pipes[far].received, "from the mute");
}

TEST_F(PipeFaults, a_block_cuts_one_direction_of_one_path) {
  build(3);
  cluster->net().block(0, 1);
  EXPECT_FALSE(reaches(0, 1));
  EXPECT_FALSE(reaches(1, 0)) << "the answer takes the blocked direction";
  EXPECT_TRUE(reaches(0, 2));
  cluster->net().unblock(0, 1);
  EXPECT_TRUE(reaches(0, 1));
}

TEST_F(PipeFaults, a_clogged_node_gets_all_of_it_later_in_order) {
  build(2);
  const auto pipe = connect(0, 1);
  cluster->net().clog(1, cluster->world().now() + 5s);
  for (const char* text : {"a", "b", "c"}) {
    at(0).transport.write(pipe, Bytes::copy(text));
    cluster->run_for(1s);
  }
  EXPECT_EQ(at(1).sink.bytes, 0u);
  cluster->run_for(3s);
  EXPECT_EQ(at(1).sink.pipes[at(1).sink.accepted.back()].received, "abc");
}

TEST_F(PipeFaults, a_move_ends_connections_and_the_new_address_answers) {
  build(2);
  const auto old_address = cluster->address(1);
  const auto pipe = connect(0, 1);
  const auto far = at(1).sink.accepted.back();
  cluster->net().set_address(1, 172u << 24 | 16u << 16 | 7);
  cluster->run_for(1s);
  EXPECT_TRUE(at(1).sink.pipes[far].closed) << "the machine knows at once";
  EXPECT_FALSE(at(0).sink.pipes[pipe].closed) << "the other side does not";
  at(0).transport.write(pipe, Bytes::copy("x"));
  cluster->run_for(60s);
  EXPECT_TRUE(at(0).sink.pipes[pipe].closed) << "nobody acknowledged";
  EXPECT_NE(cluster->address(1), old_address);
  EXPECT_TRUE(reaches(0, 1));
  const auto stale = at(0).transport.dial(old_address);
  cluster->run_for(30s);
  EXPECT_FALSE(at(0).sink.pipes[stale].dialed);
}

TEST_F(PipeFaults, regions_add_their_latency) {
  build(2, {.latency = 2ms});
  cluster->net().set_regions({{1ms, 80ms}, {100ms, 1ms}});
  LinkOptions far = cluster->net().link(1);
  far.region = 1;
  cluster->net().set_link(1, far);
  const Mono start = cluster->world().now();
  const auto pipe = at(0).transport.dial(cluster->address(1));
  ASSERT_TRUE(cluster->run_until([&] { return at(0).sink.pipes[pipe].dialed; }, 1s));
  EXPECT_EQ(cluster->world().now() - start, 2ms + 80ms + 2ms + 100ms);
}

TEST_F(PipeFaults, a_busy_thread_takes_messages_one_after_the_other) {
  LinkOptions link{.latency = 10ms};
  link.cpu_per_message = 5ms;
  build(3, link);
  const auto from0 = connect(0, 2), from1 = connect(1, 2);
  cluster->run_for(1s);
  const Mono start = cluster->world().now();
  at(0).transport.write(from0, Bytes::copy("x"));
  at(1).transport.write(from1, Bytes::copy("y"));
  cluster->run_until([&] { return at(2).sink.bytes == 1; }, 1s);
  EXPECT_EQ(cluster->world().now() - start, 15ms);
  cluster->run_until([&] { return at(2).sink.bytes == 2; }, 1s);
  EXPECT_EQ(cluster->world().now() - start, 20ms);
}

TEST_F(PipeFaults, a_paused_process_hears_and_fires_late_and_in_order) {
  struct Timer final : Alarm {
    std::vector<Mono> fired;
    void on_alarm(Now now) override { fired.push_back(now.mono); }
  } timer;
  build(2);
  const auto pipe = connect(0, 1);
  const Mono start = cluster->world().now();
  cluster->loop(1).arm(timer, start + 1s);
  cluster->pause(1, 4s);
  at(0).transport.write(pipe, Bytes::copy("x"));
  cluster->run_for(3s);
  EXPECT_EQ(at(1).sink.bytes, 0u);
  EXPECT_TRUE(timer.fired.empty());
  cluster->run_for(2s);
  EXPECT_EQ(at(1).sink.bytes, 1u);
  ASSERT_EQ(timer.fired.size(), 1u);
  EXPECT_EQ(timer.fired[0], start + 4s);
}

TEST(WallClock, drifts_and_jumps_without_moving_timers) {
  Cluster cluster({.nodes = 1, .seed = 1, .link = {}, .net = {}, .costs = {}});
  SimLoop& loop = cluster.loop(0);
  loop.set_wall_drift_ppm(100'000);
  cluster.run_for(100s);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 110s);
  loop.set_wall_drift_ppm(-100'000);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 110s) << "a change of drift is no jump";
  cluster.run_for(100s);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 200s);
  EXPECT_EQ(loop.now().mono, Mono(200s));
  loop.set_wall_offset(loop.wall_offset() - 50s);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 150s);
}

// ---- translators (RFC 4787, RFC 5382)
// ------------------------------------------------------------

TEST_F(PipeFaults, a_node_behind_a_translator_dials_out_and_is_reached_as_its_kind_allows) {
  build(3);
  const auto set = [&](Nat kind) {
    LinkOptions link = cluster->net().link(0);
    link.nat = kind;
    cluster->net().set_link(0, link);
  };
  set(Nat::restricted);
  EXPECT_FALSE(reaches(1, 0)) << "it dialled nobody yet";
  EXPECT_TRUE(reaches(0, 1));
  EXPECT_TRUE(reaches(1, 0));
  EXPECT_FALSE(reaches(2, 0)) << "it never dialled this one";
  set(Nat::full_cone);
  EXPECT_TRUE(reaches(2, 0));
  set(Nat::carrier);
  EXPECT_TRUE(reaches(0, 1));
  EXPECT_FALSE(reaches(1, 0));
  const auto seen = at(1).sink.pipes[at(1).sink.accepted.back()].remote;
  EXPECT_TRUE(seen.text().starts_with("/ip4/100.64.0.1/tcp/")) << seen.text();
}

// ---- whole messages ----------------------------------------------------------------------------

class Hearer final : public NodeApp, public host::Protocol {
 public:
  explicit Hearer(NodeContext& context)
      : sim(context.hosts, context.index, context.loop, {.id = id_of(context.index)}) {
    index = sim.add_protocol({.ids = {"/hear/1"}}, *this);
    EXPECT_TRUE(sim.listen(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001")));
  }
  static PeerId id_of(NodeIndex node) {
    std::string key = "\x08\x01\x12\x20" + std::string(32, static_cast<char>(node + 1));
    return PeerId::of_public_key(as_bytes(key));
  }
  void on_peer_ready(Now, host::PeerSlot peer, const host::PeerFacts&) override {
    ready.push_back(peer);
  }
  void on_peer_gone(Now, host::PeerSlot) override { ++gone; }
  void on_message(Now now, host::StreamSlot, Bytes) override { heard.push_back(now.mono); }
  SimHost sim;
  host::ProtocolIndex index = 0;
  std::vector<host::PeerSlot> ready;
  std::vector<Mono> heard;
  int gone = 0;
};

class MessageFaults : public ::testing::Test {
 protected:
  void build(const LinkOptions& link = {}) {
    cluster = std::make_unique<Cluster>(
        ClusterOptions{.nodes = 3, .seed = 4, .link = link, .net = {}, .costs = {}},
        [](NodeContext& context) { return std::make_unique<Hearer>(context); });
  }
  Hearer& at(NodeIndex node) { return cluster->app<Hearer>(node); }
  bool connect(NodeIndex from, NodeIndex to, Duration within = 15s) {
    const std::size_t before = at(from).ready.size();
    at(from).sim.connect(at(from).index, {1}, {}, std::vector{cluster->address(to)});
    return cluster->run_until([&] { return at(from).ready.size() > before; }, within);
  }
  host::StreamSlot open(NodeIndex from) {
    const Bytes first = Bytes::copy("x");
    return at(from).sim.open(at(from).ready.back(), at(from).index, first, host::Priority::normal);
  }
  std::unique_ptr<Cluster> cluster;
};

TEST_F(MessageFaults, lost_messages_come_after_a_timeout_in_order) {
  LinkOptions link{.latency = 10ms};
  link.loss_ppm = 100'000;
  build(link);
  ASSERT_TRUE(connect(0, 1));
  const auto stream = open(0);
  int late = 0;
  for (int i = 0; i < 200; ++i) {
    const std::size_t goal = at(1).heard.size() + 1;
    const Mono start = cluster->world().now();
    at(0).sim.send(stream, Bytes::copy("y"), host::Priority::normal, 0);
    ASSERT_TRUE(cluster->run_until([&] { return at(1).heard.size() >= goal; }, 60s));
    if (cluster->world().now() - start > 200ms) ++late;
  }
  EXPECT_NEAR(late, 40, 25);
}

TEST_F(MessageFaults, a_path_that_loses_everything_ends_the_connection) {
  build();
  ASSERT_TRUE(connect(0, 1));
  const auto stream = open(0);
  cluster->run_for(1s);
  LinkOptions dead = cluster->net().link(0);
  dead.loss_ppm = 1'000'000;
  cluster->net().set_link(0, dead);
  at(0).sim.send(stream, Bytes::copy("y"), host::Priority::normal, 0);
  cluster->run_for(1s);
  EXPECT_EQ(at(0).gone, 1);
}

TEST_F(MessageFaults, a_clog_delays_and_a_mute_node_is_not_heard) {
  build();
  ASSERT_TRUE(connect(0, 1));
  const auto stream = open(0);
  cluster->run_for(1s);
  const std::size_t before = at(1).heard.size();
  cluster->net().clog(0, cluster->world().now() + 3s);
  at(0).sim.send(stream, Bytes::copy("y"), host::Priority::normal, 0);
  cluster->run_for(2s);
  EXPECT_EQ(at(1).heard.size(), before);
  cluster->run_for(2s);
  EXPECT_EQ(at(1).heard.size(), before + 1);
  const NodeIndex mute[] = {0};
  cluster->net().partition_one_way(mute);
  at(0).sim.send(stream, Bytes::copy("z"), host::Priority::normal, 0);
  cluster->run_for(5s);
  EXPECT_EQ(at(1).heard.size(), before + 1);
  cluster->net().heal();
  cluster->run_for(2s);
  EXPECT_EQ(at(1).heard.size(), before + 2);
}

TEST_F(MessageFaults, an_idle_listener_notices_that_nothing_comes_any_more) {
  build();
  ASSERT_TRUE(connect(0, 1));
  cluster->run_for(1s);
  const NodeIndex mute[] = {0};
  cluster->net().partition_one_way(mute);
  cluster->run_for(120s);
  EXPECT_EQ(at(0).gone, 1) << "its pings go nowhere";
  EXPECT_EQ(at(1).gone, 1) << "it gets no answers";
}

TEST_F(MessageFaults, a_translator_keeps_strangers_out) {
  build();
  LinkOptions link = cluster->net().link(0);
  link.nat = Nat::restricted;
  cluster->net().set_link(0, link);
  EXPECT_FALSE(connect(1, 0));
  EXPECT_TRUE(connect(0, 2));
  EXPECT_FALSE(connect(1, 0));
}

TEST_F(MessageFaults, a_move_costs_the_connections_and_no_more) {
  build();
  ASSERT_TRUE(connect(0, 1));
  cluster->run_for(1s);
  cluster->net().set_address(1, 172u << 24 | 16u << 16 | 7);
  cluster->run_for(120s);
  EXPECT_EQ(at(1).gone, 1);
  EXPECT_EQ(at(0).gone, 1);
  EXPECT_TRUE(connect(0, 1)) << "at the new address";
}

TEST_F(MessageFaults, a_paused_process_answers_late) {
  build();
  ASSERT_TRUE(connect(0, 1));
  const auto stream = open(0);
  cluster->run_for(1s);
  const std::size_t before = at(1).heard.size();
  cluster->pause(1, 4s);
  at(0).sim.send(stream, Bytes::copy("y"), host::Priority::normal, 0);
  cluster->run_for(3s);
  EXPECT_EQ(at(1).heard.size(), before);
  cluster->run_for(2s);
  EXPECT_EQ(at(1).heard.size(), before + 1);
}

// ---- swarm -------------------------------------------------------------------------------------

TEST(Swarm, equal_seeds_draw_equal_faults_and_others_do_not) {
  Rng a(7), b(7), c(8);
  int differ = 0;
  for (int i = 0; i < 50; ++i) {
    const LinkOptions one = swarm_link(a, {}), two = swarm_link(b, {}), three = swarm_link(c, {});
    EXPECT_EQ(one.latency, two.latency);
    EXPECT_EQ(one.loss_ppm, two.loss_ppm);
    EXPECT_EQ(swarm_disk(a, {}, 5).rot_ppm, swarm_disk(b, {}, 5).rot_ppm);
    swarm_disk(c, {}, 5);
    differ += one.latency != three.latency || one.loss_ppm != three.loss_ppm ? 1 : 0;
  }
  EXPECT_GT(differ, 10);
}

TEST(Swarm, most_links_have_few_faults_and_some_have_none) {
  Rng rng(9);
  int untouched = 0, lossy = 0;
  for (int i = 0; i < 1000; ++i) {
    const LinkOptions link = swarm_link(rng, {});
    lossy += link.loss_ppm != 0 ? 1 : 0;
    untouched += link.loss_ppm == 0 && link.jitter == Duration{} && link.reset_ppm == 0 &&
                         link.dial_failure_ppm == 0 && link.cut_ppm == 0 &&
                         link.cpu_per_message == Duration{} && link.latency == 20ms
                     ? 1
                     : 0;
  }
  EXPECT_NEAR(lossy, 300, 60);
  EXPECT_NEAR(untouched, 82, 40);  // 0.7^7
}

}  // namespace
}  // namespace kith::simnet
