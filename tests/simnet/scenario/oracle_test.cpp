// The tables of an overlay beside what is true.
#include "simnet/scenario/oracle.hpp"

#include <gtest/gtest.h>

#include "simnet/scenario/scenario_toml.hpp"
#include "simnet/scenario/topology.hpp"

namespace kith::simnet {
namespace {

constexpr NodeIndex kNodes = 60;

struct Quiet final : HomeListener {
  void on_home_ready(NodeIndex, Result<void>) override {}
  void on_home_done(NodeIndex, RequestId, Result<node::Answer>) override {}
  void on_home_routed(NodeIndex, RequestId, Result<dht::RoutingAnswer>) override {}
  void on_home_heard(NodeIndex, std::size_t, const gossip::GossipMessage&) override {}
};

struct Street {
  explicit Street(const char* contacts)
      : scenario(*read_scenario("name = \"street\"\nnodes = 60\nuntil = \"5m\"\n"
                                "[node]\nbeats = false\n[topology]\nseeds = 10\njoin = \"10s\"\n",
                                "test.toml", {{"topology.contacts", contacts}})),
        town(scenario, quiet),
        topology(town) {
    topology.begin();
    town.world().run_for(3min);
  }
  Quiet quiet;
  Scenario scenario;
  Town town;
  TopologyDriver topology;
};

TEST(Oracle, tables_of_an_overlay_at_rest_hold_whom_they_should) {
  Street street("3");
  const TableTruth rest = judge_tables(street.town);
  EXPECT_GT(rest.entries, kNodes * 20u);
  EXPECT_EQ(rest.living, rest.entries);
  EXPECT_GT(rest.buckets, kNodes * 4u);
  EXPECT_EQ(rest.served, rest.buckets);
  EXPECT_EQ(rest.lost, 0u);
}

TEST(Oracle, the_dead_are_not_living_and_nobody_misses_them) {
  Street street("3");
  const TableTruth rest = judge_tables(street.town);
  for (NodeIndex node = 0; node < kNodes / 2; ++node) street.town.crash(node, CrashKind::power);
  const TableTruth half = judge_tables(street.town);
  EXPECT_LT(half.entries, rest.entries * 6 / 10) << "of those that are left";
  EXPECT_LT(half.living, half.entries * 6 / 10);
  EXPECT_GT(half.living, half.entries * 4 / 10);
  EXPECT_LT(half.buckets, rest.buckets / 2);
  for (NodeIndex node = kNodes / 2; node + 1 < kNodes; ++node)
    street.town.crash(node, CrashKind::power);
  const TableTruth last = judge_tables(street.town);
  EXPECT_EQ(last.buckets, 0u);
  EXPECT_EQ(last.living, 0u);
  EXPECT_EQ(last.lost, 0u) << "there is nobody to know";
}

TEST(Oracle, who_knows_nobody_is_lost) {
  Street street("0");
  const TableTruth truth = judge_tables(street.town);
  EXPECT_EQ(truth.entries, 0u);
  EXPECT_GT(truth.buckets, kNodes * 4u);
  EXPECT_EQ(truth.served, 0u);
  EXPECT_EQ(truth.lost, kNodes);
}

}  // namespace
}  // namespace kith::simnet
