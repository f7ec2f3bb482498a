// What happens once a second.
#include <gtest/gtest.h>

#include <set>

#include "tests/gossip/harness.hpp"

namespace kith::gossip {
namespace {

struct Heartbeat : ::testing::Test {
  Harness node;
  TopicIndex topic;
  Heartbeat() { topic = node.subscribe("a"); }
  static PeerSlot slot(std::uint32_t number) { return Harness::slot(number); }
  std::size_t mesh_size() const { return node.router.mesh(topic).size(); }
  void graft_in(std::uint32_t from, std::uint32_t to, bool outbound = false) {
    for (std::uint32_t i = from; i <= to; ++i) {
      node.ready(i, {"a"}, outbound);
      node.hear(i, graft_rpc("a"));
    }
  }
};

TEST_F(Heartbeat, small_mesh_is_filled_to_the_degree) {
  for (std::uint32_t i = 1; i <= 9; ++i) node.ready(i, {"a"});
  for (std::uint32_t i = 1; i <= 5; ++i) node.gone(i);
  EXPECT_EQ(mesh_size(), 0u);
  node.take_said();
  node.beat();
  EXPECT_EQ(mesh_size(), 4u) << "all there are";
  for (std::uint32_t i = 11; i <= 19; ++i) node.ready(i, {"a"});
  EXPECT_EQ(mesh_size(), 5u);
  node.gone(node.router.mesh(topic)[0].index);
  node.beat();
  EXPECT_EQ(mesh_size(), 6u);
}

TEST_F(Heartbeat, mesh_between_its_bounds_is_left_alone) {
  graft_in(1, 12);
  EXPECT_EQ(mesh_size(), 12u);
  node.take_said();
  node.advance(5s);
  EXPECT_EQ(mesh_size(), 12u);
  EXPECT_TRUE(node.grafted().empty() && node.pruned().empty());
}

TEST_F(Heartbeat, large_mesh_is_pruned_to_the_degree_and_keeps_dialled_peers) {
  graft_in(1, 12);
  graft_in(13, 14, true);
  EXPECT_EQ(mesh_size(), 14u);
  node.take_said();
  node.beat();
  EXPECT_EQ(mesh_size(), 6u);
  EXPECT_EQ(node.pruned().size(), 8u);
  const std::vector<PeerSlot> mesh = node.router.mesh(topic);
  EXPECT_TRUE(std::find(mesh.begin(), mesh.end(), slot(13)) != mesh.end());
  EXPECT_TRUE(std::find(mesh.begin(), mesh.end(), slot(14)) != mesh.end());
  EXPECT_EQ(node.backoff_told(node.pruned()[0].index), 60u);
}

TEST_F(Heartbeat, mesh_of_strangers_is_joined_by_peers_that_we_dialled) {
  graft_in(1, 8);
  for (std::uint32_t i = 9; i <= 12; ++i) node.ready(i, {"a"}, true);
  EXPECT_EQ(mesh_size(), 8u);
  node.beat();
  EXPECT_EQ(mesh_size(), 10u) << "degree_out of them";
}

TEST_F(Heartbeat, new_messages_are_offered_outside_of_the_mesh) {
  graft_in(1, 6);
  for (std::uint32_t i = 7; i <= 9; ++i) node.ready(i, {"a"});
  node.ready(10, {"other"});
  const Bytes id = node.hear_message(1, 99, "a", "news");
  node.take_said();
  node.beat();
  EXPECT_EQ(node.offered(), (std::vector{slot(7), slot(8), slot(9)}));
  for (const Said& rpc : node.said) {
    EXPECT_EQ(rpc.ihave, (std::vector{id}));
    EXPECT_EQ(rpc.ihave_topics, (std::vector<std::string>{"a"}));
  }
  node.take_said();
  node.beat();
  node.beat();
  EXPECT_EQ(node.offered().size(), 6u) << "three heartbeats in all";
  node.take_said();
  node.beat();
  EXPECT_TRUE(node.offered().empty());
}

TEST_F(Heartbeat, offers_go_to_six_or_a_quarter_of_the_others_in_turn) {
  graft_in(1, 6);
  for (std::uint32_t i = 7; i <= 46; ++i) node.ready(i, {"a"});
  std::set<PeerSlot> ever;
  for (int i = 0; i < 10; ++i) {
    node.hear_message(1, 99, "a", "m" + std::to_string(i));
    node.take_said();
    node.beat();
    EXPECT_EQ(node.offered().size(), 10u);
    for (const PeerSlot peer : node.offered()) ever.insert(peer);
  }
  EXPECT_GT(ever.size(), 25u) << "not always the same";
}

TEST_F(Heartbeat, many_ids_are_offered_in_rpcs_that_everybody_takes) {
  graft_in(1, 6);
  node.ready(7, {"a"});
  for (int i = 0; i < 3000; ++i) node.publish("a", "x");
  node.take_said();
  node.beat();
  std::size_t ids = 0;
  for (const Said& rpc : node.said) {
    EXPECT_LE(rpc.bytes.size(), 64u << 10);
    ids += rpc.ihave.size();
  }
  EXPECT_EQ(ids, 3000u);
  EXPECT_LE(node.said.size(), kIHavesPerHeartbeatMax);
}

TEST_F(Heartbeat, one_offer_is_encoded_once_for_all_whom_it_goes_to) {
  graft_in(1, 6);
  for (std::uint32_t i = 7; i <= 9; ++i) node.ready(i, {"a"});
  node.hear_message(1, 99, "a", "news");
  node.take_said();
  node.beat();
  ASSERT_EQ(node.said.size(), 3u);
  for (const Said& rpc : node.said) EXPECT_EQ(rpc.bytes.data(), node.said[0].bytes.data());
}

// A peer takes ten RPCs with IHAVE between two of its heartbeats, in which we may have two.
TEST(HeartbeatOffers, of_many_topics_share_the_rpcs_of_a_peer) {
  for (const std::size_t topics : {kOffersApartMax, kOffersApartMax + 1}) {
    Harness node;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < topics; ++i) names.push_back("t" + std::to_string(i));
    for (const std::string& name : names) node.subscribe(name);
    for (std::uint32_t i = 1; i <= 30; ++i) node.ready(i, names);  // more than the meshes take
    for (int i = 0; i < 5; ++i) node.beat();
    for (const std::string& name : names) node.publish(name, "x");
    node.take_said();
    node.beat();
    std::map<PeerSlot, std::size_t> rpcs;
    std::size_t offers = 0;
    for (const Said& rpc : node.said) {
      if (rpc.ihave.empty()) continue;
      ++rpcs[rpc.to];
      offers += rpc.ihave_topics.size();
    }
    EXPECT_EQ(offers, topics * 6);
    for (const auto& [peer, count] : rpcs) EXPECT_LE(count, kOffersApartMax);
    std::size_t sent = 0;
    for (const auto& [peer, count] : rpcs) sent += count;
    EXPECT_EQ(sent, topics <= kOffersApartMax ? offers : rpcs.size());
  }
}

TEST_F(Heartbeat, message_is_served_for_five_heartbeats) {
  graft_in(1, 1);
  node.ready(2);
  const Bytes id = node.hear_message(1, 99, "a", "news");
  for (int i = 0; i < 4; ++i) node.beat();
  node.hear(2, iwant_rpc({id}));
  EXPECT_EQ(node.told_message("news"), (std::vector{slot(2)}));
  node.beat();
  node.take_said();
  node.hear(2, iwant_rpc({id}));
  EXPECT_TRUE(node.said.empty());
}

TEST_F(Heartbeat, late_tick_does_not_bring_two) {
  graft_in(1, 1);
  const Mono due = node.router.next_deadline();
  node.now.mono = due + 10s;
  node.router.on_tick(node.now, node.out);
  EXPECT_EQ(node.router.next_deadline(), node.now.mono + 1s);
  node.router.on_tick(node.now, node.out);
  EXPECT_EQ(node.router.next_deadline(), node.now.mono + 1s);
}

TEST(HeartbeatPhase, nodes_that_start_together_do_not_beat_together) {
  std::set<Mono> phases;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Harness node({}, seed);
    node.ready(1);
    phases.insert(node.router.next_deadline());
  }
  EXPECT_EQ(phases.size(), 20u);
}

TEST(HeartbeatDeterminism, same_seed_says_the_same) {
  const auto run = [] {
    Harness node({}, 7);
    node.subscribe("a");
    for (std::uint32_t i = 1; i <= 30; ++i) node.ready(i, {"a"}, i % 3 == 0);
    for (int i = 0; i < 20; ++i) {
      node.hear_message(1, 99, "a", "m" + std::to_string(i));
      node.advance(700ms);
    }
    std::vector<std::pair<PeerSlot, Bytes>> said;
    for (const Said& rpc : node.said) said.emplace_back(rpc.to, rpc.bytes);
    return said;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace kith::gossip
