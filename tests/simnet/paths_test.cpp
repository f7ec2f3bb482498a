// What a path does to what travels on it, in both fidelities: losses, regions, cuts, translators,
// moves, programs that stand still.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/simnet/talk_node.hpp"

namespace kith::simnet {
namespace {

constexpr Duration kKeepAlive = 30s;

// The parameter: over the wire's bytes, or over messages.
class Paths : public TalkTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override { over_wire = GetParam(); }
  Mono mono() { return cluster->world().now(); }
  SimNet& net() { return cluster->net(); }
  PeerSlot peer(NodeIndex from, NodeIndex to) {
    const auto found = at(from).host->find_peer(at(to).host->self());
    EXPECT_TRUE(found);
    return found.value_or(PeerSlot{});
  }
  void say(NodeIndex from, NodeIndex to, std::string_view text) {
    at(from).host->open(peer(from, to), at(from).talk_index, Bytes::copy(text), Priority::normal);
  }
  std::vector<std::string> heard(NodeIndex node) {
    std::vector<std::string> texts;
    for (const auto& [text, when] : at(node).talk.heard) texts.push_back(text);
    return texts;
  }
  // Whether a dial succeeds.
  bool dials(NodeIndex from, const Multiaddr& to) {
    const std::size_t before = at(from).talk.ready.size();
    at(from).host->connect(at(from).talk_index, {1}, {}, std::vector{to});
    return cluster->run_until([&] { return at(from).talk.ready.size() > before; }, 8s);
  }
  bool dials(NodeIndex from, NodeIndex to) { return dials(from, cluster->address(to)); }
  double rate(NodeIndex from, NodeIndex to, std::size_t size) {
    const StreamSlot stream =
        at(from).host->open(peer(from, to), at(from).bulk_index, sized(1), Priority::bulk);
    at(from).host->send(stream, sized(size), Priority::bulk, 0);
    const Duration start = now();
    EXPECT_TRUE(cluster->run_until([&] { return at(to).bulk.bytes == size + 1; }, 3600s));
    return static_cast<double>(size) / std::chrono::duration<double>(now() - start).count();
  }
};

// ---- losses ------------------------------------------------------------------------------------

TEST_P(Paths, lossy_stream_runs_at_the_rate_of_mathis) {
  for (const std::uint32_t ppm : {500u, 5'000u}) {  // each side
    build(2, {.latency = 50ms, .loss_ppm = ppm});
    join(0, 1);
    cluster->run_for(1s);
    const double closed = 1.22 * 1460 / (0.1 * std::sqrt(2 * ppm * 1e-6));
    EXPECT_NEAR(rate(0, 1, 8'000'000), closed, 0.15 * closed) << ppm;
  }
}

TEST_P(Paths, lost_message_comes_after_the_timeout_of_its_retransmission) {
  build(2, {.latency = 10ms});
  join(0, 1);
  cluster->run_for(1s);
  const StreamSlot stream =
      at(0).host->open(peer(0, 1), at(0).talk_index, Bytes::copy("x"), Priority::normal);
  cluster->run_for(1s);
  net().set_link(0, {.latency = 10ms, .loss_ppm = 100'000});
  int late = 0;
  int behind = 0;
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t before = at(1).talk.messages;
    const Mono start = mono();
    at(0).host->send(stream, Bytes::copy("x"), Priority::normal, 0);
    ASSERT_TRUE(cluster->run_until([&] { return at(1).talk.messages > before; }, 60s));
    const Duration took = at(1).talk.last_at - start;
    cluster->run_for(1s);
    if (took == 10ms) continue;
    ++late;
    if (took < 210ms) ++behind;
  }
  EXPECT_NEAR(late, 40, 20);
  // In bytes the host sends some twenty keep-alives of its own, two of which are lost: what is said
  // within 200 ms after one waits for it, and so for less than a timeout.
  EXPECT_LE(behind, GetParam() ? 2 : 0);
}

TEST_P(Paths, connection_dies_on_both_sides_after_its_last_retry) {
  build(2, {.latency = 10ms});
  join(0, 1);
  cluster->run_for(1s);
  const Mono start = mono();
  net().set_link(0, {.latency = 10ms, .loss_ppm = 1'000'000});
  say(0, 1, "lost");
  cluster->run_for(28s);
  EXPECT_EQ(at(1).talk.messages, 0u);
  ASSERT_EQ(at(0).talk.gone, 1);
  EXPECT_EQ(at(1).talk.gone, 1);
  const Duration retries = 200ms * ((1 << (kLossRetriesMax + 1)) - 1);
  EXPECT_NEAR(std::chrono::duration<double>(at(0).talk.gone_at - start - retries).count(), 0, 0.1);
}

TEST_P(Paths, dial_over_losses_costs_the_second_of_a_syn) {
  int late = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    build(2, {.latency = 10ms, .loss_ppm = 50'000}, seed);
    at(0).host->connect(at(0).talk_index, {1}, {}, std::vector{cluster->address(1)});
    cluster->run_until([&] { return !at(0).talk.ready.empty(); }, 20s);
    late += now() >= 1s;
  }
  EXPECT_GE(late, 4);
  EXPECT_LE(late, 25);
}

// ---- time --------------------------------------------------------------------------------------

TEST_P(Paths, path_between_regions_takes_the_tables_time_and_both_halves) {
  build(2, {.latency = 4ms});
  net().set_regions({{1ms, 30ms}, {70ms, 2ms}});
  net().set_link(1, {.latency = 10ms, .region = 1});
  join(0, 1);
  cluster->run_for(1s);
  const Mono start = mono();
  say(0, 1, "there");
  say(1, 0, "back");
  cluster->run_for(1s);
  EXPECT_EQ(at(1).talk.last_at - start, 37ms);
  EXPECT_EQ(at(0).talk.last_at - start, 77ms);
}

TEST_P(Paths, node_takes_one_message_at_a_time) {
  build(5, {.latency = 10ms});
  for (NodeIndex i = 1; i < 5; ++i) join(i, 0);
  cluster->run_for(5s);
  net().set_link(0, {.latency = 10ms, .cpu_per_message = 7ms});
  const Mono start = mono();
  for (NodeIndex i = 1; i < 5; ++i) say(i, 0, std::to_string(i));
  cluster->run_for(1s);
  ASSERT_EQ(heard(0), (std::vector<std::string>{"1", "2", "3", "4"}));
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(at(0).talk.heard[static_cast<std::size_t>(i)].second - start, 10ms + (i + 1) * 7ms);
}

// ---- cuts --------------------------------------------------------------------------------------

TEST_P(Paths, cut_of_one_direction_lets_the_other_pass_and_both_sides_notice) {
  build(3);
  join(0, 1);
  join(2, 1);
  cluster->run_for(1s);
  const Mono cut = mono();
  const std::array<NodeIndex, 1> mute{0};
  net().partition_one_way(mute);
  say(1, 0, "heard");
  cluster->run_for(5s);
  EXPECT_EQ(heard(0), (std::vector<std::string>{"heard"}));
  say(0, 1, "not heard");
  say(2, 1, "others");
  cluster->run_for(90s);
  EXPECT_EQ(heard(1), (std::vector<std::string>{"others"}));
  ASSERT_EQ(at(0).talk.gone, 1);
  ASSERT_EQ(at(1).talk.gone, 1);
  EXPECT_LE(at(0).talk.gone_at - cut, 36s) << "nothing that it says arrives";
  EXPECT_LE(at(1).talk.gone_at - cut, 31s) << "nothing that it says is acknowledged";
  net().heal();
  EXPECT_TRUE(dials(0, 1));
}

TEST_P(Paths, idle_connection_is_noticed_by_keep_alives_over_every_kind_of_cut) {
  const auto strike = [&](int kind) {
    const std::array<NodeIndex, 1> one{0};
    switch (kind) {
      case 0:
        return net().partition(one);
      case 1:
        return net().partition_one_way(one);
      case 2:
        return net().block(0, 1);
      case 3:
        return net().block(1, 0);
      case 4:
        return net().clog(0, mono() + 10min);
      default:
        return net().set_address(0, 0x0b000001);
    }
  };
  for (int kind = 0; kind < 6; ++kind) {
    build(2);
    join(0, 1);
    cluster->run_for(1s);
    const Mono cut = mono();
    strike(kind);
    cluster->run_for(120s);
    for (NodeIndex node = 0; node < 2; ++node) {
      ASSERT_EQ(at(node).talk.gone, 1) << kind << " at " << node;
      EXPECT_LE(at(node).talk.gone_at - cut, 2 * kKeepAlive + 1s) << kind << " at " << node;
      EXPECT_GE(at(node).talk.gone_at - cut, 10s) << kind << " at " << node;
    }
    net().heal();
    EXPECT_TRUE(dials(1, 0)) << kind;
  }
}

TEST_P(Paths, blocked_direction_of_a_path_touches_no_other_and_can_be_unblocked) {
  build(3);
  join(0, 1);
  join(0, 2);
  cluster->run_for(1s);
  net().block(0, 1);
  say(0, 1, "later");
  say(0, 2, "at once");
  say(1, 0, "the other way");
  cluster->run_for(5s);
  EXPECT_TRUE(heard(1).empty());
  EXPECT_EQ(heard(2), (std::vector<std::string>{"at once"}));
  EXPECT_EQ(heard(0), (std::vector<std::string>{"the other way"}));
  net().unblock(0, 1);
  cluster->run_for(1s);
  EXPECT_EQ(heard(1), (std::vector<std::string>{"later"}));
  cluster->run_for(60s);
  EXPECT_EQ(at(0).talk.gone + at(1).talk.gone, 0);
}

TEST_P(Paths, what_a_clog_held_comes_all_at_once_in_order_when_it_ends) {
  build(3);
  join(1, 0);
  cluster->run_for(1s);
  const Mono end = mono() + 5'123ms;
  net().clog(0, end);
  say(1, 0, "a");
  say(0, 1, "c");
  cluster->run_for(1s);
  say(1, 0, "b");
  say(0, 1, "d");
  at(2).host->connect(at(2).talk_index, {1}, {}, std::vector{cluster->address(0)});
  cluster->run_for(4s);
  EXPECT_TRUE(heard(0).empty());
  EXPECT_TRUE(heard(1).empty());
  cluster->run_for(1s);
  using Heard = std::vector<std::pair<std::string, Mono>>;
  EXPECT_EQ(at(0).talk.heard, (Heard{{"a", end}, {"b", end}}));
  EXPECT_EQ(at(1).talk.heard, (Heard{{"c", end}, {"d", end}}));
  EXPECT_EQ(at(2).talk.ready.size(), 1u) << "a dial waits as well";
  EXPECT_EQ(at(0).talk.gone + at(1).talk.gone, 0);
}

TEST_P(Paths, heal_ends_every_cut) {
  build(2);
  join(0, 1);
  cluster->run_for(1s);
  const std::array<NodeIndex, 1> one{0};
  net().partition(one);
  net().partition_one_way(one);
  net().block(1, 0);
  net().clog(1, mono() + 1h);
  say(0, 1, "there");
  say(1, 0, "back");
  cluster->run_for(10s);
  EXPECT_EQ(at(0).talk.messages + at(1).talk.messages, 0u);
  net().heal();
  cluster->run_for(1s);
  EXPECT_EQ(at(0).talk.messages + at(1).talk.messages, 2u);
  cluster->run_for(90s);
  EXPECT_EQ(at(0).talk.gone + at(1).talk.gone, 0);
}

// ---- addresses ---------------------------------------------------------------------------------

TEST_P(Paths, moved_node_is_silent_at_the_old_address_and_listens_at_the_new_one) {
  build(3);
  join(1, 0);
  cluster->run_for(1s);
  const Multiaddr old = cluster->address(0);
  const Mono moved = mono();
  net().set_address(0, 0x0b000001);
  EXPECT_NE(cluster->address(0), old);
  EXPECT_FALSE(dials(2, old));
  EXPECT_TRUE(dials(2, 0));
  EXPECT_EQ(at(2).host->facts(at(2).talk.ready.back())->listen_addrs,
            (std::vector{cluster->address(0)}));
  EXPECT_EQ(at(0).talk.gone + at(1).talk.gone, 0) << "nobody was told";
  const Mono spoke = mono();
  say(1, 0, "lost");
  cluster->run_for(120s);
  EXPECT_EQ(at(0).talk.messages, 0u);
  EXPECT_LE(at(1).talk.gone_at - spoke, 31s);
  EXPECT_LE(at(0).talk.gone_at - moved, 2 * kKeepAlive + 1s);
}

struct Reach {
  Nat nat;
  // never: it has dialled nobody. stranger: it is connected to another. dialled: it was connected
  // to who dials. same_port: it has dialled exactly where the dial comes from. late: as dialled,
  // and its mapping is over.
  bool never, stranger, dialled, same_port, late;
};
constexpr std::array kReaches{Reach{Nat::open, true, true, true, true, true},
                              Reach{Nat::full_cone, false, true, true, true, false},
                              Reach{Nat::restricted, false, false, true, true, false},
                              Reach{Nat::port_restricted, false, false, false, true, false},
                              Reach{Nat::symmetric, false, false, false, false, false},
                              Reach{Nat::carrier, false, false, false, false, false}};

TEST_P(Paths, translator_lets_in_whom_its_kind_lets_in) {
  for (const Reach& reach : kReaches) {
    const auto town = [&](NodeIndex nodes) {
      build(nodes);
      net().set_link(0, {.nat = reach.nat});
    };
    const int kind = static_cast<int>(reach.nat);
    town(2);
    EXPECT_EQ(dials(1, 0), reach.never) << kind;
    town(3);
    ASSERT_TRUE(dials(0, 1));
    cluster->run_for(10min);  // a connection keeps the mapping
    EXPECT_EQ(dials(2, 0), reach.stranger) << kind;
    for (const bool late : {false, true}) {
      town(2);
      ASSERT_TRUE(dials(0, 1));
      at(0).host->disconnect(peer(0, 1));
      cluster->run_for(late ? kNatMappingLifetime + 1s : 1s);
      EXPECT_EQ(dials(1, 0), late ? reach.late : reach.dialled) << kind;
    }
    town(2);  // both behind a translator, and both dial from the port on which they listen
    net().set_link(1, {.nat = Nat::port_restricted});
    EXPECT_FALSE(dials(0, 1)) << kind;
    EXPECT_EQ(dials(1, 0), reach.same_port) << kind;
  }
}

TEST_P(Paths, others_see_the_address_that_the_translator_gives) {
  for (const Nat nat :
       {Nat::full_cone, Nat::restricted, Nat::port_restricted, Nat::symmetric, Nat::carrier}) {
    build(4);
    net().set_link(0, {.nat = nat});
    net().set_link(1, {.nat = nat});
    ASSERT_TRUE(dials(0, 2));
    ASSERT_TRUE(dials(0, 3));
    ASSERT_TRUE(dials(1, 2));
    cluster->run_for(5s);
    const auto ip = [](const Multiaddr& from) { return Bytes::copy(from.find(proto::ip4)->value); };
    const auto seen = at(0).observed();
    const bool cone = nat != Nat::symmetric && nat != Nat::carrier;
    ASSERT_EQ(seen.size(), cone ? 1u : 2u);
    if (cone) {
      EXPECT_EQ(seen[0], cluster->address(0));
    } else {
      EXPECT_EQ(ip(seen[0]), ip(seen[1]));
    }
    EXPECT_EQ(ip(seen[0]) == ip(cluster->address(0)), nat != Nat::carrier);
    EXPECT_EQ(ip(seen[0]) == ip(at(1).observed().at(0)), nat == Nat::carrier);
    const Multiaddr remote = at(2).host->facts(peer(2, 0))->remote.without_peer_id();
    EXPECT_TRUE(std::count(seen.begin(), seen.end(), remote));
    // What one peer learns of it is of no use to another.
    if (!cone) {
      EXPECT_FALSE(dials(1, seen[0]));
    }
  }
}

// ---- a program that stands still ---------------------------------------------------------------

struct Clock final : Alarm {
  std::vector<Mono> rang;
  void on_alarm(Now now) override { rang.push_back(now.mono); }
};

TEST_P(Paths, paused_node_takes_everything_late_and_in_order) {
  build(3);
  join(1, 0);
  cluster->run_for(1s);
  Clock early, late;
  const Mono end = mono() + 10s;
  cluster->loop(0).arm(early, mono() + 3s);
  cluster->loop(0).arm(late, end + 1s);
  say(1, 0, "under way");
  cluster->run_for(10ms);
  cluster->pause(0, end);
  cluster->run_for(1s);
  say(1, 0, "a");
  cluster->run_for(1s);
  say(1, 0, "b");
  at(2).host->connect(at(2).talk_index, {1}, {}, std::vector{cluster->address(0)});
  cluster->run_for(7s);
  EXPECT_TRUE(heard(0).empty());
  EXPECT_TRUE(early.rang.empty());
  EXPECT_TRUE(at(2).talk.ready.empty());
  cluster->run_for(5s);
  using Heard = std::vector<std::pair<std::string, Mono>>;
  EXPECT_EQ(at(0).talk.heard, (Heard{{"under way", end}, {"a", end}, {"b", end}}));
  EXPECT_EQ(early.rang, std::vector{end});
  EXPECT_EQ(late.rang, std::vector{end + 1s});
  EXPECT_EQ(at(2).talk.ready.size(), 1u);
  EXPECT_EQ(at(0).talk.gone + at(1).talk.gone, 0);
}

TEST_P(Paths, peers_of_a_node_that_stands_still_notice_by_their_keep_alives) {
  build(2);
  join(1, 0);
  cluster->run_for(1s);
  const Mono start = mono();
  cluster->pause(0, 5min);
  cluster->run_for(4min);
  ASSERT_EQ(at(1).talk.gone, 1);
  EXPECT_LE(at(1).talk.gone_at - start, 3 * kKeepAlive);
  EXPECT_EQ(at(0).talk.gone, 0) << "it does not even know";
  cluster->run_for(2min);
  EXPECT_EQ(at(0).talk.gone, 1);
  EXPECT_TRUE(dials(1, 0));
}

TEST_P(Paths, node_that_is_killed_while_it_stands_still_comes_back) {
  build(2);
  join(1, 0);
  cluster->run_for(1s);
  cluster->pause(0, 1min);
  say(1, 0, "x");
  cluster->run_for(1s);
  cluster->crash(0, CrashKind::process);
  cluster->run_for(1s);
  cluster->restart(0);
  EXPECT_TRUE(dials(1, 0)) << "the new process stands on its own feet";
}

// ---- all of it ---------------------------------------------------------------------------------

TEST_P(Paths, same_seed_gives_the_same_trace_with_every_fault_on) {
  const auto run = [&](std::uint64_t seed) {
    LinkOptions link{.latency = 15ms, .jitter = 10ms, .jitter_kind = Jitter::normal};
    link.up_bytes_per_second = 2'000'000;
    link.down_bytes_per_second = 3'000'000;
    link.reset_ppm = 500;
    link.loss_ppm = 20'000;
    link.nat = Nat::full_cone;
    link.cpu_per_message = 100us;
    link.cut_ppm = 200'000;
    build(6, link, seed);
    net().set_link(0, {});
    for (NodeIndex i = 1; i < 6; ++i)
      at(i).host->connect(at(i).talk_index, {1}, {}, std::vector{cluster->address(0)});
    cluster->run_for(5s);
    const std::array<NodeIndex, 1> mute{2};
    for (int round = 0; round < 40; ++round) {
      for (const PeerSlot other : std::vector(at(0).talk.ready))
        at(0).host->open(other, at(0).talk_index, sized(20'000), Priority::normal);
      if (round == 5) net().partition_one_way(mute);
      if (round == 10) net().clog(3, mono() + 5s);
      if (round == 15) cluster->pause(4, mono() + 5s);
      if (round == 20) net().set_address(5, 0x0b000001);
      if (round == 25) net().heal();
      cluster->run_for(2s);
    }
    return cluster->trace_hash();
  };
  const std::uint64_t first = run(3);
  EXPECT_EQ(run(3), first);
  EXPECT_NE(run(4), first);
}

INSTANTIATE_TEST_SUITE_P(Fidelity, Paths, ::testing::Bool(),
                         [](const auto& made) { return made.param ? "bytes" : "messages"; });

// ---- draws -------------------------------------------------------------------------------------

TEST(PathDraws, normal_jitter_keeps_to_the_middle_of_its_range) {
  World world(1);
  SimNet net(world);
  const auto share_in_the_middle = [&](Jitter kind) {
    const NodeIndex from = net.add_node({.latency = 10ms, .jitter = 8ms, .jitter_kind = kind});
    const NodeIndex to = net.add_node({.latency = 10ms});
    int middle = 0;
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) {
      const Duration drawn = net.draw_latency(from, to) - 10ms;
      EXPECT_GE(drawn, 0ms);
      EXPECT_LE(drawn, 8ms);
      middle += drawn >= 2ms && drawn <= 6ms;
      sum += static_cast<double>(drawn.count()) * 1e-6;
    }
    EXPECT_NEAR(sum / 10'000, 4, 0.1);
    return middle / 10'000.0;
  };
  EXPECT_NEAR(share_in_the_middle(Jitter::uniform), 0.5, 0.02);
  EXPECT_NEAR(share_in_the_middle(Jitter::normal), 0.92, 0.02);
}

}  // namespace
}  // namespace kith::simnet
