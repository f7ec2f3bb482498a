// Peers, subscriptions and what is published.
#include "gossip/router.hpp"

#include <gtest/gtest.h>

#include "tests/gossip/harness.hpp"

namespace kith::gossip {
namespace {

TEST(Router, says_hello_with_all_subscriptions_before_any_graft) {
  Harness node;
  node.subscribe("a");
  node.subscribe("b");
  node.ready(1);
  ASSERT_EQ(node.said.size(), 1u);
  EXPECT_EQ(node.said[0].subscribed, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(node.said[0].graft.empty());
  EXPECT_EQ(node.said[0].priority, Priority::control);
  node.hear(1, subscription_rpc({{true, "a"}}));
  ASSERT_EQ(node.said.size(), 2u);
  EXPECT_EQ(node.said[1].graft, (std::vector<std::string>{"a"}));
}

TEST(Router, says_nothing_to_a_peer_when_there_is_nothing_to_say) {
  Harness node;
  node.ready(1);
  EXPECT_TRUE(node.said.empty());
}

TEST(Router, subscribing_is_told_to_all_and_grafts_up_to_degree) {
  Harness node;
  for (std::uint32_t i = 1; i <= 9; ++i) node.ready(i, {"a"});
  node.ready(10, {"other"});
  const TopicIndex topic = node.subscribe("a");
  EXPECT_EQ(node.said.size(), 10u) << "one RPC a peer";
  for (const Said& rpc : node.said) EXPECT_EQ(rpc.subscribed, (std::vector<std::string>{"a"}));
  EXPECT_EQ(node.grafted().size(), 6u);
  EXPECT_EQ(node.router.mesh(topic), node.grafted());
  EXPECT_EQ(node.router.subscribers("a").size(), 9u);
  ASSERT_EQ(node.router.topics().size(), 1u);
  EXPECT_EQ(node.router.topics()[0].name, "a");
  EXPECT_EQ(node.router.name(topic), "a");
}

TEST(Router, unsubscribing_is_told_to_all_and_prunes_the_mesh_for_ten_seconds) {
  Harness node;
  node.ready(1, {"a"});
  node.ready(2);
  const TopicIndex topic = node.subscribe("a");
  node.take_said();
  node.unsubscribe(topic);
  ASSERT_EQ(node.said.size(), 2u);
  for (const Said& rpc : node.said) EXPECT_EQ(rpc.unsubscribed, (std::vector<std::string>{"a"}));
  EXPECT_EQ(node.pruned(), (std::vector{Harness::slot(1)}));
  EXPECT_EQ(node.backoff_told(1), 10u);
  EXPECT_TRUE(node.router.topics().empty());
  node.take_said();
  // Back at once: not into the mesh before the backoff and its slack are over.
  node.subscribe("a");
  EXPECT_TRUE(node.grafted().empty());
  node.advance(10s);
  EXPECT_TRUE(node.grafted().empty());
  node.advance(4s);
  EXPECT_EQ(node.grafted(), (std::vector{Harness::slot(1)}));
}

TEST(Router, second_subscription_to_a_topic_is_refused) {
  Harness node;
  node.subscribe("a");
  EXPECT_EQ(node.router.subscribe(node.now, "a", false, node.out).error().code, Errc::in_use);
  EXPECT_EQ(node.router.subscribe(node.now, "", false, node.out).error().code, Errc::malformed);
  EXPECT_EQ(node.router.subscribe(node.now, std::string(257, 't'), false, node.out).error().code,
            Errc::malformed);
}

TEST(Router, hundred_topics_are_ours_and_fit_one_hello) {
  Harness node;
  for (int i = 0; i < 100; ++i) node.subscribe(std::string(250, 'x') + std::to_string(i));
  EXPECT_EQ(node.router.subscribe(node.now, "one more", false, node.out).error().code,
            Errc::exhausted);
  node.ready(1);
  ASSERT_EQ(node.said.size(), 1u);
  EXPECT_EQ(node.said[0].subscribed.size(), 100u);
  EXPECT_LE(node.said[0].bytes.size(), 64u << 10);
}

TEST(Router, floodsub_peer_gets_messages_and_no_control) {
  Harness node;
  const TopicIndex topic = node.subscribe("a");
  node.ready(1, {"a"}, false, PeerKind::floodsub);
  node.ready(2, {"a"});
  node.beat();
  EXPECT_EQ(node.grafted(), (std::vector{Harness::slot(2)}));
  EXPECT_EQ(node.router.mesh(topic), (std::vector{Harness::slot(2)}));
  node.hear_message(2, 9, "a", "news");
  EXPECT_EQ(node.told_message("news"), (std::vector{Harness::slot(1)}));
  node.hear(1, graft_rpc("a"));
  EXPECT_EQ(node.router.mesh(topic), (std::vector{Harness::slot(2)})) << "and it cannot graft";
}

TEST(Router, own_small_message_floods_to_all_subscribers) {
  Harness node;
  for (std::uint32_t i = 1; i <= 20; ++i) node.ready(i, {"a"});
  node.ready(21, {"b"});
  node.publish("a", "from outside");
  EXPECT_EQ(node.told_message("from outside").size(), 20u);
  node.subscribe("a");
  node.publish("a", "from inside");
  EXPECT_EQ(node.told_message("from inside").size(), 20u);
  EXPECT_TRUE(node.delivered.empty()) << "not to ourselves";
}

TEST(Router, own_large_message_goes_to_the_mesh_only) {
  Harness node;
  for (std::uint32_t i = 1; i <= 20; ++i) node.ready(i, {"a"});
  const TopicIndex topic = node.subscribe("a");
  const std::string large(40'000, 'x');
  node.publish("a", large);
  EXPECT_EQ(node.told_message(large), node.router.mesh(topic));
}

TEST(Router, own_large_message_outside_of_our_topics_goes_to_a_lasting_fanout) {
  Harness node;
  for (std::uint32_t i = 1; i <= 20; ++i) node.ready(i, {"a"});
  const std::string first(40'000, '1');
  const std::string second(40'000, '2');
  node.publish("a", first);
  node.advance(30s);
  node.publish("a", second);
  const std::vector<PeerSlot> fanout = node.told_message(first);
  EXPECT_EQ(fanout.size(), 6u);
  EXPECT_EQ(node.told_message(second), fanout);
  // A member that leaves is replaced.
  node.gone(fanout[0].index);
  const std::string third(40'000, '3');
  node.publish("a", third);
  EXPECT_EQ(node.told_message(third).size(), 6u);
  // Subscribing takes the fanout into the mesh.
  const std::vector<PeerSlot> now = node.told_message(third);
  EXPECT_EQ(node.router.mesh(node.subscribe("a")), now);
}

TEST(Router, fanout_ends_a_minute_after_the_last_message) {
  Harness node;
  for (std::uint32_t i = 1; i <= 30; ++i) node.ready(i, {"a"});
  const std::string first(40'000, '1');
  const std::string second(40'000, '2');
  node.publish("a", first);
  node.advance(62s);
  node.publish("a", second);
  EXPECT_NE(node.told_message(second), node.told_message(first));
}

TEST(Router, message_published_before_anybody_subscribed_is_offered_to_who_comes) {
  Harness node;
  node.ready(1);
  const Bytes id = node.publish("a", "early");
  node.hear(1, subscription_rpc({{true, "a"}}));
  node.beat();
  EXPECT_EQ(node.offered(), (std::vector{Harness::slot(1)}));
  node.hear(1, iwant_rpc({id}));
  EXPECT_EQ(node.told_message("early"), (std::vector{Harness::slot(1)}));
}

TEST(Router, own_message_comes_back_to_us_only_with_loopback) {
  Harness node;
  node.ready(1, {"a", "b"});
  node.subscribe("a", true);
  node.subscribe("b", false);
  node.publish("a", "to a");
  node.publish("b", "to b");
  EXPECT_EQ(node.delivered, (std::vector<std::string>{"to a"}));
}

TEST(Router, peer_may_have_a_hundred_topics) {
  Harness node;
  node.ready(1);
  std::vector<std::string> names;
  for (int i = 0; i < 150; ++i) names.push_back("t" + std::to_string(i));
  std::vector<libp2p::GossipSubscription> entries;
  for (const std::string& name : names) entries.push_back({true, name});
  node.hear(1, subscription_rpc(entries));
  EXPECT_EQ(node.router.counters().subscriptions_refused, 50u);
  EXPECT_EQ(node.router.subscribers("t99").size(), 1u);
  EXPECT_TRUE(node.router.subscribers("t100").empty());
  node.hear(1, subscription_rpc({{false, "t0"}, {true, "t100"}}));
  EXPECT_EQ(node.router.subscribers("t100").size(), 1u) << "leaving one makes room";
}

TEST(Router, peer_that_goes_is_forgotten_everywhere) {
  Harness node;
  node.ready(1, {"a", "b"});
  const TopicIndex topic = node.subscribe("a");
  EXPECT_EQ(node.router.mesh(topic).size(), 1u);
  node.gone(1);
  EXPECT_TRUE(node.router.mesh(topic).empty());
  EXPECT_TRUE(node.router.subscribers("a").empty() && node.router.subscribers("b").empty());
  node.hear(1, graft_rpc("a"));
  EXPECT_EQ(node.router.counters().rpc_unknown_peer, 1u);
}

TEST(Router, rests_when_there_is_nobody_and_nothing_to_age) {
  Harness node;
  EXPECT_EQ(node.router.next_deadline(), kNever);
  node.subscribe("a");
  EXPECT_EQ(node.router.next_deadline(), kNever);
  node.ready(1);
  EXPECT_LE(node.router.next_deadline(), node.now.mono + 1s);
  node.publish("a", "x");
  node.gone(1);
  node.advance(20s);
  EXPECT_EQ(node.router.next_deadline(), kNever);
}

TEST(Router, full_stream_takes_the_peer_out_of_the_meshes_until_it_reads_again) {
  Harness node;
  node.ready(1, {"a", "gone"});
  const TopicIndex topic = node.subscribe("a");
  const TopicIndex left = node.subscribe("gone");
  node.take_said();
  node.router.on_send_refused(node.now, Harness::slot(1));
  EXPECT_TRUE(node.router.mesh(topic).empty());
  node.unsubscribe(left);
  node.subscribe("new");
  node.publish("a", "missed");
  node.advance(3s);
  EXPECT_TRUE(node.said.empty()) << "nothing is sent into a full stream";
  node.router.on_writable(node.now, Harness::slot(1), node.out);
  node.carry_out();
  ASSERT_EQ(node.said.size(), 1u);
  EXPECT_EQ(node.said[0].subscribed, (std::vector<std::string>{"a", "new"}));
  EXPECT_EQ(node.said[0].unsubscribed, (std::vector<std::string>{"gone"}));
  EXPECT_EQ(node.said[0].prune, (std::vector<std::pair<std::string, std::uint64_t>>{{"a", 10}}));
  node.advance(14s);
  EXPECT_EQ(node.router.mesh(topic).size(), 1u);
}

TEST(Router, lost_stream_is_followed_by_a_hello_and_a_new_mesh) {
  Harness node;
  node.ready(1, {"a"});
  const TopicIndex topic = node.subscribe("a");
  node.take_said();
  node.router.on_stream_lost(node.now, Harness::slot(1), node.out);
  node.carry_out();
  ASSERT_EQ(node.said.size(), 1u);
  EXPECT_EQ(node.said[0].subscribed, (std::vector<std::string>{"a"}));
  EXPECT_TRUE(node.router.mesh(topic).empty());
  node.beat();
  EXPECT_EQ(node.grafted(), (std::vector{Harness::slot(1)}));
}

}  // namespace
}  // namespace kith::gossip
