// The whole of gossip over the real Host, on simulated machines.
#include <gtest/gtest.h>

#include "gossip/attachment.hpp"
#include "net/host/wire_host.hpp"
#include "simnet/cluster.hpp"
#include "tests/gossip/harness.hpp"

namespace kith::gossip {
namespace {

using simnet::NodeIndex;

class GossipNode final : public simnet::NodeApp, public host::Protocol, public TopicHandler {
 public:
  explicit GossipNode(simnet::NodeContext& node)
      : identity(identity_of(node.index)),
        host({.identity = identity}, node.transport, node.loop, log, node.rng.fork("host")),
        gossip({}, host, node.loop, identity, nullptr, log, node.rng.fork("gossip")) {
    host::ProtocolSpec spec;
    spec.ids = {"/test/dial/1.0.0"};
    dialler = host.add_protocol(std::move(spec), *this);
  }
  void listen(const Multiaddr& on) { ASSERT_TRUE(host.listen(on)); }
  void connect(const GossipNode& to, const Multiaddr& addr) {
    host.connect(dialler, {++requests}, to.identity.id(), std::span(&addr, 1));
  }
  void on_connected(Now, RequestId, Result<host::PeerSlot> result) override {
    EXPECT_TRUE(result) << result.error().what;
  }
  Verdict on_judge(Now, TopicIndex, JudgeSlot, const GossipMessage& message) override {
    return message.data.text() == "rubbish" ? Verdict::reject : Verdict::accept;
  }
  using host::Protocol::on_message;
  void on_message(Now, TopicIndex, const GossipMessage& message) override {
    ++heard[std::string(message.data.text())];
  }

  NullLog log;
  crypto::Identity identity;
  host::WireHost host;
  Attachment gossip;
  host::ProtocolIndex dialler = 0;
  std::uint64_t requests = 0;
  std::map<std::string, int> heard;
  TopicIndex topic;
};

class Scenario {
 public:
  Scenario(std::size_t nodes, std::uint64_t seed, simnet::LinkOptions link = {})
      : cluster({.nodes = nodes, .seed = seed, .link = link, .net = {}, .costs = {}},
                [](simnet::NodeContext& node) { return std::make_unique<GossipNode>(node); }) {
    for (NodeIndex i = 0; i < nodes; ++i) start(i);
  }
  void start(NodeIndex i) {
    node(i).listen(cluster.address(i));
    node(i).topic = *node(i).gossip.subscribe("a", node(i), false);
  }
  GossipNode& node(NodeIndex i) { return cluster.app<GossipNode>(i); }
  NodeIndex size() const { return static_cast<NodeIndex>(cluster.size()); }
  void connect(NodeIndex a, NodeIndex b) { node(a).connect(node(b), cluster.address(b)); }
  void connect_ring(std::uint64_t seed, int extra) {
    Rng rng(seed);
    for (NodeIndex i = 0; i < size(); ++i) {
      connect(i, (i + 1) % size());
      for (int k = 0; k < extra; ++k) {
        const auto other = static_cast<NodeIndex>(rng.below(size()));
        if (other != i) connect(i, other);
      }
    }
  }
  bool all_heard(const std::string& text, NodeIndex author) {
    for (NodeIndex i = 0; i < size(); ++i)
      if (i != author && node(i).heard[text] != 1) return false;
    return true;
  }

  simnet::Cluster cluster;
};

TEST(GossipOverHost, every_node_hears_each_message_once) {
  Scenario world(12, 1);
  world.connect_ring(1, 2);
  world.cluster.run_for(5s);
  for (NodeIndex i = 0; i < world.size(); ++i)
    EXPECT_GE(world.node(i).gossip.mesh(world.node(i).topic).size(), 2u) << i;
  for (NodeIndex i = 0; i < world.size(); ++i) {
    const std::string text = "from " + std::to_string(i);
    ASSERT_TRUE(world.node(i).gossip.publish("a", Bytes::copy(text)));
    EXPECT_TRUE(world.cluster.run_until([&] { return world.all_heard(text, i); }, 2s)) << text;
  }
  const std::string large(kGossipDataMax, 'x');
  ASSERT_TRUE(world.node(3).gossip.publish("a", Bytes::copy(large)));
  EXPECT_TRUE(world.cluster.run_until([&] { return world.all_heard(large, 3); }, 5s));
  world.cluster.run_for(10s);
  EXPECT_TRUE(world.all_heard("from 0", 0)) << "and not again";
}

TEST(GossipOverHost, pipes_that_are_cut_anywhere_carry_it_too) {
  Scenario world(4, 2, {.latency = 5ms, .jitter = 5ms, .segment_max = 700, .cut_ppm = 300'000});
  world.connect_ring(2, 1);
  world.cluster.run_for(5s);
  for (int i = 0; i < 30; ++i) {
    const std::string text =
        std::string(static_cast<std::size_t>(i) * 300, 'y') + std::to_string(i);
    ASSERT_TRUE(world.node(0).gossip.publish("a", Bytes::copy(text)));
    EXPECT_TRUE(world.cluster.run_until([&] { return world.all_heard(text, 0); }, 5s)) << i;
  }
}

TEST(GossipOverHost, rejected_message_does_not_get_past_the_first_neighbours) {
  Scenario world(3, 3);
  world.connect(0, 1);
  world.connect(1, 2);
  world.cluster.run_for(3s);
  ASSERT_TRUE(world.node(0).gossip.publish("a", Bytes::copy("rubbish")));
  ASSERT_TRUE(world.node(0).gossip.publish("a", Bytes::copy("good")));
  world.cluster.run_for(5s);
  EXPECT_EQ(world.node(1).gossip.counters().rejected, 1u);
  EXPECT_EQ(world.node(2).gossip.counters().rejected, 0u);
  EXPECT_EQ(world.node(2).heard["good"], 1);
}

TEST(GossipOverHost, node_that_crashed_and_came_back_is_in_the_mesh_again) {
  Scenario world(4, 4);
  world.connect_ring(4, 0);
  world.cluster.run_for(3s);
  world.cluster.crash(2);
  world.cluster.run_for(120s);
  ASSERT_TRUE(world.node(0).gossip.publish("a", Bytes::copy("without it")));
  world.cluster.run_for(3s);
  EXPECT_EQ(world.node(1).heard["without it"], 1);
  EXPECT_EQ(world.node(3).heard["without it"], 1);
  world.cluster.restart(2);
  world.start(2);
  world.connect(2, 1);
  world.cluster.run_for(3s);
  ASSERT_TRUE(world.node(0).gossip.publish("a", Bytes::copy("with it")));
  EXPECT_TRUE(world.cluster.run_until([&] { return world.all_heard("with it", 0); }, 5s));
}

TEST(GossipOverHost, same_seed_gives_the_same_trace) {
  const auto run = [](std::uint64_t seed) {
    Scenario world(6, seed, {.latency = 20ms, .jitter = 20ms});
    world.connect_ring(1, 1);
    world.cluster.run_for(3s);
    EXPECT_TRUE(world.node(0).gossip.publish("a", Bytes::copy("x")));
    world.cluster.run_for(5s);
    return world.cluster.trace_hash();
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

}  // namespace
}  // namespace kith::gossip
