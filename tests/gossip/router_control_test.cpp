// GRAFT, PRUNE, IHAVE and IWANT, from honest peers and others.
#include <gtest/gtest.h>

#include "tests/gossip/harness.hpp"

namespace kith::gossip {
namespace {

struct Control : ::testing::Test {
  Harness node;
  TopicIndex topic;
  Control() { topic = node.subscribe("a"); }
  static PeerSlot slot(std::uint32_t number) { return Harness::slot(number); }
  const Counters& counters() const { return node.router.counters(); }
  bool in_mesh(std::uint32_t number) const {
    const std::vector<PeerSlot> mesh = node.router.mesh(topic);
    return std::find(mesh.begin(), mesh.end(), slot(number)) != mesh.end();
  }
  // Peers 1 to `count`, none of which gets our GRAFT answered by a PRUNE.
  void fill(std::uint32_t count, bool outbound = false) {
    for (std::uint32_t i = 1; i <= count; ++i) {
      node.ready(i, {"a"}, outbound);
      node.hear(i, graft_rpc("a"));
    }
  }
};

TEST_F(Control, graft_of_a_subscriber_is_taken_without_a_word) {
  fill(6);
  node.take_said();
  node.ready(7, {"a"});
  node.hear(7, graft_rpc("a"));
  EXPECT_TRUE(in_mesh(7));
  node.hear(7, graft_rpc("a"));
  ASSERT_EQ(node.said.size(), 1u) << "the hello only";
  EXPECT_TRUE(node.pruned().empty());
}

TEST_F(Control, graft_into_a_full_mesh_is_pruned_unless_we_dialled_the_peer) {
  fill(12);
  EXPECT_EQ(node.router.mesh(topic).size(), 12u);
  node.ready(13, {"a"});
  node.hear(13, graft_rpc("a"));
  EXPECT_FALSE(in_mesh(13));
  EXPECT_EQ(node.backoff_told(13), 60u);
  EXPECT_EQ(counters().graft_mesh_full, 1u);
  node.ready(14, {"a"}, true);
  node.hear(14, graft_rpc("a"));
  EXPECT_TRUE(in_mesh(14));
}

TEST_F(Control, graft_for_topics_that_are_not_ours_leaves_no_trace) {
  node.ready(1);
  node.take_said();
  for (int i = 0; i < 1000; ++i) node.hear(1, graft_rpc("unknown" + std::to_string(i)));
  EXPECT_EQ(counters().graft_ignored, 1000u);
  EXPECT_TRUE(node.said.empty()) << "no answer that could be amplified";
  EXPECT_TRUE(node.router.subscribers("unknown1").empty());
}

TEST_F(Control, graft_without_a_subscription_is_ignored) {
  node.ready(1);
  node.hear(1, graft_rpc("a"));
  EXPECT_FALSE(in_mesh(1));
  EXPECT_EQ(counters().graft_ignored, 1u);
}

TEST_F(Control, unsubscribing_leaves_the_mesh) {
  node.ready(1, {"a"});
  EXPECT_TRUE(in_mesh(1));
  node.hear(1, subscription_rpc({{false, "a"}}));
  EXPECT_FALSE(in_mesh(1));
}

TEST_F(Control, prune_is_obeyed_for_its_backoff_and_some_slack) {
  node.ready(1, {"a"});
  node.hear(1, prune_rpc("a", 10));
  EXPECT_FALSE(in_mesh(1));
  node.take_said();
  node.advance(10s);
  EXPECT_TRUE(node.grafted().empty());
  node.advance(4s);
  EXPECT_EQ(node.grafted(), (std::vector{slot(1)}));
}

TEST_F(Control, prune_without_a_backoff_means_a_minute) {
  node.ready(1, {"a"});
  node.hear(1, prune_rpc("a"));
  node.take_said();
  node.advance(60s);
  EXPECT_TRUE(node.grafted().empty());
  node.advance(4s);
  EXPECT_EQ(node.grafted(), (std::vector{slot(1)}));
}

// CVE-2026-33040.
TEST_F(Control, prune_for_ever_means_an_hour) {
  for (const std::uint64_t seconds : {std::uint64_t{1} << 34, UINT64_MAX}) {
    Harness other;
    const TopicIndex index = other.subscribe("a");
    other.ready(1, {"a"});
    other.hear(1, prune_rpc("a", seconds));
    other.advance(3600s);
    EXPECT_TRUE(other.router.mesh(index).empty());
    other.advance(4s);
    EXPECT_EQ(other.router.mesh(index).size(), 1u);
  }
}

TEST_F(Control, graft_within_a_backoff_is_pruned_and_doubles_it) {
  node.ready(1, {"a"});
  node.hear(1, prune_rpc("a", 60));
  node.take_said();
  node.hear(1, graft_rpc("a"));
  EXPECT_FALSE(in_mesh(1));
  EXPECT_EQ(node.backoff_told(1), 120u);
  node.take_said();
  node.advance(100s);
  node.hear(1, graft_rpc("a"));
  EXPECT_EQ(node.backoff_told(1), 240u);
  EXPECT_EQ(counters().graft_in_backoff, 2u);
  node.advance(240s);
  node.hear(1, graft_rpc("a"));
  EXPECT_TRUE(in_mesh(1));
}

TEST_F(Control, new_connection_does_not_end_a_backoff) {
  node.ready(1, {"a"});
  node.hear(1, prune_rpc("a", 60));
  node.gone(1);
  node.ready(1, {"a"});
  node.hear(1, graft_rpc("a"));
  EXPECT_FALSE(in_mesh(1));
}

TEST_F(Control, prune_for_topics_that_are_not_ours_is_nothing) {
  node.ready(1, {"b"});
  node.hear(1, prune_rpc("b", 1000));
  node.take_said();
  node.subscribe("b");
  EXPECT_EQ(node.grafted(), (std::vector{slot(1)}));
}

TEST_F(Control, peer_that_subscribes_is_grafted_at_once_while_the_mesh_is_small) {
  for (std::uint32_t i = 1; i <= 8; ++i) node.ready(i, {"a"});
  EXPECT_EQ(node.router.mesh(topic).size(), 5u) << "up to degree_low; the heartbeat does the rest";
}

TEST_F(Control, unseen_ids_are_asked_for_and_seen_ones_are_not) {
  fill(1);
  const Bytes seen = node.hear_message(1, 9, "a", "seen");
  const Message missing = node.make(9, "a", "missing");
  node.take_said();
  node.hear(1, ihave_rpc("a", {seen, missing.id}));
  ASSERT_EQ(node.said.size(), 1u);
  EXPECT_EQ(node.said[0].iwant, (std::vector{missing.id}));
  EXPECT_EQ(node.said[0].priority, Priority::control);
  node.hear(1, missing.rpc);
  EXPECT_EQ(node.delivered.back(), "missing");
}

TEST_F(Control, ids_of_topics_that_are_not_ours_are_not_asked_for) {
  fill(1);
  node.take_said();
  node.hear(1, ihave_rpc("b", {Bytes::copy("id")}));
  EXPECT_TRUE(node.said.empty());
}

TEST_F(Control, id_is_asked_of_two_peers_a_heartbeat) {
  fill(4);
  node.take_said();
  const Bytes id = Bytes::copy("some id");
  for (std::uint32_t i = 1; i <= 4; ++i) node.hear(i, ihave_rpc("a", {id}));
  EXPECT_EQ(node.asked(), (std::vector{slot(1), slot(2)}));
  node.take_said();
  node.beat();
  node.hear(3, ihave_rpc("a", {id}));
  EXPECT_EQ(node.asked(), (std::vector{slot(3)})) << "who offered need not have delivered";
}

TEST_F(Control, flood_of_ihave_is_cut) {
  fill(1);
  node.take_said();
  std::uint64_t number = 0;
  const auto ids = [&](std::size_t count) {
    std::vector<Bytes> made;
    for (std::size_t i = 0; i < count; ++i) made.push_back(Bytes::copy(std::to_string(++number)));
    return made;
  };
  for (std::size_t i = 0; i < kIHavesPerHeartbeatMax + 5; ++i) node.hear(1, ihave_rpc("a", ids(1)));
  EXPECT_EQ(counters().iwant_ids_sent, kIHavesPerHeartbeatMax);
  EXPECT_EQ(counters().ihave_refused, 5u);
  node.beat();
  node.hear(1, ihave_rpc("a", ids(6000)));
  EXPECT_EQ(counters().iwant_ids_sent, kIHavesPerHeartbeatMax + kAsksPerHeartbeatMax);
  EXPECT_EQ(counters().ihave_refused, 6u);
}

TEST_F(Control, long_ids_are_not_asked_for) {
  fill(1);
  node.take_said();
  node.hear(1, ihave_rpc("a", {Bytes::copy(std::string(kMessageIdBytesMax + 1, 'x')), Bytes{}}));
  EXPECT_TRUE(node.said.empty());
}

TEST_F(Control, floodsub_peer_has_no_control) {
  node.ready(1, {"a"}, false, PeerKind::floodsub);
  node.take_said();
  node.hear(1, ihave_rpc("a", {Bytes::copy("id")}));
  EXPECT_TRUE(node.said.empty());
}

TEST_F(Control, wanted_message_is_sent_three_times_at_most) {
  fill(1);
  node.ready(2);
  const Bytes id = node.hear_message(1, 9, "a", "news");
  node.take_said();
  for (int i = 0; i < 5; ++i) node.hear(2, iwant_rpc({id}));
  EXPECT_EQ(node.told_message("news").size(), kRetransmissionsMax);
  node.take_said();
  node.hear(2, iwant_rpc({Bytes::copy("unknown"), Bytes{}}));
  EXPECT_TRUE(node.said.empty());
}

TEST_F(Control, one_iwant_cannot_repeat_an_id_beyond_that) {
  fill(1);
  node.ready(2);
  const Bytes id = node.hear_message(1, 9, "a", "news");
  node.take_said();
  node.hear(2, iwant_rpc(std::vector<Bytes>(1000, id)));
  EXPECT_EQ(node.told_message("news").size(), kRetransmissionsMax);
}

TEST_F(Control, answers_to_iwant_are_one_message_each_and_bounded_in_bytes) {
  fill(1);
  node.ready(2);
  std::vector<Bytes> ids;
  for (int i = 0; i < 40; ++i)
    ids.push_back(node.hear_message(1, 9, "a", std::string(60'000, 'x') + std::to_string(i)));
  node.take_said();
  node.hear(2, iwant_rpc(ids));
  EXPECT_EQ(node.said.size(), kIWantBytesPerHeartbeatMax / 60'000 + 1);
  for (const Said& rpc : node.said) EXPECT_LE(rpc.bytes.size(), 64u << 10);
  EXPECT_GT(counters().iwant_refused, 0u);
}

TEST_F(Control, ids_of_an_iwant_are_bounded) {
  node.ready(2);
  node.hear(2, iwant_rpc(std::vector<Bytes>(kIWantIdsPerHeartbeatMax, Bytes::copy("x"))));
  EXPECT_EQ(counters().iwant_refused, 0u);
  node.hear(2, iwant_rpc({Bytes::copy("x")}));
  EXPECT_EQ(counters().iwant_refused, 1u);
}

}  // namespace
}  // namespace kith::gossip
