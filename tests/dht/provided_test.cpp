#include "dht/provided.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::content;
using test::kStart;

class ProvidedTest : public ::testing::Test {
 protected:
  Provided provided{Rng(1)};
  Effects out;
};

TEST_F(ProvidedTest, is_announced_again_22_hours_after_it_was_told) {
  ASSERT_TRUE(provided.add(kStart, content(1), out));
  EXPECT_FALSE(provided.take_due(kStart + 100h)) << "its first announcement is under way";
  provided.on_told(kStart, content(1), 20, out);
  EXPECT_EQ(provided.next_due(), kStart + 22h);
  EXPECT_FALSE(provided.take_due(kStart + 22h - 1s));
  EXPECT_EQ(provided.take_due(kStart + 22h), content(1));
  EXPECT_FALSE(provided.take_due(kStart + 22h)) << "under way";
}

TEST_F(ProvidedTest, what_nobody_took_is_tried_again_soon_and_then_less_often) {
  provided.add(kStart, content(1), out);
  Wall now = kStart;
  Duration last{};
  for (int i = 0; i < 12; ++i) {
    provided.on_told(now, content(1), 0, out);
    const Duration wait = provided.next_due() - now;
    EXPECT_GE(wait, last);
    EXPECT_LE(wait, kRetryMax);
    last = wait;
    now = provided.next_due();
    ASSERT_TRUE(provided.take_due(now));
  }
  EXPECT_EQ(last, kRetryMax);
}

TEST_F(ProvidedTest, a_network_that_comes_back_is_told_at_once) {
  provided.add(kStart, content(1), out);
  provided.add(kStart, content(2), out);
  provided.on_told(kStart, content(1), 0, out);
  provided.on_told(kStart, content(2), 3, out);
  provided.on_network(kStart + 1s);
  EXPECT_EQ(provided.take_due(kStart + 1s), content(1));
  EXPECT_FALSE(provided.take_due(kStart + 1s)) << "who was told need not be told again";
}

TEST_F(ProvidedTest, unprovided_keys_are_forgotten_also_while_under_way) {
  provided.add(kStart, content(1), out);
  provided.remove(content(1), out);
  provided.on_told(kStart, content(1), 20, out);
  EXPECT_EQ(provided.size(), 0u);
  EXPECT_EQ(provided.next_due(), Wall::max());
  EXPECT_FALSE(test::only<Persist>(out).back().value);
}

TEST_F(ProvidedTest, goes_on_after_a_restart_where_it_was) {
  provided.add(kStart, content(1), out);
  provided.on_told(kStart, content(1), 20, out);
  provided.add(kStart, content(2), out);  // never told
  std::map<Bytes, Bytes> store;
  for (const Persist& persist : test::only<Persist>(out)) store[persist.key] = *persist.value;
  ASSERT_EQ(store.size(), 2u);

  Provided again{Rng(9)};
  for (const auto& [key, value] : store)
    again.load(kStart + 1h, std::get<StoredProvided>(*decode_stored(key, value)));
  EXPECT_TRUE(again.contains(content(1)));
  EXPECT_EQ(again.take_due(kStart + 1h + kCatchUpSpread), content(2));
  EXPECT_FALSE(again.take_due(kStart + 22h - 1s));
  EXPECT_EQ(again.take_due(kStart + 22h), content(1));
}

TEST_F(ProvidedTest, what_came_due_while_we_were_off_is_spread_out) {
  for (std::uint64_t i = 0; i < 100; ++i) provided.load(kStart + 100h, {content(i), kStart});
  int first_half = 0;
  while (provided.take_due(kStart + 100h + kCatchUpSpread / 2)) ++first_half;
  EXPECT_GT(first_half, 20);
  EXPECT_LT(first_half, 80);
  while (provided.take_due(kStart + 100h + kCatchUpSpread)) ++first_half;
  EXPECT_EQ(first_half, 100);
}

TEST_F(ProvidedTest, a_clock_that_was_set_back_does_not_silence_us) {
  provided.load(kStart, {content(1), kStart + 9000h});
  EXPECT_TRUE(provided.take_due(kStart + kCatchUpSpread));
}

}  // namespace
}  // namespace kith::dht
