#include "gossip/outlines.hpp"

#include <gtest/gtest.h>

#include "tests/gossip/harness.hpp"

namespace kith::gossip {
namespace {

Bytes rpc_of(std::uint64_t seqno) {
  return make_message(identity_of(1), seqno, "topic", Bytes::copy("data")).rpc;
}

const MessageOutline* message_of(const Outline* outline) {
  return outline == nullptr ? nullptr : std::get_if<MessageOutline>(&outline->what);
}

Bytes offer_of(const std::vector<Bytes>& ids) {
  libp2p::GossipControlOut control;
  control.ihave = {{"topic", {}}};
  for (const Bytes& id : ids) control.ihave.back().ids.push_back(id.view());
  return libp2p::encode_gossip_control(control);
}

struct OutlinesTest : ::testing::Test {
  Outlines outlines{Rng(1), crypto::direct_signatures()};
};

TEST_F(OutlinesTest, one_buffer_is_read_once_and_its_parts_are_shared) {
  const Bytes rpc = rpc_of(1);
  const MessageOutline* first = message_of(outlines.find(rpc));
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->message.rpc.data(), rpc.data());
  EXPECT_EQ(first->message.data.text(), "data");
  EXPECT_EQ(first->message.from, identity_of(1).id());
  EXPECT_EQ(first->message.key, outlines.hash()(first->message.id));
  EXPECT_EQ(first->message.author, outlines.hash()(identity_of(1).id().bytes()));
  EXPECT_EQ(first->topic, outlines.hash()(as_bytes("topic")));
  EXPECT_TRUE(first->valid);
  const std::uint8_t* id = first->message.id.data();
  const Bytes same = rpc;
  EXPECT_EQ(message_of(outlines.find(same))->message.id.data(), id);
}

TEST_F(OutlinesTest, a_forgery_is_known_as_one) {
  std::vector<std::uint8_t> forged = rpc_of(1).to_vector();
  forged.back() ^= 1;  // of the signature
  const MessageOutline* found = message_of(outlines.find(Bytes::adopt(std::move(forged))));
  ASSERT_NE(found, nullptr);
  EXPECT_FALSE(found->valid);
}

TEST_F(OutlinesTest, an_offer_is_known_by_the_keys_of_its_ids) {
  const std::vector<Bytes> ids{Bytes::copy("a"), Bytes::copy("bc"), Bytes::copy("d")};
  const Bytes rpc = offer_of(ids);
  const Outline* found = outlines.find(rpc);
  ASSERT_NE(found, nullptr);
  const auto* offer = std::get_if<OfferOutline>(&found->what);
  ASSERT_NE(offer, nullptr);
  EXPECT_EQ(offer->offer.topic, "topic");
  EXPECT_EQ(offer->offer.ids.count(), 3u);
  std::vector<std::uint64_t> keys;
  for (const Bytes& id : ids) keys.push_back(outlines.hash()(id));
  EXPECT_EQ(offer->keys, keys);
  EXPECT_EQ(outlines.find(rpc), found);
}

// What the router looks at one by one.
TEST_F(OutlinesTest, offers_with_other_ids_or_of_several_topics_have_none) {
  EXPECT_EQ(outlines.find(offer_of({Bytes::copy("a"), Bytes{}})), nullptr);
  EXPECT_EQ(outlines.find(offer_of({Bytes::copy(std::string(kMessageIdBytesMax + 1, 'x'))})),
            nullptr);
  libp2p::GossipControlOut two;
  const Bytes id = Bytes::copy("a");
  two.ihave = {{"topic", {id.view()}}, {"other", {id.view()}}};
  EXPECT_EQ(outlines.find(libp2p::encode_gossip_control(two)), nullptr);
  two.ihave.pop_back();
  two.graft = {"topic"};
  EXPECT_EQ(outlines.find(libp2p::encode_gossip_control(two)), nullptr);
}

TEST_F(OutlinesTest, of_many_buffers_each_is_answered_with_its_own_message) {
  std::vector<Bytes> rpcs;
  for (std::uint64_t i = 0; i < 2 * kOutlinesMax; ++i) rpcs.push_back(rpc_of(i));
  for (int round = 0; round < 2; ++round)
    for (std::uint64_t i = 0; i < rpcs.size(); ++i) {
      const MessageOutline* found = message_of(outlines.find(rpcs[i]));
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(found->message.id.slice(38)[7], i & 0xFF);
      ASSERT_EQ(found->message.rpc, rpcs[i]);
    }
}

// The place of a buffer that is gone is used again by the next one of its size.
TEST_F(OutlinesTest, a_buffer_that_comes_in_anothers_place_is_not_taken_for_it) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Bytes rpc = rpc_of(i);
    const MessageOutline* found = message_of(outlines.find(rpc));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->message.rpc, rpc);
  }
}

