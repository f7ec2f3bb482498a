// What happens to a message of others.
#include <gtest/gtest.h>

#include "tests/gossip/harness.hpp"

namespace kith::gossip {
namespace {

// Three peers in the mesh of "a".
struct Messages : ::testing::Test {
  Harness node;
  TopicIndex topic;
  Messages() {
    topic = node.subscribe("a");
    for (std::uint32_t i = 1; i <= 3; ++i) node.ready(i, {"a"});
    EXPECT_EQ(node.router.mesh(topic).size(), 3u);
    node.take_said();
  }
  static PeerSlot slot(std::uint32_t number) { return Harness::slot(number); }
  const Counters& counters() const { return node.router.counters(); }
};

TEST_F(Messages, accepted_one_is_delivered_once_and_goes_to_the_rest_of_the_mesh) {
  const Message message = node.make(9, "a", "news");
  node.hear(1, message.rpc);
  EXPECT_EQ(node.delivered, (std::vector<std::string>{"news"}));
  EXPECT_EQ(node.told_message("news"), (std::vector{slot(2), slot(3)}));
  for (const Said& rpc : node.said) EXPECT_EQ(rpc.bytes, message.rpc) << "byte for byte";
  node.hear(2, message.rpc);
  node.hear(1, message.rpc);
  EXPECT_EQ(node.delivered.size(), 1u);
  EXPECT_EQ(node.said.size(), 2u);
  EXPECT_EQ(counters().duplicates, 2u);
  EXPECT_EQ(node.verified, 1u) << "a copy costs no signature";
}

TEST_F(Messages, copies_to_all_peers_share_one_buffer) {
  node.hear_message(1, 9, "a", "news");
  ASSERT_EQ(node.said.size(), 2u);
  EXPECT_EQ(node.said[0].bytes.data(), node.said[1].bytes.data());
}

TEST_F(Messages, author_does_not_get_its_own_message_back) {
  node.hear_message(1, 2, "a", "of peer 2");
  EXPECT_EQ(node.told_message("of peer 2"), (std::vector{slot(3)}));
}

TEST_F(Messages, forged_one_reaches_nobody_and_does_not_suppress_the_true_one) {
  Message message = node.make(9, "a", "true");
  std::vector<std::uint8_t> forged = message.rpc.to_vector();
  forged[forged.size() - 1] ^= 1;  // the signature's last byte
  node.hear(1, Bytes::copy(forged));
  EXPECT_TRUE(node.delivered.empty() && node.said.empty());
  EXPECT_EQ(counters().bad_signature, 1u);
  node.hear(2, message.rpc);
  EXPECT_EQ(node.delivered, (std::vector<std::string>{"true"}));
}

TEST_F(Messages, forgery_under_verification_does_not_hold_up_the_true_one) {
  node.verify_at_once = false;
  const Message message = node.make(9, "a", "true");
  std::vector<std::uint8_t> forged = message.rpc.to_vector();
  forged[forged.size() - 1] ^= 1;
  node.hear(1, Bytes::copy(forged));
  node.hear(2, message.rpc);
  ASSERT_EQ(node.verifies.size(), 2u);
  node.answer(node.verifies[1]);
  node.answer(node.verifies[0]);
  node.carry_out();
  EXPECT_EQ(node.delivered, (std::vector<std::string>{"true"}));
}

TEST_F(Messages, same_bytes_under_verification_are_checked_once) {
  node.verify_at_once = false;
  const Message message = node.make(9, "a", "news");
  node.hear(1, message.rpc);
  node.hear(2, message.rpc);
  ASSERT_EQ(node.verifies.size(), 1u);
  node.answer(node.verifies[0]);
  node.carry_out();
  EXPECT_EQ(node.told_message("news"), (std::vector{slot(3)})) << "peer 2 has it";
}

// The key may be there or not: two encodings of one message, both with a good signature.
TEST_F(Messages, two_encodings_of_one_message_are_delivered_once) {
  node.verify_at_once = false;
  const Message message = node.make(9, "a", "news");
  libp2p::GossipRpc rpc;
  ASSERT_TRUE(libp2p::decode_gossip_rpc(message.rpc, rpc));
  libp2p::GossipMessageFields fields = *libp2p::decode_gossip_message(rpc.publish[0]);
  const crypto::Identity author = identity_of(9);
  fields.key = author.public_key().encoded().view();
  node.hear(1, message.rpc);
  node.hear(2, libp2p::encode_gossip_publish(fields));
  ASSERT_EQ(node.verifies.size(), 2u);
  for (const Verify& check : node.verifies) node.answer(check);
  node.carry_out();
  EXPECT_EQ(node.delivered.size(), 1u);
  EXPECT_EQ(counters().duplicates, 1u);
}

TEST_F(Messages, nobody_gets_it_before_the_judge_accepted) {
  JudgeSlot waiting;
  node.judge = [&](JudgeSlot slot, const Message&) {
    waiting = slot;
    return Verdict::pending;
  };
  const Bytes id = node.hear_message(1, 9, "a", "news");
  node.advance(30s);
  EXPECT_TRUE(node.delivered.empty());
  EXPECT_TRUE(node.told_message("news").empty());
  node.take_said();
  node.hear(3, iwant_rpc({id}));
  EXPECT_TRUE(node.said.empty()) << "not by IWANT either";
  EXPECT_TRUE(node.offered().empty());
  node.settle(waiting, Verdict::accept);
  EXPECT_EQ(node.delivered, (std::vector<std::string>{"news"}));
  EXPECT_EQ(node.told_message("news"), (std::vector{slot(2), slot(3)}));
  node.settle(waiting, Verdict::accept);
  EXPECT_EQ(node.delivered.size(), 1u) << "settling twice does nothing";
}

TEST_F(Messages, peer_that_sends_it_while_it_is_judged_gets_no_copy) {
  JudgeSlot waiting;
  node.judge = [&](JudgeSlot slot, const Message&) {
    waiting = slot;
    return Verdict::pending;
  };
  const Message message = node.make(9, "a", "news");
  node.hear(1, message.rpc);
  node.hear(2, message.rpc);
  node.settle(waiting, Verdict::accept);
  EXPECT_EQ(node.told_message("news"), (std::vector{slot(3)}));
}

TEST_F(Messages, ignored_and_rejected_ones_go_nowhere_and_do_not_come_again) {
  for (const Verdict verdict : {Verdict::ignore, Verdict::reject}) {
    node.judge = [&](JudgeSlot, const Message&) { return verdict; };
    const Message message = node.make(9, "a", "bad");
    node.hear(1, message.rpc);
    node.judge = nullptr;
    node.hear(2, message.rpc);
    EXPECT_TRUE(node.delivered.empty() && node.said.empty());
  }
  EXPECT_EQ(counters().ignored, 1u);
  EXPECT_EQ(counters().rejected, 1u);
  EXPECT_EQ(counters().duplicates, 2u);
}

TEST_F(Messages, judge_that_never_answers_has_a_minute) {
  JudgeSlot waiting;
  node.judge = [&](JudgeSlot slot, const Message&) {
    waiting = slot;
    return Verdict::pending;
  };
  node.hear_message(1, 9, "a", "news");
  node.advance(59s);
  EXPECT_NE(node.router.waiting(waiting), nullptr);
  node.advance(3s);
  EXPECT_EQ(node.router.waiting(waiting), nullptr);
  EXPECT_EQ(counters().judge_timeout, 1u);
  node.settle(waiting, Verdict::accept);
  EXPECT_TRUE(node.delivered.empty()) << "a late verdict is nothing";
}

TEST_F(Messages, judged_after_we_left_the_topic_is_dropped) {
  JudgeSlot waiting;
  node.judge = [&](JudgeSlot slot, const Message&) {
    waiting = slot;
    return Verdict::pending;
  };
  node.hear_message(1, 9, "a", "news");
  node.unsubscribe(topic);
  node.settle(waiting, Verdict::accept);
  EXPECT_TRUE(node.delivered.empty());
  EXPECT_TRUE(node.told_message("news").empty());
}

TEST_F(Messages, pending_ones_of_a_topic_are_bounded) {
  node.judge = [](JudgeSlot, const Message&) { return Verdict::pending; };
  for (std::size_t i = 0; i < kPendingPerTopicMax + 3; ++i)
    node.hear_message(1, 9, "a", "m" + std::to_string(i));
  EXPECT_EQ(counters().pending_full, 3u);
  node.judge = nullptr;
  node.hear_message(1, 9, "a", "next");
  EXPECT_EQ(node.delivered, (std::vector<std::string>{"next"})) << "others still get through";
}

TEST_F(Messages, bytes_that_wait_are_bounded_over_all_peers) {
  node.judge = [](JudgeSlot, const Message&) { return Verdict::pending; };
  node.subscribe("b");
  std::size_t sent = 0;
  std::size_t size = 0;
  for (const std::string_view name : {"a", "b"}) {
    for (std::size_t i = 0; i < kPendingPerTopicMax; ++i, ++sent) {
      const Message message = node.make(9, name, std::string(60'000, 'x'));
      size = message.rpc.size();
      node.hear(1, message.rpc);
    }
  }
  EXPECT_EQ(counters().queue_full, sent - kQueueBytesMax / size);
}

TEST_F(Messages, queue_of_a_peer_is_bounded_and_what_fell_out_may_come_again) {
  node.verify_at_once = false;
  std::vector<Message> messages;
  for (std::size_t i = 0; i < kVerifyingPerPeerMax + 1; ++i)
    messages.push_back(node.make(9, "a", "m" + std::to_string(i)));
  for (const Message& message : messages) node.hear(1, message.rpc);
  EXPECT_EQ(counters().queue_full, 1u);
  node.hear(2, node.make(9, "a", "of peer 2").rpc);
  EXPECT_EQ(node.verifies.size(), kVerifyingPerPeerMax + 1) << "another peer has its own queue";
  for (const Verify& check : node.verifies) node.answer(check);
  node.carry_out();
  node.verify_at_once = true;
  node.hear(2, messages.back().rpc);
  EXPECT_EQ(node.delivered.size(), kVerifyingPerPeerMax + 2);
}

TEST_F(Messages, of_topics_that_are_not_ours_cost_nothing) {
  node.hear_message(1, 9, "b", "x");
  EXPECT_EQ(counters().unknown_topic, 1u);
  EXPECT_EQ(node.verified, 0u);
}

TEST_F(Messages, of_ours_from_others_are_ignored) {
  const Message own = make_message(node.self, 77, "a", Bytes::copy("mine"));
  node.hear(1, own.rpc);
  EXPECT_EQ(counters().echoes, 1u);
  EXPECT_TRUE(node.delivered.empty());
  EXPECT_EQ(node.verified, 0u);
}

TEST_F(Messages, larger_than_our_bound_are_refused_without_blame) {
  libp2p::GossipRpc rpc;
  const Message message = node.make(9, "a", std::string(kGossipDataMax + 1, 'x'));
  for (int i = 0; i < 10; ++i) node.hear(1, message.rpc);
  EXPECT_EQ(counters().oversized, 10u);
  EXPECT_EQ(counters().peers_ignored, 0u);
  EXPECT_EQ(node.verified, 0u);
}

Bytes forged_rpc(Harness& node, int number) {
  std::vector<std::uint8_t> bytes = node.make(9, "a", "f" + std::to_string(number)).rpc.to_vector();
  bytes[bytes.size() - 1] ^= 1;
  return Bytes::adopt(std::move(bytes));
}

TEST_F(Messages, three_bad_signatures_and_the_peer_is_not_listened_to_for_a_while) {
  for (int i = 0; i < 10; ++i) node.hear(1, forged_rpc(node, i));
  EXPECT_EQ(node.verified, 3u);
  EXPECT_EQ(counters().rpc_ignored_peer, 7u);
  EXPECT_EQ(node.router.mesh(topic), (std::vector{slot(2), slot(3)}));
  EXPECT_EQ(node.pruned(), (std::vector{slot(1)}));
  node.take_said();
  node.hear_message(2, 9, "a", "news");
  node.publish("a", "own");
  EXPECT_EQ(node.told_message("news"), (std::vector{slot(3)}));
  EXPECT_EQ(node.told_message("own"), (std::vector{slot(2), slot(3)}));
  node.advance(kIgnoreTime - 1s);
  node.hear_message(1, 9, "a", "too early");
  node.advance(1s);
  node.hear_message(1, 9, "a", "listened to again");
  EXPECT_EQ(node.delivered, (std::vector<std::string>{"news", "listened to again"}));
}

TEST_F(Messages, flood_of_forgeries_in_one_rpc_costs_three_signatures) {
  std::vector<std::uint8_t> flood;
  for (int i = 0; i < 60; ++i) {
    const Bytes one = forged_rpc(node, i);
    flood.insert(flood.end(), one.begin(), one.end());
  }
  node.hear(1, Bytes::adopt(std::move(flood)));
  EXPECT_EQ(node.verified, 3u);
  EXPECT_EQ(counters().bad_signature, 3u);
}

TEST_F(Messages, new_connection_does_not_wash_blame_off) {
  for (int i = 0; i < 3; ++i) node.hear(1, forged_rpc(node, i));
  node.gone(1);
  node.ready(1, {"a"});
  node.hear_message(1, 9, "a", "again");
  EXPECT_TRUE(node.delivered.empty());
  EXPECT_EQ(node.router.mesh(topic), (std::vector{slot(2), slot(3)}));
}

TEST_F(Messages, bad_signatures_far_apart_are_forgiven) {
  for (int i = 0; i < 6; ++i) {
    node.hear(1, forged_rpc(node, i));
    node.advance(kBlameWindow / 2 + 1s);
  }
  EXPECT_EQ(counters().peers_ignored, 0u);
}

TEST_F(Messages, sender_of_rejected_messages_is_ignored_after_a_dozen) {
  node.judge = [](JudgeSlot, const Message&) { return Verdict::reject; };
  for (int i = 0; i < 11; ++i) node.hear_message(1, 9, "a", "r" + std::to_string(i));
  EXPECT_EQ(counters().peers_ignored, 0u);
  node.hear_message(1, 9, "a", "r11");
  EXPECT_EQ(counters().peers_ignored, 1u);
}

TEST_F(Messages, malformed_messages_and_rpcs_are_blamed) {
  const Message message = node.make(9, "a", "x");
  libp2p::GossipRpc rpc;
  ASSERT_TRUE(libp2p::decode_gossip_rpc(message.rpc, rpc));
  libp2p::GossipMessageFields fields = *libp2p::decode_gossip_message(rpc.publish[0]);
  fields.signature.reset();
  node.hear(1, libp2p::encode_gossip_publish(fields));
  EXPECT_EQ(counters().malformed, 1u);
  node.hear(1, Bytes::copy("\x0a\x09garbage"));
  EXPECT_EQ(counters().rpc_malformed, 1u);
  node.hear(1, message.rpc.slice(0, message.rpc.size() - 1));
  EXPECT_EQ(counters().peers_ignored, 1u);
  EXPECT_EQ(node.verified, 0u);
}

}  // namespace
}  // namespace kith::gossip
