#include "gossip/attachment.hpp"

#include <gtest/gtest.h>

#include "services/store/memory_store.hpp"
#include "tests/gossip/fake_host.hpp"
#include "tests/gossip/harness.hpp"
#include "tests/support/manual_loop.hpp"

namespace kith::gossip {
namespace {

struct Handler final : TopicHandler {
  std::vector<std::string> heard;
  std::vector<PeerId> from;
  std::vector<host::PeerSlot> via;
  std::function<Verdict(JudgeSlot, const GossipMessage&)> judge;
  std::function<void()> on_hearing;

  Verdict on_judge(Now, TopicIndex, JudgeSlot slot, const GossipMessage& message) override {
    return judge ? judge(slot, message) : Verdict::accept;
  }
  void on_message(Now, TopicIndex, const GossipMessage& message) override {
    heard.emplace_back(message.data.text());
    from.push_back(message.from);
    via.push_back(message.via);
    EXPECT_EQ(message.id.slice(0, message.id.size() - 8), message.from.bytes());
    if (on_hearing) on_hearing();
  }
};

const std::vector<std::string> kGossipsub{"/meshsub/1.0.0", "/meshsub/1.1.0"};

struct AttachmentTest : ::testing::Test {
  test::ManualLoop loop;
  FakeHost host;
  NullLog log;
  crypto::Identity identity = identity_of(0);
  Handler handler;
  std::unique_ptr<Attachment> gossip;

  AttachmentTest() { make(nullptr); }
  void make(Store* store) {
    gossip = std::make_unique<Attachment>(RouterConfig{}, host, loop, identity, store, log, Rng(1));
  }
  host::PeerSlot peer(std::uint64_t number) {
    return host.come(loop.now(), identity_of(number).id(), kGossipsub);
  }
  // The peer's own stream, on which it subscribes to "a".
  host::StreamSlot stream_of(host::PeerSlot slot) {
    const host::StreamSlot stream = host.accept(loop.now(), slot);
    say(stream, subscription_rpc({{true, "a"}}));
    return stream;
  }
  void say(host::StreamSlot stream, Bytes rpc) {
    host.protocol->on_message(loop.now(), stream, std::move(rpc));
  }
  Bytes message_of(std::uint64_t author, std::string data) {
    return make_message(identity_of(author), ++seqno_, "a", Bytes::adopt(std::move(data))).rpc;
  }
  bool said(std::string_view text) const {
    for (const FakeHost::Sent& sent : host.sent)
      if (sent.message.text().find(text) != std::string_view::npos) return true;
    return false;
  }

 private:
  std::uint64_t seqno_ = 0;
};

TEST_F(AttachmentTest, serves_both_gossipsubs_and_floodsub) {
  EXPECT_EQ(host.spec.ids,
            (std::vector<std::string>{"/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0"}));
  EXPECT_TRUE(host.spec.serve);
  EXPECT_EQ(host.spec.message_bytes_max, 1u << 20);
}

TEST_F(AttachmentTest, opens_its_own_stream_with_the_hello_in_it) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::PeerSlot slot = peer(1);
  ASSERT_EQ(host.opened.size(), 1u);
  EXPECT_EQ(host.opened[0].second, slot);
  ASSERT_EQ(host.sent.size(), 1u);
  EXPECT_EQ(host.sent[0].message, subscription_rpc({{true, "a"}}));
}

TEST_F(AttachmentTest, opens_no_stream_while_it_has_nothing_to_say) {
  peer(1);
  EXPECT_TRUE(host.opened.empty());
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  EXPECT_EQ(host.opened.size(), 1u);
}

TEST_F(AttachmentTest, peer_that_does_not_gossip_is_left_alone) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::PeerSlot slot = host.come(loop.now(), identity_of(1).id(), {"/ipfs/ping/1.0.0"});
  EXPECT_TRUE(host.opened.empty());
  const host::StreamSlot stream = host.accept(loop.now(), slot);
  EXPECT_TRUE(host.reset_streams.contains(stream));
  host.change(loop.now(), slot, kGossipsub);
  EXPECT_EQ(host.opened.size(), 1u) << "until identify says that it does";
  host.change(loop.now(), slot, {"/ipfs/ping/1.0.0"});
  EXPECT_TRUE(host.reset_streams.contains(host.opened[0].first));
}

TEST_F(AttachmentTest, hears_on_their_stream_and_answers_on_its_own) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::PeerSlot slot = peer(1);
  const host::StreamSlot theirs = stream_of(slot);
  say(theirs, message_of(9, "news"));
  EXPECT_EQ(handler.heard, (std::vector<std::string>{"news"}));
  EXPECT_EQ(handler.from, (std::vector{identity_of(9).id()}));
  EXPECT_EQ(handler.via, (std::vector{slot}));
  EXPECT_EQ(host.opened.size(), 1u);
  for (const FakeHost::Sent& sent : host.sent) EXPECT_EQ(sent.stream, host.opened[0].first);
}

