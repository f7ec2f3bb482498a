#include "gossip/message_cache.hpp"

#include <gtest/gtest.h>

namespace kith::gossip {
namespace {

constexpr TopicIndex kTopic{1, 0};
constexpr TopicIndex kOther{2, 0};
constexpr host::PeerSlot kPeer{5, 0};

Message message(std::uint64_t key, TopicIndex topic = kTopic, std::size_t size = 10) {
  Message made;
  made.rpc = Bytes::copy(std::string(size, 'm'));
  made.id = Bytes::copy("id" + std::to_string(key));
  made.key = key;
  made.topic = topic;
  return made;
}

TEST(MessageCache, message_is_offered_for_three_windows_and_served_for_five) {
  MessageCache cache;
  cache.put(message(1));
  for (int window = 0; window < 5; ++window) {
    EXPECT_EQ(cache.offers(kTopic, 10).size(), window < 3 ? 1u : 0u) << window;
    EXPECT_NE(cache.take_for(1, {static_cast<std::uint32_t>(window), 0}), nullptr) << window;
    cache.shift();
  }
  EXPECT_EQ(cache.take_for(1, kPeer), nullptr);
  EXPECT_TRUE(cache.empty());
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(MessageCache, peer_gets_a_message_three_times_and_no_more) {
  MessageCache cache;
  cache.put(message(1));
  for (std::size_t i = 0; i < kRetransmissionsMax; ++i)
    EXPECT_NE(cache.take_for(1, kPeer), nullptr);
  EXPECT_EQ(cache.take_for(1, kPeer), nullptr);
  EXPECT_NE(cache.take_for(1, {6, 0}), nullptr) << "another peer has its own three";
  EXPECT_NE(cache.take_for(1, {5, 1}), nullptr) << "so has the next holder of the slot";
}

TEST(MessageCache, offers_are_of_one_topic_newest_first_and_bounded) {
  MessageCache cache;
  cache.put(message(1));
  cache.shift();
  cache.put(message(2, kOther));
  cache.put(message(3));
  cache.put(message(4));
  const std::vector<Bytes> all = cache.offers(kTopic, 10);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].text(), "id4");
  EXPECT_EQ(all[2].text(), "id1");
  EXPECT_EQ(cache.offers(kTopic, 2).size(), 2u);
}

// The table takes messages up when one is asked for: those before and after, of several windows.
TEST(MessageCache, is_asked_before_and_after_more_come) {
  MessageCache cache;
  for (std::uint64_t key = 1; key <= 40; ++key) {
    cache.put(message(key));
    if (key % 4 == 0) cache.shift();
    if (key % 3 == 0) {
      EXPECT_NE(cache.take_for(key, kPeer), nullptr) << key;
    }
    for (const std::uint64_t gone : {key - 25, key - 20})
      if (gone <= key) {
        EXPECT_EQ(cache.take_for(gone, kPeer), nullptr) << gone << " at " << key;
      }
    EXPECT_EQ(cache.bytes(), 10 * cache.size());
  }
  EXPECT_EQ(cache.size(), 16u) << "four windows of four, and an empty one";
  for (std::uint64_t key = 25; key <= 40; ++key)
    EXPECT_NE(cache.take_for(key, {6, 0}), nullptr) << key;
}

TEST(MessageCache, full_cache_drops_the_oldest) {
  MessageCache cache;
  const std::size_t big = 60u << 10;
  std::uint64_t key = 0;
  while (key * big <= kHistoryBytesMax + 3 * big) {
    cache.put(message(++key, kTopic, big));
    if (key % 100 == 0) cache.shift();
    ASSERT_LE(cache.bytes(), kHistoryBytesMax);
  }
  EXPECT_EQ(cache.take_for(1, kPeer), nullptr);
  EXPECT_EQ(*cache.take_for(key, kPeer), message(key, kTopic, big).rpc);
}

TEST(MessageCache, number_of_messages_is_bounded) {
  MessageCache cache;
  for (std::uint64_t key = 1; key <= 3 * kHistoryMessagesMax; ++key) cache.put(message(key));
  EXPECT_LE(cache.size(), kHistoryMessagesMax);
  EXPECT_NE(cache.take_for(3 * kHistoryMessagesMax, kPeer), nullptr);
  for (std::size_t i = 0; i < kHistoryLength; ++i) cache.shift();
  EXPECT_TRUE(cache.empty());
}

}  // namespace
}  // namespace kith::gossip
