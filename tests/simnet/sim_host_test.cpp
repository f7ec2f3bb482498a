// What the conformance suite of Host (tests/net/host) does not ask: links, faults, scale, and that
// SimHost and WireHost take the same time for the same work.
#include "simnet/sim_host.hpp"

#include <gtest/gtest.h>

#include "tests/simnet/talk_node.hpp"

namespace kith::simnet {
namespace {

class SimHostTest : public TalkTest {};

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
