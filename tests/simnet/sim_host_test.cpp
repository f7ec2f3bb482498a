// What the conformance suite of Host (tests/net/host) does not ask: links, faults, scale, and that
// SimHost and WireHost take the same time for the same work.
#include "simnet/sim_host.hpp"

#include <gtest/gtest.h>

#include "net/base/log.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/wire_host.hpp"
#include "simnet/cluster.hpp"

namespace kith::simnet {
namespace {

using host::PeerSlot;
using host::Priority;
using host::StreamSlot;

PeerId id_of(NodeIndex node) {
  std::string key = "\x08\x01\x12\x20" + std::string(32, static_cast<char>(node & 0xff));
  key[4] = static_cast<char>(node >> 8);
  return PeerId::of_public_key(as_bytes(key));
}

// Notes what it hears; echoes when asked to.
class Talker final : public host::Protocol {
 public:
  void on_peer_ready(Now, PeerSlot peer, const host::PeerFacts&) override { ready.push_back(peer); }
  void on_peer_gone(Now now, PeerSlot) override {
    ++gone;
    gone_at = now.mono;
  }
  void on_message(Now now, StreamSlot stream, Bytes message) override {
    bytes += message.size();
    last = std::move(message);
    last_at = now.mono;
    ++messages;
    if (echoes) host->send(stream, last, Priority::normal, 0);
  }
  void on_data(Now now, StreamSlot stream, Bytes data) override {
    bytes += data.size();
    last_at = now.mono;
    host->release(stream, data.size());
  }
  host::Host* host = nullptr;
  bool echoes = false;
  std::vector<PeerSlot> ready;
  int gone = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  Bytes last;
  Mono last_at{}, gone_at{};
};

struct TalkNode : NodeApp {
  virtual Result<Multiaddr> listen(const Multiaddr& on) = 0;
  void start(host::Host& made) {
    host = &made;
    talk.host = bulk.host = &made;
    host::ProtocolSpec messages{.ids = {"/talk/1"}};
    messages.message_bytes_max = messages.send_queue_bytes_max = 16u << 20;
    talk_index = made.add_protocol(messages, talk);
    host::ProtocolSpec raw{.ids = {"/bulk/1"}, .framing = host::Framing::raw};
    raw.send_queue_bytes_max = 64u << 20;
    bulk_index = made.add_protocol(raw, bulk);
    EXPECT_TRUE(listen(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001")));
  }
  host::Host* host = nullptr;
  Talker talk, bulk;
  host::ProtocolIndex talk_index = 0, bulk_index = 0;
};

struct SimNode final : TalkNode {
  explicit SimNode(NodeContext& context)
      : sim(context.hosts, context.index, context.loop, {.id = id_of(context.index)}) {
    start(sim);
  }
  Result<Multiaddr> listen(const Multiaddr& on) override { return sim.listen(on); }
  SimHost sim;
};

struct WireNode final : TalkNode {
  explicit WireNode(NodeContext& context)
      : identity(crypto::Identity::make(context.rng)),
        wire({identity}, context.transport, context.loop, log, context.rng.fork("host")) {
    start(wire);
  }
  Result<Multiaddr> listen(const Multiaddr& on) override { return wire.listen(on); }
  NullLog log;
  crypto::Identity identity;
  host::WireHost wire;
};

class SimHostTest : public ::testing::Test {
 protected:
  void build(std::size_t nodes, const LinkOptions& link = {}, std::uint64_t seed = 1) {
    cluster = std::make_unique<Cluster>(
        ClusterOptions{.nodes = nodes, .seed = seed, .link = link, .net = {}, .costs = {}},
        [this](NodeContext& context) { return make_node(context); });
  }
  std::unique_ptr<NodeApp> make_node(NodeContext& context) {
    if (over_wire) return std::make_unique<WireNode>(context);
    return std::make_unique<SimNode>(context);
  }
  TalkNode& at(NodeIndex node) { return cluster->app<TalkNode>(node); }
  PeerSlot join(NodeIndex from, NodeIndex to) {
    const std::size_t before = at(from).talk.ready.size();
    const std::size_t before_there = at(to).talk.ready.size();
    at(from).host->connect(at(from).talk_index, {1}, {}, std::vector{cluster->address(to)});
    EXPECT_TRUE(cluster->run_until(
        [&] {
          return at(from).talk.ready.size() > before && at(to).talk.ready.size() > before_there;
        },
        60s));
    return at(from).talk.ready.back();
  }
  Duration now() { return cluster->world().now().time_since_epoch(); }
  bool over_wire = false;
  std::unique_ptr<Cluster> cluster;
};

Bytes sized(std::size_t size) { return Bytes::copy(std::string(size, 'm')); }

TEST_F(SimHostTest, message_of_one_frame_travels_by_reference) {
  build(2);
  const PeerSlot peer = join(0, 1);
  const Bytes message = sized(5000);
  at(0).host->open(peer, at(0).talk_index, message, Priority::normal);
  cluster->run_for(1s);
  EXPECT_EQ(at(1).talk.last.data(), message.data());
}

TEST_F(SimHostTest, large_message_takes_its_time_on_the_link_and_comes_whole) {
  build(2, {.latency = 10ms, .up_bytes_per_second = 1'000'000});
  const PeerSlot peer = join(0, 1);
  const Bytes message = sized(2'000'000);
  const Duration start = now();
  at(0).host->open(peer, at(0).talk_index, message, Priority::normal);
  cluster->run_until([&] { return at(1).talk.messages == 1; }, 60s);
  EXPECT_EQ(at(1).talk.last.data(), message.data());
  const auto took = std::chrono::duration<double>(now() - start).count();
  EXPECT_NEAR(took, 2.0 + 0.010, 0.02 * 2.01);
}

TEST_F(SimHostTest, control_overtakes_bulk_on_a_slow_uplink) {
  build(2, {.latency = 10ms, .up_bytes_per_second = 1'000'000});
  const PeerSlot peer = join(0, 1);
  const StreamSlot bulk = at(0).host->open(peer, at(0).bulk_index, sized(1), Priority::bulk);
  const StreamSlot talk = at(0).host->open(peer, at(0).talk_index, sized(1), Priority::control);
  cluster->run_for(1s);
  at(0).host->send(bulk, sized(4'000'000), Priority::bulk, 0);
  cluster->run_for(500ms);
  const Duration start = now();
  at(0).host->send(talk, sized(100), Priority::control, 0);
  cluster->run_until([&] { return at(1).talk.messages == 2; }, 60s);
  EXPECT_LT(now() - start, 10ms + 2 * 66ms) << "a slice in the uplink, one in front of it";
}

TEST_F(SimHostTest, killed_process_is_gone_at_once_and_a_power_cut_after_the_keep_alive) {
  for (const CrashKind kind : {CrashKind::process, CrashKind::power}) {
    build(2);
    join(0, 1);
    cluster->run_for(1s);
    const Mono crashed = cluster->world().now();
    cluster->crash(1, kind);
    cluster->run_for(120s);
    ASSERT_EQ(at(0).talk.gone, 1);
    const Duration took = at(0).talk.gone_at - crashed;
    if (kind == CrashKind::process) {
      EXPECT_EQ(took, 20ms);
    } else {
      EXPECT_EQ(took, 60s);
    }
    cluster->restart(1);
    join(0, 1);
  }
}

TEST_F(SimHostTest, speaker_in_a_partition_loses_the_peer_sooner_than_a_listener) {
  build(2);
  const PeerSlot peer = join(0, 1);
  cluster->run_for(1s);
  const Mono cut = cluster->world().now();
  const std::array<NodeIndex, 1> apart{1};
  cluster->net().partition(apart);
  at(0).host->open(peer, at(0).talk_index, sized(10), Priority::normal);
  cluster->run_for(120s);
  EXPECT_NEAR(std::chrono::duration<double>(at(0).talk.gone_at - cut).count(), 30, 1);
  EXPECT_EQ(at(1).talk.gone_at - cut, 60s);
  cluster->net().heal();
  join(1, 0);
}

TEST_F(SimHostTest, short_partition_only_delays) {
  build(2);
  const PeerSlot peer = join(0, 1);
  const std::array<NodeIndex, 1> apart{1};
  cluster->net().partition(apart);
  at(0).host->open(peer, at(0).talk_index, sized(10), Priority::normal);
  cluster->run_for(10s);
  EXPECT_EQ(at(1).talk.messages, 0u);
  cluster->net().heal();
  cluster->run_for(90s);
  EXPECT_EQ(at(1).talk.messages, 1u);
  EXPECT_EQ(at(0).talk.gone + at(1).talk.gone, 0);
}

TEST_F(SimHostTest, nobody_at_the_address_costs_the_connect_deadline_and_leaves_nothing) {
  build(1);
  at(0).host->connect(at(0).talk_index, {1}, id_of(7),
                      std::vector{*Multiaddr::parse("/ip4/203.0.113.1/tcp/1")});
  cluster->run_for(30s);
  EXPECT_EQ(static_cast<SimNode&>(at(0)).sim.usage().links, 0u);
}

// The same scenario over real wire bytes and over frames: same waits, same sizes.
struct Timing {
  Duration ready{}, echo{}, bulk{};
  std::uint64_t bytes = 0;
};

class Fidelity : public SimHostTest {
 protected:
  Timing run(bool wire, const LinkOptions& link) {
    over_wire = wire;
    build(2, link);
    Timing timing;
    const PeerSlot peer = join(0, 1);
    timing.ready = now();
    cluster->run_for(10s - now());
    at(1).talk.echoes = true;
    const Duration echo = now();
    at(0).host->open(peer, at(0).talk_index, sized(20'000), Priority::normal);
    cluster->run_until([&] { return at(0).talk.messages == 1; }, 60s);
    timing.echo = now() - echo;
    cluster->run_for(20s - now());
    const Duration bulk = now();
    const StreamSlot stream = at(0).host->open(peer, at(0).bulk_index, sized(1), Priority::bulk);
    at(0).host->send(stream, sized(20'000'000), Priority::bulk, 0);
    cluster->run_until([&] { return at(1).bulk.bytes == 20'000'001; }, 600s);
    timing.bulk = now() - bulk;
    timing.bytes = cluster->net().traffic(0).bytes_out;
    return timing;
  }
  static double ratio(Duration a, Duration b) {
    return static_cast<double>(a.count()) / static_cast<double>(b.count());
  }
};

TEST_F(Fidelity, agrees_with_the_real_wire_in_time_and_bytes) {
  LinkOptions home{.latency = 25ms};
  home.up_bytes_per_second = 2'500'000;
  home.down_bytes_per_second = 12'500'000;
  home.receive_window = 4u << 20;
  const Timing real = run(true, home);
  const Timing fast = run(false, home);
  EXPECT_NEAR(ratio(fast.ready, real.ready), 1, 0.05);
  EXPECT_NEAR(ratio(fast.echo, real.echo), 1, 0.05);
  EXPECT_NEAR(ratio(fast.bulk, real.bulk), 1, 0.05);
  EXPECT_NEAR(static_cast<double>(fast.bytes) / static_cast<double>(real.bytes), 1, 0.02);
}

// ---- scale
// ---------------------------------------------------------------------------------------

class Crowd : public SimHostTest {
 protected:
  // Everybody connects to five others; node 0's message is passed on by whoever hears it first.
  std::uint64_t run(std::size_t nodes, std::uint64_t seed) {
    build(nodes, {.latency = 40ms, .jitter = 20ms, .up_bytes_per_second = 2'500'000}, seed);
    Rng rng = cluster->world().rng("crowd");
    for (NodeIndex i = 0; i < nodes; ++i)
      for (int k = 0; k < 5; ++k) {
        const auto to = static_cast<NodeIndex>(rng.below(nodes));
        at(i).host->connect(at(i).talk_index, {1}, {}, std::vector{cluster->address(to)});
      }
    cluster->run_for(15s);
    std::vector<bool> passed(nodes);
    heard = 0;
    const Bytes news = sized(1000);
    for (int round = 0; round < 10; ++round) {
      for (NodeIndex i = 0; i < nodes; ++i) {
        if (passed[i] || (i != 0 && at(i).talk.messages == 0)) continue;
        passed[i] = true;
        ++heard;
        for (const PeerSlot peer : at(i).talk.ready)
          at(i).host->open(peer, at(i).talk_index, news, Priority::normal);
      }
      cluster->run_for(1s);
    }
    return cluster->trace_hash();
  }
  std::size_t heard = 0;
};

TEST_F(Crowd, thousand_nodes_all_hear_and_the_same_seed_gives_the_same_trace) {
  const std::uint64_t first = run(1000, 11);
  EXPECT_EQ(heard, 1000u);
  EXPECT_EQ(run(1000, 11), first);
  EXPECT_NE(run(1000, 12), first);
}

}  // namespace
}  // namespace kith::simnet
