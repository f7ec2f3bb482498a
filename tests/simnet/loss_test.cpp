#include "simnet/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace kith::simnet {
namespace {

TEST(LossTest, rate_is_the_closed_form_of_mathis) {
  for (const std::uint32_t ppm : {1u, 30u, 1'000u, 10'000u, 100'000u, 1'000'000u})
    for (const Duration round_trip : {Duration(2ms), Duration(100ms), Duration(1s)}) {
      const double seconds = static_cast<double>(round_trip.count()) * 1e-9;
      const double closed = 1.22 * 1460 / (seconds * std::sqrt(ppm * 1e-6));
      EXPECT_NEAR(static_cast<double>(mathis_rate(round_trip, ppm)), closed, 0.002 * closed + 1);
    }
}

TEST(LossTest, timeouts_double_until_the_connection_is_given_up) {
  Draws draws(1);
  const Loss sure = draw_loss(draws, 1'000'000, 1, 100ms, 200ms);
  EXPECT_TRUE(sure.fatal);
  EXPECT_EQ(sure.delay, 200ms * ((1 << (kLossRetriesMax + 1)) - 1));
  // With a tenth lost, each further loss is a tenth as likely and costs twice as much.
  std::map<Duration, int> delays;
  for (int i = 0; i < 10'000; ++i) ++delays[draw_loss(draws, 100'000, 1460, 100ms, 200ms).delay];
  EXPECT_NEAR(delays[Duration{}], 9'000, 120);
  EXPECT_NEAR(delays[200ms], 900, 120);
  EXPECT_NEAR(delays[600ms], 90, 40);
  EXPECT_EQ(delays.count(400ms), 0u);
}

TEST(LossTest, segment_of_many_packets_is_delayed_as_often_as_one_of_them_is_lost) {
  Draws draws(2);
  int delayed = 0;
  for (int i = 0; i < 10'000; ++i)
    delayed += draw_loss(draws, 1'000, 10 * 1460, 100ms, 200ms).delay > Duration{};
  EXPECT_NEAR(delayed, 100, 40);
}

}  // namespace
}  // namespace kith::simnet
