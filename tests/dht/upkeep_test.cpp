#include "dht/upkeep.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::at;

class UpkeepTest : public ::testing::Test {
 protected:
  // Runs refreshes that end at once; answers the buckets of a round, -1 for ourselves.
  std::vector<int> round(Mono now, int deepest, bool small = false) {
    std::vector<int> buckets;
    while (const auto refresh = upkeep.next(now, deepest, small)) {
      const Key target = refresh->raw_key ? Key::of(*refresh->raw_key) : self;
      buckets.push_back(refresh->raw_key ? common_prefix(self, target) : -1);
      upkeep.on_lookup(now, target);
      upkeep.on_refreshed();
    }
    return buckets;
  }
  Key self = Key::of(as_bytes("self"));
  Upkeep upkeep{self, Rng(1)};
};

TEST_F(UpkeepTest, nothing_happens_before_the_first_peer) {
  EXPECT_FALSE(upkeep.next(at(100h).mono, -1, true));
  EXPECT_EQ(upkeep.next_deadline(), kNever);
}

TEST_F(UpkeepTest, a_round_looks_up_ourselves_and_then_every_bucket_up_to_the_deepest) {
  upkeep.on_first_peer(at(0s).mono);
  EXPECT_EQ(upkeep.next_deadline(), at(kFirstRound).mono);
  EXPECT_FALSE(upkeep.next(at(0s).mono, 3, false));
  EXPECT_EQ(round(at(kFirstRound).mono, 3), (std::vector{-1, 0, 1, 2, 3}));
}

TEST_F(UpkeepTest, one_lookup_at_a_time) {
  upkeep.on_first_peer(at(0s).mono);
  ASSERT_TRUE(upkeep.next(at(1s).mono, 3, false));
  EXPECT_FALSE(upkeep.next(at(1s).mono, 3, false));
  EXPECT_EQ(upkeep.next_deadline(), kNever);
  upkeep.on_refreshed();
  EXPECT_TRUE(upkeep.next(at(1s).mono, 3, false));
}

TEST_F(UpkeepTest, rounds_come_seconds_after_the_first_and_then_ever_rarer_up_to_ten_minutes) {
  upkeep.on_first_peer(at(0s).mono);
  Mono now = upkeep.next_deadline();
  for (Duration expected = kYoungInterval;; expected = std::min(2 * expected, kRefreshInterval)) {
    const bool whole = expected == kYoungInterval || expected >= kSmallTableInterval;
    EXPECT_EQ(round(now, 2), whole ? (std::vector{-1, 0, 1, 2}) : std::vector{-1});
    const Duration wait = upkeep.next_deadline() - now;
    EXPECT_GE(wait, expected * 9 / 10);
    EXPECT_LE(wait, expected * 11 / 10);
    now = upkeep.next_deadline();
    if (expected == kRefreshInterval) break;
  }
  EXPECT_EQ(round(now, 2, true).size(), 4u) << "small: every minute";
  EXPECT_LE(upkeep.next_deadline() - now, kSmallTableInterval * 11 / 10);
}

TEST_F(UpkeepTest, a_bucket_that_other_lookups_went_through_is_fresh) {
  upkeep.on_first_peer(at(0s).mono);
  Key there = self;
  there.words[0] ^= 1ull << 62;  // bucket 1
  upkeep.on_lookup(at(500ms).mono, there);
  EXPECT_EQ(round(at(1s).mono, 2), (std::vector{-1, 0, 2}));
}

TEST_F(UpkeepTest, deep_buckets_are_left_to_the_lookup_for_ourselves) {
  upkeep.on_first_peer(at(0s).mono);
  const std::vector<int> buckets = round(at(1s).mono, 200);
  EXPECT_EQ(buckets.back(), kRefreshDepth - 1);
}

TEST_F(UpkeepTest, an_empty_table_ends_the_rounds) {
  upkeep.on_first_peer(at(0s).mono);
  ASSERT_TRUE(upkeep.next(at(1s).mono, 3, false));
  upkeep.on_empty();
  upkeep.on_refreshed();
  EXPECT_EQ(upkeep.next_deadline(), kNever);
  EXPECT_FALSE(upkeep.next(at(100h).mono, -1, true));
}

TEST_F(UpkeepTest, random_keys_differ_and_look_like_peer_ids) {
  upkeep.on_first_peer(at(0s).mono);
  std::set<std::vector<std::uint8_t>> seen;
  for (int i = 0; i < 6; ++i) round(at(i * 5min + 1s).mono, 4);  // the young rounds
  for (int i = 2; i < 12; ++i) {
    const Mono now = at(i * 20min + 1s).mono;
    while (const auto refresh = upkeep.next(now, 4, false)) {
      if (refresh->raw_key) {
        EXPECT_TRUE(PeerId::decode(*refresh->raw_key));
        seen.insert({refresh->raw_key->begin(), refresh->raw_key->end()});
      }
      upkeep.on_refreshed();
    }
  }
  EXPECT_EQ(seen.size(), 50u);
}

}  // namespace
}  // namespace kith::dht
