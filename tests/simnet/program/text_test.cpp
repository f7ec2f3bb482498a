#include "simnet/program/text.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace kith::simnet {
namespace {

TEST(Text, whole_numbers_are_grouped_by_thousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Text, figures_keep_the_digits_that_matter) {
  EXPECT_EQ(figure_text(0), "0");
  EXPECT_EQ(figure_text(1234567), "1,234,567");
  EXPECT_EQ(figure_text(-1500.4), "-1,500");
  EXPECT_EQ(figure_text(105.08), "105.1");
  EXPECT_EQ(figure_text(0.01234), "0.01234");
  EXPECT_EQ(figure_text(std::nan("")), "-");
}

TEST(Text, a_share_that_is_not_all_is_never_100_percent) {
  EXPECT_EQ(percent_text(1), "100 %");
  EXPECT_EQ(percent_text(0.5), "50.0 %");
  for (const double share : {0.9999999, 0.99999, 0.9996, 0.996, 0.95})
    EXPECT_NE(percent_text(share).substr(0, 3), "100") << share;
}

TEST(Text, times_and_sizes_read_as_people_say_them) {
  EXPECT_EQ(seconds_text(0.44), "0.4 s");
  EXPECT_EQ(seconds_text(90), "90 s");
  EXPECT_EQ(seconds_text(300), "5 min 0 s");
  EXPECT_EQ(seconds_text(7620), "2 h 7 min");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1331), "1.30 KiB");
  EXPECT_EQ(bytes_text(20.0 * 1024 * 1024), "20.0 MiB");
}

TEST(Text, what_html_csv_and_shells_would_read_is_escaped) {
  EXPECT_EQ(html_text("<a href=\"x\">&'\x01"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&#xfffd;");
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
  EXPECT_EQ(shell_word("simnet/hello.toml"), "simnet/hello.toml");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace kith::simnet
