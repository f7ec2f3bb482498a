#include "schema/libp2p/gossip_rpc.hpp"

#include <gtest/gtest.h>
#include <libp2p_oracle/rpc.pb.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/support/fixture.hpp"

namespace kith::libp2p {
namespace {

using Raw = std::vector<std::uint8_t>;

std::string hex(ByteView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::vector<std::string> ids_of(const GossipIds& ids, std::size_t max = SIZE_MAX) {
  std::vector<std::string> texts;
  ids.for_each(max, [&](ByteView id) { texts.push_back(hex(id)); });
  return texts;
}

Bytes wire(const pb::GossipRpc& rpc) { return Bytes::copy(rpc.SerializeAsString()); }

GossipRpc decoded(ByteView bytes) {
  GossipRpc rpc;
  const Result<void> read = decode_gossip_rpc(bytes, rpc);
  EXPECT_TRUE(read) << (read ? "" : read.error().what);
  return rpc;
}

Errc error_of(ByteView bytes) {
  GossipRpc rpc;
  const Result<void> read = decode_gossip_rpc(bytes, rpc);
  EXPECT_TRUE(rpc.publish.empty() && rpc.subscriptions.empty() && rpc.graft.empty());
  return read ? Errc::usage : read.error().code;
}

constexpr std::string_view kAuthor =
    "0024080112208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
constexpr std::string_view kSeqno = "18e9bf0f8d4e8001";

TEST(GossipRpc, reads_what_js_writes) {
  const Bytes bytes = fixture("js/gossip_all.bin");
  const GossipRpc rpc = decoded(bytes);
  ASSERT_EQ(rpc.subscriptions.size(), 2u);
  EXPECT_TRUE(rpc.subscriptions[0].subscribe);
  EXPECT_EQ(rpc.subscriptions[0].topic, "kith/fixtures");
  EXPECT_FALSE(rpc.subscriptions[1].subscribe);
  EXPECT_EQ(rpc.subscriptions[1].topic, "kith/left");
  ASSERT_EQ(rpc.ihave.size(), 1u);
  EXPECT_EQ(rpc.ihave[0].topic, "kith/fixtures");
  const std::string first = std::string(kAuthor) + std::string(kSeqno);
  const std::string second = std::string(kAuthor) + "18e9bf0f8d4e8002";
  EXPECT_EQ(ids_of(rpc.ihave[0].ids), (std::vector{first, second}));
  ASSERT_EQ(rpc.iwant.size(), 1u);
  EXPECT_EQ(ids_of(rpc.iwant[0]), (std::vector{second}));
  EXPECT_EQ(rpc.graft, (std::vector<std::string_view>{"kith/fixtures"}));
  ASSERT_EQ(rpc.prune.size(), 1u);
  EXPECT_EQ(rpc.prune[0].topic, "kith/left");
  EXPECT_EQ(rpc.prune[0].backoff, 60u);
  EXPECT_EQ(rpc.publish.size(), 1u);
  EXPECT_EQ(rpc.left_out, 0u);
}

TEST(GossipRpc, reads_a_message_of_js_and_writes_it_back_byte_for_byte) {
  const Bytes bytes = fixture("js/gossip_publish.bin");
  const GossipRpc rpc = decoded(bytes);
  ASSERT_EQ(rpc.publish.size(), 1u);
  const auto message = decode_gossip_message(rpc.publish[0]);
  ASSERT_TRUE(message);
  EXPECT_EQ(hex(*message->from), kAuthor);
  EXPECT_EQ(hex(*message->seqno), kSeqno);
  EXPECT_EQ(as_text(*message->data), "hello, mesh");
  EXPECT_EQ(*message->topic, "kith/fixtures");
  EXPECT_EQ(message->signature->size(), 64u);
  EXPECT_EQ(message->key->size(), 36u);
  EXPECT_EQ(encode_gossip_publish(*message), bytes);
  EXPECT_EQ(encode_gossip_publish(rpc.publish[0]), bytes);
}

TEST(GossipRpc, signature_covers_all_but_itself_and_the_key) {
  GossipMessageFields fields;
  fields.from = as_bytes("f");
  fields.data = ByteView{};
  fields.topic = "t";
  fields.signature = as_bytes("s");
  fields.key = as_bytes("k");
  EXPECT_EQ(gossip_signed_bytes(fields).text(),
            std::string("libp2p-pubsub:\x0a\x01") + "f" + std::string("\x12\x00\x22\x01t", 5))
      << "an empty field that is there is covered, an absent one (seqno) is not";
}

TEST(GossipRpc, control_that_we_write_is_read_by_protoc) {
  GossipControlOut out;
  out.subscriptions = {{true, "a"}, {false, "b"}};
  out.ihave = {{"a", {as_bytes("1"), as_bytes("2")}}, {"c", {as_bytes("3")}}};
  out.iwant = {as_bytes("4")};
  out.graft = {"a"};
  out.prune = {{"b", 60}, {"c", 0}};
  pb::GossipRpc rpc;
  const Bytes bytes = encode_gossip_control(out);
  ASSERT_TRUE(rpc.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  EXPECT_EQ(rpc.subscriptions(0).topic(), "a");
  EXPECT_TRUE(rpc.subscriptions(0).subscribe());
  EXPECT_TRUE(rpc.subscriptions(1).has_subscribe());
  EXPECT_FALSE(rpc.subscriptions(1).subscribe());
  EXPECT_EQ(rpc.control().ihave(0).message_ids(1), "2");
  EXPECT_EQ(rpc.control().ihave(1).topic(), "c");
  EXPECT_EQ(rpc.control().iwant(0).message_ids(0), "4");
  EXPECT_EQ(rpc.control().graft(0).topic(), "a");
  EXPECT_EQ(rpc.control().prune(0).backoff(), 60u);
  EXPECT_FALSE(rpc.control().prune(1).has_backoff());
  EXPECT_TRUE(encode_gossip_control({}).empty());
}

TEST(GossipRpc, two_control_parts_are_one) {
  pb::GossipRpc first;
  first.mutable_control()->add_graft()->set_topic("a");
  pb::GossipRpc second;
  second.mutable_control()->add_graft()->set_topic("b");
  const Bytes both = Bytes::copy(first.SerializeAsString() + second.SerializeAsString());
  EXPECT_EQ(decoded(both).graft, (std::vector<std::string_view>{"a", "b"}));
}

TEST(GossipRpc, what_later_versions_added_is_skipped) {
  const Bytes bytes = encode([](auto& to) {
    to.message(3, [](auto& control) {
      control.message(5, [](auto& idontwant) { idontwant.text(1, "id"); });
      control.message(3, [](auto& graft) { graft.text(1, "a"); });
    });
    to.message(10, [](auto& partial) { partial.text(1, "x"); });
  });
  EXPECT_EQ(decoded(bytes).graft, (std::vector<std::string_view>{"a"}));
}

TEST(GossipRpc, unknown_field_in_a_message_is_refused) {
  const Bytes message = encode([](auto& to) {
    to.text(4, "topic");
    to.text(7, "?");
  });
  const auto read = decode_gossip_message(message);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::malformed);
}

TEST(GossipRpc, damage_at_any_depth_refuses_the_whole) {
  EXPECT_EQ(error_of(Raw{0x0a, 5, 1}), Errc::truncated);
  EXPECT_EQ(error_of(Raw{0x0a, 1, 0x10}), Errc::truncated) << "subscription";
  EXPECT_EQ(error_of(Raw{0x12, 2, 0x0a, 9}), Errc::truncated) << "message";
  EXPECT_EQ(error_of(Raw{0x1a, 2, 0x0a, 9}), Errc::truncated) << "control";
  EXPECT_EQ(error_of(Raw{0x1a, 4, 0x0a, 2, 0x12, 1}), Errc::truncated) << "ihave";
  EXPECT_EQ(error_of(Raw{0x1a, 4, 0x12, 2, 0x0a, 1}), Errc::truncated) << "iwant";
  EXPECT_EQ(error_of(Raw{0x1a, 4, 0x1a, 2, 0x0a, 1}), Errc::truncated) << "graft";
  EXPECT_EQ(error_of(Raw{0x1a, 6, 0x22, 4, 0x12, 2, 0x0a, 1}), Errc::truncated) << "peer info";
  EXPECT_EQ(error_of(Raw{0x0a, 1, 0x0b}), Errc::malformed);
}

TEST(GossipRpc, every_cut_of_a_real_rpc_is_read_or_refused) {
  const Bytes bytes = fixture("js/gossip_all.bin");
  pb::GossipRpc oracle;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    GossipRpc rpc;
    EXPECT_EQ(bool(decode_gossip_rpc(bytes.slice(0, size), rpc)),
              oracle.ParseFromArray(bytes.data(), static_cast<int>(size)))
        << size;
  }
}

TEST(GossipRpc, more_than_a_mebibyte_is_not_looked_at) {
  EXPECT_EQ(error_of(Raw(kGossipRpcBytesMax + 1, 0)), Errc::oversized);
}

TEST(GossipRpc, elements_without_a_usable_topic_are_left_out) {
  pb::GossipRpc rpc;
  rpc.add_subscriptions()->set_subscribe(true);
  rpc.add_subscriptions()->set_topic("");
  rpc.add_subscriptions()->set_topic(std::string(kGossipTopicBytesMax + 1, 'x'));
  rpc.mutable_control()->add_ihave()->add_message_ids("id");
  rpc.mutable_control()->add_graft();
  rpc.mutable_control()->add_prune()->set_backoff(1);
  rpc.mutable_control()->add_graft()->set_topic(std::string(kGossipTopicBytesMax, 'y'));
  const Bytes bytes = wire(rpc);
  const GossipRpc read = decoded(bytes);
  EXPECT_TRUE(read.subscriptions.empty() && read.ihave.empty() && read.prune.empty());
  EXPECT_EQ(read.graft.size(), 1u) << "the longest topic is fine";
  EXPECT_EQ(read.left_out, 6u);
}

TEST(GossipRpc, lists_beyond_their_maximum_are_cut_and_counted) {
  pb::GossipRpc rpc;
  for (std::size_t i = 0; i < kGossipSubscriptionsMax + 3; ++i)
    rpc.add_subscriptions()->set_topic("t" + std::to_string(i));
  for (std::size_t i = 0; i < kGossipGraftsMax + 5; ++i)
    rpc.mutable_control()->add_graft()->set_topic("t");
  for (std::size_t i = 0; i < kGossipPrunesMax + 7; ++i)
    rpc.mutable_control()->add_prune()->set_topic("t");
  for (std::size_t i = 0; i < kGossipIHavesMax + 11; ++i)
    rpc.mutable_control()->add_ihave()->set_topic("t");
  for (std::size_t i = 0; i < kGossipIWantsMax + 13; ++i) rpc.mutable_control()->add_iwant();
  for (std::size_t i = 0; i < kGossipPublishMax + 17; ++i) rpc.add_publish();
  const Bytes bytes = wire(rpc);
  const GossipRpc read = decoded(bytes);
  EXPECT_EQ(read.subscriptions.size(), kGossipSubscriptionsMax);
  EXPECT_EQ(read.subscriptions.back().topic, "t255") << "the first are kept";
  EXPECT_EQ(read.graft.size(), kGossipGraftsMax);
  EXPECT_EQ(read.prune.size(), kGossipPrunesMax);
  EXPECT_EQ(read.ihave.size(), kGossipIHavesMax);
  EXPECT_EQ(read.iwant.size(), kGossipIWantsMax);
  EXPECT_EQ(read.publish.size(), kGossipPublishMax);
  EXPECT_EQ(read.left_out, 3u + 5 + 7 + 11 + 13 + 17);
}

// CVE-2026-46679: what an RPC decodes into must not grow with what it claims.
TEST(GossipRpc, a_mebibyte_of_empty_elements_decodes_into_little) {
  for (const Raw& element : {Raw{0x0a, 0}, Raw{0x12, 0}, Raw{0x1a, 2, 0x0a, 0},
                             Raw{0x1a, 4, 0x12, 2, 0x0a, 0}, Raw{0x1a, 2, 0x22, 0}}) {
    Raw bytes;
    while (bytes.size() + element.size() <= kGossipRpcBytesMax)
      bytes.insert(bytes.end(), element.begin(), element.end());
    const GossipRpc rpc = decoded(bytes);
    const std::size_t held =
        rpc.subscriptions.capacity() * sizeof(GossipSubscription) +
        rpc.publish.capacity() * sizeof(ByteView) + rpc.ihave.capacity() * sizeof(GossipIHave) +
        rpc.iwant.capacity() * sizeof(GossipIds) + rpc.prune.capacity() * sizeof(GossipPrune);
    EXPECT_LE(held, 2 * kGossipControlBudget);
  }
}

TEST(GossipRpc, ids_are_walked_as_often_and_as_far_as_asked) {
  pb::GossipRpc rpc;
  auto* ihave = rpc.mutable_control()->add_ihave();
  for (int i = 0; i < 9; ++i) ihave->add_message_ids(std::string(1, static_cast<char>('0' + i)));
  ihave->set_topic("behind the ids");
  const Bytes bytes = wire(rpc);
  const GossipRpc read = decoded(bytes);
  EXPECT_EQ(read.ihave[0].topic, "behind the ids");
  EXPECT_EQ(read.ihave[0].ids.count(), 9u);
  EXPECT_EQ(ids_of(read.ihave[0].ids, 2), (std::vector<std::string>{"30", "31"}));
  EXPECT_EQ(ids_of(read.ihave[0].ids).size(), 9u);
}

TEST(GossipRpc, one_that_is_used_again_holds_nothing_of_the_last) {
  GossipRpc rpc;
  const Bytes all = fixture("js/gossip_all.bin");
  ASSERT_TRUE(decode_gossip_rpc(all, rpc));
  ASSERT_TRUE(decode_gossip_rpc(ByteView{}, rpc));
  EXPECT_TRUE(rpc.subscriptions.empty() && rpc.publish.empty() && rpc.ihave.empty() &&
              rpc.iwant.empty() && rpc.graft.empty() && rpc.prune.empty());
}

bool usable(const std::string& topic) {
  return !topic.empty() && topic.size() <= kGossipTopicBytesMax;
}

RC_GTEST_PROP(GossipRpcProperty, agrees_with_protoc,
              (const std::vector<std::tuple<bool, std::string>>& subscriptions,
               const std::vector<std::tuple<std::string, std::vector<std::string>>>& ihave,
               const std::vector<std::tuple<std::string, std::uint64_t>>& prunes,
               const std::vector<std::string>& messages)) {
  pb::GossipRpc rpc;
  for (const auto& [on, topic] : subscriptions) {
    auto* entry = rpc.add_subscriptions();
    entry->set_subscribe(on);
    entry->set_topic(topic);
  }
  for (const auto& [topic, ids] : ihave) {
    auto* entry = rpc.mutable_control()->add_ihave();
    entry->set_topic(topic);
    for (const std::string& id : ids) entry->add_message_ids(id);
    if (!ids.empty()) rpc.mutable_control()->add_iwant()->add_message_ids(ids.front());
  }
  for (const auto& [topic, backoff] : prunes) {
    auto* entry = rpc.mutable_control()->add_prune();
    entry->set_topic(topic);
    entry->set_backoff(backoff);
    entry->add_peers()->set_peer_id(topic);
  }
  for (const std::string& data : messages) rpc.add_publish()->set_data(data);

  const Bytes bytes = wire(rpc);
  const GossipRpc read = decoded(bytes);
  std::size_t at = 0;
  for (const auto& [on, topic] : subscriptions) {
    if (!usable(topic)) continue;
    RC_ASSERT(read.subscriptions.at(at).subscribe == on);
    RC_ASSERT(read.subscriptions.at(at++).topic == topic);
  }
  RC_ASSERT(read.subscriptions.size() == at);
  at = 0;
  for (const auto& [topic, ids] : ihave) {
    if (!usable(topic)) continue;
    RC_ASSERT(read.ihave.at(at).topic == topic);
    RC_ASSERT(read.ihave.at(at).ids.count() == ids.size());
    std::vector<std::string> seen;
    read.ihave.at(at++).ids.for_each(SIZE_MAX,
                                     [&](ByteView id) { seen.emplace_back(as_text(id)); });
    RC_ASSERT(seen == ids);
  }
  at = 0;
  for (const auto& [topic, backoff] : prunes) {
    if (!usable(topic)) continue;
    RC_ASSERT(read.prune.at(at).topic == topic);
    RC_ASSERT(read.prune.at(at++).backoff == backoff);
  }
  RC_ASSERT(read.publish.size() == messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto message = decode_gossip_message(read.publish[i]);
    RC_ASSERT(message.has_value());
    RC_ASSERT(as_text(*message->data) == messages[i]);
    RC_ASSERT(!message->from && !message->topic);
  }
}

}  // namespace
}  // namespace kith::libp2p
