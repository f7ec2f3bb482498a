#include "dht/upkeep.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::at;

class UpkeepTest : public ::testing::Test {
 protected:
  // Runs refreshes that end at once, a walk to the end of what is wanting; answers the buckets of a
  // round, -1 for ourselves. Young rounds that come due while it walks are not told.
  std::vector<int> round(Mono now, std::uint32_t wanting, bool small = false) {
    std::vector<int> buckets;
    const std::uint32_t seen = wanting & ((1u << kRefreshDepth) - 1);
    const int last = static_cast<int>(std::bit_width(seen)) - 1;
    while (buckets.empty() || buckets.back() < last) {
      const auto refresh = upkeep.next(now, wanting, small);
      if (!refresh) {
        if (upkeep.next_deadline() > later(now, kWalkPace)) return buckets;  // no walk
        now = upkeep.next_deadline();
        continue;
      }
      const Key target = refresh->raw_key ? Key::of(*refresh->raw_key) : self;
      if (refresh->raw_key || buckets.empty())
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
  EXPECT_FALSE(upkeep.next(at(100h).mono, 0, true));
  EXPECT_EQ(upkeep.next_deadline(), kNever);
}

TEST_F(UpkeepTest, a_round_looks_up_ourselves_and_then_every_bucket_that_wants_peers) {
  upkeep.on_first_peer(at(0s).mono);
  EXPECT_EQ(upkeep.next_deadline(), at(kFirstRound).mono);
  EXPECT_FALSE(upkeep.next(at(0s).mono, 0b1011, false));
  EXPECT_EQ(round(at(kFirstRound).mono, 0b1011), (std::vector{-1, 0, 1, 3}));
}

TEST_F(UpkeepTest, one_lookup_at_a_time) {
  upkeep.on_first_peer(at(0s).mono);
  ASSERT_TRUE(upkeep.next(at(1s).mono, 0b1111, false));
  EXPECT_FALSE(upkeep.next(at(1s).mono, 0b1111, false));
  EXPECT_EQ(upkeep.next_deadline(), kNever);
  upkeep.on_refreshed();
  EXPECT_TRUE(upkeep.next(at(1s).mono, 0b1111, false));
}

TEST_F(UpkeepTest, the_lookups_of_a_walk_are_spaced_and_a_young_round_does_not_end_it) {
  upkeep.on_first_peer(at(0s).mono);
  Mono now = upkeep.next_deadline();
  const Mono round_due = later(now, kYoungInterval * 11 / 10);
  std::vector<int> buckets;
  Mono last_step = now;
  bool young = false;
  while (buckets.size() < 6) {
    const auto refresh = upkeep.next(now, 0b111111, false);
    ASSERT_TRUE(refresh);
    if (refresh->raw_key) {
      if (!buckets.empty()) {
        EXPECT_GE(now - last_step, kWalkPace);
      }
      last_step = now;
      buckets.push_back(common_prefix(self, Key::of(*refresh->raw_key)));
    } else {
      young = young || (now > at(kFirstRound).mono && now <= round_due);
    }
    upkeep.on_refreshed();
    now = std::max(now, upkeep.next_deadline());
  }
  EXPECT_EQ(buckets, (std::vector{0, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(young);
}

TEST_F(UpkeepTest, rounds_come_seconds_after_the_first_and_then_ever_rarer_up_to_ten_minutes) {
  upkeep.on_first_peer(at(0s).mono);
  Mono now = upkeep.next_deadline();
  const int last = kRefreshDepth - 1;  // so that nothing of a walk is left
  for (Duration expected = kYoungInterval;; expected = std::min(2 * expected, kRefreshInterval)) {
    const bool whole = expected == kYoungInterval || expected >= kSmallTableInterval;
    EXPECT_EQ(round(now, 1u << last), whole ? (std::vector{-1, last}) : std::vector{-1});
    const Duration wait = upkeep.next_deadline() - now;
    EXPECT_GE(wait, expected * 9 / 10);
    EXPECT_LE(wait, expected * 11 / 10);
    now = upkeep.next_deadline();
    if (expected == kRefreshInterval) break;
  }
  EXPECT_EQ(round(now, 0b111, true).size(), 4u) << "small: every minute";
  EXPECT_LE(upkeep.next_deadline() - now, kSmallTableInterval * 11 / 10);
}

TEST_F(UpkeepTest, a_bucket_that_other_lookups_went_through_is_fresh) {
  upkeep.on_first_peer(at(0s).mono);
  Key there = self;
  there.words[0] ^= 1ull << 62;  // bucket 1
  upkeep.on_lookup(at(500ms).mono, there);
  EXPECT_EQ(round(at(1s).mono, 0b111), (std::vector{-1, 0, 2}));
}

TEST_F(UpkeepTest, deep_buckets_are_left_to_the_lookup_for_ourselves) {
  upkeep.on_first_peer(at(0s).mono);
  const std::vector<int> buckets = round(at(1s).mono, UINT32_MAX);
  EXPECT_EQ(buckets.back(), kRefreshDepth - 1);
}

TEST_F(UpkeepTest, an_empty_table_ends_the_rounds) {
  upkeep.on_first_peer(at(0s).mono);
  ASSERT_TRUE(upkeep.next(at(1s).mono, 0b1111, false));
  upkeep.on_empty();
  upkeep.on_refreshed();
  EXPECT_EQ(upkeep.next_deadline(), kNever);
  EXPECT_FALSE(upkeep.next(at(100h).mono, 0, true));
}

TEST_F(UpkeepTest, random_keys_differ_and_look_like_peer_ids) {
  upkeep.on_first_peer(at(0s).mono);
  std::set<std::vector<std::uint8_t>> seen;
  for (int i = 0; i < 6; ++i) round(at(i * 5min + 1s).mono, 0b11111);  // the young rounds
  for (int i = 2; i < 12; ++i) {
    Mono now = at(i * 20min + 1s).mono;
    for (int step = 0; step < 6; ++step, now = later(now, kWalkPace)) {
      const auto refresh = upkeep.next(now, 0b11111, false);
      ASSERT_TRUE(refresh) << step;
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
