#include "simnet/scenario/units.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kith::simnet {
namespace {

TEST(Units, texts_of_people_mean_what_they_say) {
  EXPECT_EQ(parse_duration("25ms"), 25ms);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_size("2KiB"), 2048u);
  EXPECT_EQ(parse_size("1.5MiB"), 1'572'864u);
  EXPECT_EQ(parse_size("100"), 100u);
  EXPECT_EQ(parse_bandwidth("50Mbit/s"), 6'250'000u);
  EXPECT_EQ(parse_bandwidth("unlimited"), 0u);
  EXPECT_EQ(parse_rate("4/s"), 250ms);
  EXPECT_EQ(parse_rate("2/m"), 30s);
  EXPECT_EQ(parse_share("10%"), 100'000u);
  EXPECT_EQ(parse_share("0.25%"), 2'500u);
  EXPECT_EQ(parse_share("100%"), 1'000'000u);
  EXPECT_EQ(parse_share("150ppm"), 150u);
}

TEST(Units, what_means_nothing_is_refused) {
  for (const char* text : {"", "ms", "5", "-5s", "5 s", "1.s", "5sec", "1e3s", "0.1ns",
                           "999999999999h", "99999999999999999999s", "5s5"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  for (const char* text : {"", "KiB", "1kib", "-1", "0.3B", "99999999999999999999"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  for (const char* text : {"", "50", "101%", "0.00001%", "%", "-1%"})
    EXPECT_EQ(parse_share(text), std::nullopt) << text;
  for (const char* text : {"", "0/s", "5", "/s", "5/d", "99999999999/s"})
    EXPECT_EQ(parse_rate(text), std::nullopt) << text;
}

RC_GTEST_PROP(Units, what_prints_parses_back, (std::uint32_t value)) {
  RC_ASSERT(parse_duration(duration_text(Duration(value))) == Duration(value));
  RC_ASSERT(parse_size(size_text(value)) == std::optional<std::uint64_t>(value));
  if (value > 0)
    RC_ASSERT(parse_bandwidth(bandwidth_text(value)) == std::optional<std::uint64_t>(value));
  RC_ASSERT(parse_share(share_text(value % 1'000'001)) ==
            std::optional<std::uint32_t>(value % 1'000'001));
}

}  // namespace
}  // namespace kith::simnet
