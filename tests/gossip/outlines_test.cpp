#include "gossip/outlines.hpp"

#include <gtest/gtest.h>

#include "tests/gossip/harness.hpp"

namespace kith::gossip {
namespace {

Bytes rpc_of(std::uint64_t seqno) {
  return make_message(identity_of(1), seqno, "topic", Bytes::copy("data")).rpc;
}

TEST(Outlines, one_buffer_is_read_once_and_its_parts_are_shared) {
  Outlines outlines;
  const Bytes rpc = rpc_of(1);
  const Outline* first = outlines.find(rpc);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->received.message.rpc.data(), rpc.data());
  EXPECT_EQ(first->received.message.data.text(), "data");
  EXPECT_EQ(*first->fields.topic, "topic");
  EXPECT_TRUE(verify(first->received.part));
  const std::uint8_t* id = first->received.message.id.data();
  const Bytes same = rpc;
  EXPECT_EQ(outlines.find(same)->received.message.id.data(), id);
}

TEST(Outlines, of_many_buffers_each_is_answered_with_its_own_message) {
  Outlines outlines;
  std::vector<Bytes> rpcs;
  for (std::uint64_t i = 0; i < 4 * kOutlinesMax; ++i) rpcs.push_back(rpc_of(i));
  for (int round = 0; round < 2; ++round)
    for (std::uint64_t i = 0; i < rpcs.size(); ++i) {
      const Outline* found = outlines.find(rpcs[i]);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->received.message.id.slice(38)[7], i & 0xFF);
      EXPECT_EQ(found->received.message.rpc, rpcs[i]);
    }
}

// The place of a buffer that is gone is used again by the next one of its size.
TEST(Outlines, a_buffer_that_comes_in_anothers_place_is_not_taken_for_it) {
  Outlines outlines;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Bytes rpc = rpc_of(i);
    const Outline* found = outlines.find(rpc);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->received.message.rpc, rpc);
  }
}

TEST(Outlines, control_malformed_messages_and_several_in_one_rpc_have_none) {
  Outlines outlines;
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

}  // namespace
}  // namespace kith::gossip
