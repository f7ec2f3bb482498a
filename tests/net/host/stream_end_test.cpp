// When the end of a stream goes out. Of WireHost alone: it is about frames, which not every
// implementation of Host has.
#include <gtest/gtest.h>

#include "support.hpp"

namespace kith::host {
namespace {

// A js-libp2p peer does not hear of an end that comes before its handler runs.
TEST(StreamEnd, follows_the_agreement_on_the_protocol_of_a_stream_that_we_opened) {
  const auto world = make_memory_harness(7);
  TestNode a(*world, 1);
  TestNode b(*world, 2);
  a.connect(b);
  ASSERT_TRUE(world->run_until([&] { return a.knows(b) && b.knows(a); }, 20s));

  const StreamSlot slot = a.open(b, a.message_index, Bytes());
  a.host->close(slot);
  ASSERT_TRUE(world->run_until([&] { return !b.messages.order.empty(); }, 20s));
  world->run_for(world->latency() / 2);
  EXPECT_EQ(b.messages.last().ends, 0);
  ASSERT_TRUE(world->run_until([&] { return b.messages.last().ends == 1; }, 2 * world->latency()));
  ASSERT_TRUE(world->run_until([&] { return a.messages.streams[slot].closes == 1; }, 20s));
  EXPECT_FALSE(a.messages.streams[slot].error);
}

// What was sent before the end is not held back with it.
TEST(StreamEnd, does_not_delay_the_messages_before_it) {
  const auto world = make_memory_harness(7);
  TestNode a(*world, 1);
  TestNode b(*world, 2);
  a.connect(b);
  ASSERT_TRUE(world->run_until([&] { return a.knows(b) && b.knows(a); }, 20s));

  const StreamSlot slot = a.open(b, a.message_index, filled(3));
  a.send(slot, filled(1000));
  a.host->close(slot);
  a.send(slot, filled(3), Priority::normal, 77);
  ASSERT_TRUE(world->run_until(
      [&] { return !b.messages.order.empty() && b.messages.last().messages.size() == 2; },
      2 * world->latency()));
  EXPECT_EQ(b.messages.last().ends, 0);
  ASSERT_TRUE(world->run_until([&] { return b.messages.last().ends == 1; }, 20s));
  EXPECT_EQ(b.messages.last().messages.size(), 2u);
  EXPECT_EQ(a.messages.streams[slot].refused, std::vector<std::uint64_t>{77});
}

}  // namespace
}  // namespace kith::host