TEST_F(AttachmentTest, what_is_said_on_our_own_stream_is_not_listened_to) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  peer(1);
  say(host.opened[0].first, message_of(9, "wrong way"));
  EXPECT_TRUE(handler.heard.empty());
}

TEST_F(AttachmentTest, second_stream_of_theirs_replaces_the_first) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::PeerSlot slot = peer(1);
  const host::StreamSlot first = stream_of(slot);
  const host::StreamSlot second = host.accept(loop.now(), slot);
  EXPECT_TRUE(host.reset_streams.contains(first));
  say(first, message_of(9, "old"));
  say(second, message_of(9, "new"));
  EXPECT_EQ(handler.heard, (std::vector<std::string>{"new"}));
}

TEST_F(AttachmentTest, end_of_their_stream_is_answered_by_ours_of_it) {
  const host::PeerSlot slot = peer(1);
  const host::StreamSlot stream = host.accept(loop.now(), slot);
  host.protocol->on_end(loop.now(), stream);
  EXPECT_TRUE(host.closed_streams.contains(stream));
  host.protocol->on_closed(loop.now(), stream, nullptr);
  const host::StreamSlot next = stream_of(slot);
  EXPECT_FALSE(host.reset_streams.contains(stream)) << "it was over";
  EXPECT_EQ(gossip->subscribers("a").size(), 1u);
  (void)next;
}

// A peer that lost its power twice in a minute is back before its old connections are known dead.
TEST_F(AttachmentTest, stream_that_dies_is_opened_again_a_few_times_and_then_left_alone) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::PeerSlot slot = peer(1);
  stream_of(slot);
  const Error died = fail(Errc::closed, "reset");
  for (std::size_t i = 0; i < kReopensMax; ++i) {
    host.protocol->on_closed(loop.now(), host.opened[i].first, &died);
    ASSERT_EQ(host.opened.size(), i + 2);
    EXPECT_EQ(host.sent.back().message, subscription_rpc({{true, "a"}}));
  }
  host.protocol->on_closed(loop.now(), host.opened.back().first, &died);
  EXPECT_EQ(host.opened.size(), kReopensMax + 1);
  EXPECT_TRUE(gossip->subscribers("a").empty()) << "the peer is left alone";
}

TEST_F(AttachmentTest, streams_that_die_far_apart_are_each_opened_again) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  peer(1);
  const Error died = fail(Errc::closed, "reset");
  for (std::size_t i = 0; i < 5; ++i) {
    host.protocol->on_closed(loop.now(), host.opened.back().first, &died);
    EXPECT_EQ(host.opened.size(), i + 2);
    loop.advance(kReopenTime);
  }
}

TEST_F(AttachmentTest, full_stream_gets_nothing_until_it_is_writable) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::PeerSlot slot = peer(1);
  stream_of(slot);
  host.take_sent();
  host.protocol->on_send_refused(loop.now(), host.opened[0].first, 0);
  ASSERT_TRUE(gossip->publish("a", Bytes::copy("missed")));
  EXPECT_TRUE(host.sent.empty());
  host.protocol->on_writable(loop.now(), host.opened[0].first);
  ASSERT_TRUE(gossip->publish("a", Bytes::copy("arrives")));
  EXPECT_TRUE(said("arrives") && !said("missed"));
}

TEST_F(AttachmentTest, published_message_has_the_id_that_was_answered) {
  const host::PeerSlot slot = peer(1);
  stream_of(slot);
  const Result<Bytes> id = gossip->publish("a", Bytes::copy("mine"));
  ASSERT_TRUE(id);
  libp2p::GossipRpc rpc;
  ASSERT_TRUE(libp2p::decode_gossip_rpc(host.sent.back().message, rpc));
  const auto fields = libp2p::decode_gossip_message(rpc.publish.at(0));
  EXPECT_EQ(message_id(*fields->from, *fields->seqno), *id);
  EXPECT_TRUE(equal(*fields->from, identity.id().bytes()));
  const Result<Bytes> next = gossip->publish("a", Bytes::copy("mine"));
  EXPECT_LT(*id, *next) << "numbers only grow";
}

TEST_F(AttachmentTest, publishing_too_much_is_refused_with_a_reason) {
  EXPECT_EQ(gossip->publish("a", Bytes::copy(std::string(kGossipDataMax + 1, 'x'))).error().code,
            Errc::oversized);
  EXPECT_EQ(gossip->publish("", {}).error().code, Errc::malformed);
}