TEST_F(OutlinesTest, other_control_malformed_messages_and_several_in_one_rpc_have_none) {
  libp2p::GossipControlOut control;
  control.graft = {"topic"};
  EXPECT_EQ(outlines.find(libp2p::encode_gossip_control(control)), nullptr);
  EXPECT_EQ(outlines.find(Bytes{}), nullptr);
  EXPECT_EQ(outlines.find(libp2p::encode_gossip_publish(as_bytes("rubbish"))), nullptr);
  std::vector<std::uint8_t> two = rpc_of(1).to_vector();
  const std::vector<std::uint8_t> second = rpc_of(2).to_vector();
  two.insert(two.end(), second.begin(), second.end());
  EXPECT_EQ(outlines.find(Bytes::adopt(std::move(two))), nullptr);
}

// A router beside one that knows outlines: what both are told, in shared buffers or not, they treat
// alike. (Whom they draw differs: the secret is one of the other's draws. So all are drawn here.)
TEST(OutlinesOfARouter, change_nothing_of_what_it_says_and_counts) {
  Rng rng(7);
  Harness with({}, 1, std::make_shared<Outlines>(Rng(2), crypto::direct_signatures()));
  Harness without({}, 1);
  Harness* const both[] = {&with, &without};
  for (Harness* one : both) {
    one->subscribe("a");
    for (std::uint32_t peer = 1; peer <= 5; ++peer) one->ready(peer, {"a"});
    one->ready(6, {"a"}, false, PeerKind::floodsub);
    one->ready(7, {"b"});
    one->judge = [](JudgeSlot, const Message& message) {
      return message.data.text().ends_with("0")   ? Verdict::reject
             : message.data.text().ends_with("1") ? Verdict::ignore
                                                  : Verdict::accept;
    };
  }
  std::vector<Bytes> rpcs, ids;
  const auto message = [&](std::uint64_t author, std::string_view topic) {
    const std::string data = "message " + std::to_string(rpcs.size());
    const Message made =
        make_message(identity_of(author), 100 + rpcs.size(), topic, Bytes::copy(data));
    ids.push_back(made.id);
    return made.rpc;
  };
  const auto forged = [&] {
    std::vector<std::uint8_t> bytes = message(12, "a").to_vector();
    bytes.back() ^= 1;
    return Bytes::adopt(std::move(bytes));
  };
  const auto offer = [&] {
    std::vector<Bytes> some{Bytes::copy("unknown " + std::to_string(rng.below(30)))};
    for (std::size_t i = 0; i < 5 && !ids.empty(); ++i)
      some.push_back(ids[static_cast<std::size_t>(rng.below(ids.size()))]);
    return ihave_rpc(rng.chance(100'000) ? "b" : "a", some);
  };
  for (int step = 0; step < 2000; ++step) {
    if (rpcs.empty() || rng.chance(600'000)) {
      switch (rng.below(8)) {
        case 0:
          rpcs.push_back(message(0, "a"));
          break;  // our own, from others
        case 1:
          rpcs.push_back(message(10, "c"));
          break;
        case 2:
          rpcs.push_back(rng.chance(300'000) ? forged() : message(13, "a"));
          break;
        case 3:
        case 4:
          rpcs.push_back(offer());
          break;
        default:
          rpcs.push_back(message(10 + rng.below(3), "a"));
          break;
      }
    }
    const Bytes& rpc =
        rng.chance(500'000) ? rpcs.back() : rpcs[static_cast<std::size_t>(rng.below(rpcs.size()))];
    const auto peer = static_cast<std::uint32_t>(1 + rng.below(8));  // one of them unknown
    for (Harness* one : both) one->hear(peer, rpc);
    if (step % 400 == 0)
      for (Harness* one : both)
        for (std::size_t i = 0; i <= kIHavesPerHeartbeatMax; ++i)
          one->hear(7, ihave_rpc("a", {Bytes::copy("more")}));
    if (step % 50 == 0)
      for (Harness* one : both) one->advance(500ms);
  }
  EXPECT_EQ(with.delivered, without.delivered);
  EXPECT_GT(with.delivered.size(), 100u);
  ASSERT_EQ(with.said.size(), without.said.size());
  for (std::size_t i = 0; i < with.said.size(); ++i) {
    EXPECT_EQ(with.said[i].to, without.said[i].to) << i;
    EXPECT_EQ(with.said[i].bytes, without.said[i].bytes) << i;
  }
  const Counters& a = with.router.counters();
  EXPECT_EQ(std::memcmp(&a, &without.router.counters(), sizeof a), 0);
  EXPECT_GT(a.duplicates, 0u);
  EXPECT_GT(a.echoes, 0u);
  EXPECT_GT(a.unknown_topic, 0u);
  EXPECT_GT(a.bad_signature, 0u);
  EXPECT_GT(a.rejected, 0u);
  EXPECT_GT(a.iwant_ids_sent, 0u);
  EXPECT_GT(a.ihave_refused, 0u);
  EXPECT_GT(a.rpc_ignored_peer, 0u);
  EXPECT_EQ(with.verified, 0u);
}

}  // namespace
}  // namespace kith::gossip
