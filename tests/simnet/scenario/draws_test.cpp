#include "simnet/scenario/draws.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "simnet/scenario/histogram.hpp"

namespace kith::simnet {
namespace {

TEST(Draws, logarithms_are_right_to_one_part_in_ten_thousand) {
  for (const std::uint64_t bits : {1ull, 2ull, 3ull, 1000ull, 1ull << 40, (1ull << 63) + 12345,
                                   0x9E3779B97F4A7C15ull, ~0ull}) {
    const double exact = (64 - std::log2(static_cast<double>(bits))) * 65536;
    EXPECT_NEAR(static_cast<double>(minus_log2(bits)), exact, 2.0) << bits;
  }
}

double mean_of(Spread spread, int draws) {
  Rng rng(5);
  double sum = 0;
  for (int i = 0; i < draws; ++i)
    sum += static_cast<double>(draw_duration(rng, spread, 100s).count()) * 1e-9;
  return sum / draws;
}

TEST(Draws, every_distribution_keeps_its_mean) {
  EXPECT_NEAR(mean_of(Spread::exponential, 100'000), 100, 2);
  EXPECT_NEAR(mean_of(Spread::uniform, 100'000), 100, 2);
  EXPECT_NEAR(mean_of(Spread::fixed, 10), 100, 1e-9);
  EXPECT_NEAR(mean_of(Spread::pareto, 400'000), 100, 4);
}

TEST(Draws, half_of_exponential_sessions_are_shorter_than_seven_tenths_of_the_mean) {
  Rng rng(6);
  Histogram seconds;
  for (int i = 0; i < 100'000; ++i)
    seconds.add(
        static_cast<std::uint64_t>(draw_duration(rng, Spread::exponential, 1000s) / Duration(1s)));
  EXPECT_NEAR(static_cast<double>(seconds.quantile(500'000)), 693, 20);
  EXPECT_NEAR(static_cast<double>(seconds.quantile(900'000)), 2303, 60);
}

TEST(Draws, fixed_takes_nothing_from_the_generator) {
  Rng drawn(7), untouched(7);
  EXPECT_EQ(draw_duration(drawn, Spread::fixed, 3s), 3s);
  EXPECT_EQ(draw_duration(drawn, Spread::exponential, 0s), 0s);
  EXPECT_EQ(drawn.next(), untouched.next());
}

TEST(Histogram, quantiles_are_within_two_percent) {
  Histogram values;
  for (std::uint64_t i = 1; i <= 100'000; ++i) values.add(i);
  EXPECT_EQ(values.count(), 100'000u);
  EXPECT_EQ(values.least(), 1u);
  EXPECT_EQ(values.most(), 100'000u);
  for (const std::uint32_t ppm : {10'000u, 500'000u, 900'000u, 990'000u}) {
    const double exact = static_cast<double>(ppm) / 10;
    EXPECT_NEAR(static_cast<double>(values.quantile(ppm)), exact, exact * 0.02) << ppm;
  }
  EXPECT_EQ(values.quantile(1'000'000), 100'000u);
  std::uint64_t sum = 0;
  for (const auto& [end, count] : values.buckets()) sum += count;
  EXPECT_EQ(sum, values.count());
}

TEST(Histogram, of_nothing_is_nothing) {
  const Histogram empty;
  EXPECT_EQ(empty.quantile(500'000), 0u);
  EXPECT_EQ(empty.least(), 0u);
  EXPECT_TRUE(empty.buckets().empty());
}

}  // namespace
}  // namespace kith::simnet