TEST_F(AttachmentTest, one_handler_a_topic) {
  Handler other;
  const auto index = gossip->subscribe("a", handler, false);
  ASSERT_TRUE(index);
  EXPECT_EQ(gossip->subscribe("a", other, false).error().code, Errc::in_use);
  gossip->unsubscribe(*index);
  EXPECT_TRUE(gossip->subscribe("a", other, false));
  ASSERT_EQ(gossip->topics().size(), 1u);
  EXPECT_EQ(gossip->topics()[0].name, "a");
}

TEST_F(AttachmentTest, handler_may_call_back_into_gossip) {
  TopicIndex index;
  handler.on_hearing = [&] {
    ASSERT_TRUE(gossip->publish("a", Bytes::copy("answer")));
    gossip->unsubscribe(index);
  };
  index = *gossip->subscribe("a", handler, true);
  const host::PeerSlot slot = peer(1);
  const host::StreamSlot stream = stream_of(slot);
  say(stream, message_of(9, "question"));
  EXPECT_EQ(handler.heard, (std::vector<std::string>{"question"}));
  EXPECT_TRUE(said("answer"));
  EXPECT_TRUE(gossip->topics().empty());
}

TEST_F(AttachmentTest, pending_message_waits_for_settle) {
  JudgeSlot waiting;
  handler.judge = [&](JudgeSlot slot, const GossipMessage&) {
    waiting = slot;
    return Verdict::pending;
  };
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::StreamSlot stream = stream_of(peer(1));
  say(stream, message_of(9, "news"));
  EXPECT_TRUE(handler.heard.empty());
  loop.advance(5s);
  gossip->settle(waiting, Verdict::accept);
  EXPECT_EQ(handler.heard, (std::vector<std::string>{"news"}));
}

TEST_F(AttachmentTest, heartbeat_comes_by_itself) {
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  const host::PeerSlot slot = peer(1);
  const host::StreamSlot stream = stream_of(slot);
  say(stream, prune_rpc("a", 5));
  EXPECT_TRUE(gossip->mesh(*gossip->subscribe("b", handler, false)).empty());
  host.take_sent();
  loop.advance(10s);
  EXPECT_TRUE(said("a")) << "grafted again after the backoff";
}

TEST_F(AttachmentTest, message_waits_until_its_number_is_durable) {
  auto disk = std::make_shared<store::MemoryDisk>(std::vector<std::string>{"gossip"});
  disk->faults.write_delay = 1s;
  store::MemoryStore store(disk, loop);
  make(&store);
  stream_of(peer(1));
  ASSERT_TRUE(gossip->publish("a", Bytes::copy("first")));
  EXPECT_FALSE(said("first"));
  loop.advance(2s);
  EXPECT_TRUE(said("first"));
  ASSERT_TRUE(gossip->publish("a", Bytes::copy("second")));
  EXPECT_TRUE(said("second"));
  gossip.reset();
}

TEST_F(AttachmentTest, disk_that_is_full_for_a_while_delays_messages_and_refuses_new_ones) {
  auto disk = std::make_shared<store::MemoryDisk>(std::vector<std::string>{"gossip"});
  disk->faults.bytes_max = 0;
  store::MemoryStore store(disk, loop);
  make(&store);
  ASSERT_TRUE(gossip->subscribe("a", handler, false));
  stream_of(peer(1));
  EXPECT_TRUE(gossip->publish("a", Bytes::copy("first")));
  loop.advance(10min);
  const auto refused = gossip->publish("a", Bytes::copy("second"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::disk_full);
  EXPECT_FALSE(said("first"));
  disk->faults.bytes_max = UINT64_MAX;
  loop.advance(kSeqnoRetryMax);
  EXPECT_TRUE(said("first"));
  EXPECT_TRUE(gossip->publish("a", Bytes::copy("third")));
  EXPECT_TRUE(said("third"));
  EXPECT_FALSE(said("second"));
  gossip.reset();
}

TEST_F(AttachmentTest, messages_that_wait_for_the_disk_are_bounded) {
  auto disk = std::make_shared<store::MemoryDisk>(std::vector<std::string>{"gossip"});
  disk->faults.write_delay = 1h;
  store::MemoryStore store(disk, loop);
  make(&store);
  for (std::size_t i = 0; i < kHeldMessagesMax; ++i)
    ASSERT_TRUE(gossip->publish("a", Bytes::copy("x")));
  EXPECT_EQ(gossip->publish("a", Bytes::copy("x")).error().code, Errc::exhausted);
  gossip.reset();
}

}  // namespace
}  // namespace kith::gossip
