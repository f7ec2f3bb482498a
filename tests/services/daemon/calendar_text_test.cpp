// The calendar of `kith uptime show` as text, and its command line.
#include "services/daemon/calendar_text.hpp"

#include <gtest/gtest.h>

#include "services/daemon/invocation.hpp"

namespace kith::daemon {
namespace {

TEST(CalendarText, shades_tell_all_some_none_and_not_observed_apart_in_both_alphabets) {
  for (const bool utf8 : {false, true}) {
    const Cells cells{100u, 80u, 50u, 10u, 0u, std::nullopt};
    for (std::size_t a = 0; a < cells.size(); ++a)
      for (std::size_t b = 0; b < a; ++b)
        EXPECT_NE(cell_text(cells[a], utf8), cell_text(cells[b], utf8)) << a << " and " << b;
  }
  EXPECT_EQ(row_text({100u, 0u, std::nullopt}, {false, 80}, 10), "#_.");
}

TEST(CalendarText, a_narrow_terminal_joins_cells_and_keeps_holes_visible) {
  Cells cells(48, 100u);
  for (std::size_t i = 12; i < 16; ++i) cells[i] = 0u;
  EXPECT_EQ(row_text(cells, {false, 34}, 10), "######__################");
  EXPECT_EQ(join_cells(cells, 24).size(), 24u);
  EXPECT_EQ(join_cells({std::nullopt, 50u}, 1)[0], 50u);
  EXPECT_EQ(join_cells({std::nullopt, std::nullopt}, 1)[0], std::nullopt);
  EXPECT_FALSE(row_text(cells, {false, 5}, 10).empty());
}

TEST(CalendarText, the_legend_explains_why_a_single_other_node_is_never_seen_absent) {
  for (const bool utf8 : {false, true}) {
    const std::string two = legend_text(2, utf8), one = legend_text(1, utf8);
    for (const std::string& text : {two, one}) {
      EXPECT_NE(text.find("not observed: this node was off, or heard nobody"), std::string::npos);
      EXPECT_NE(text.find(cell_text(std::nullopt, utf8) + " not observed"), std::string::npos);
    }
    EXPECT_EQ(two.find("absence"), std::string::npos);
    EXPECT_NE(one.find("absence shows as " + cell_text(std::nullopt, utf8)), std::string::npos);
    EXPECT_NE(one.find("fault of this node's own connection"), std::string::npos);
    for (std::size_t at = 0; at < one.size();) {
      const std::size_t end = one.find('\n', at);
      EXPECT_LE(end - at, utf8 ? 96u : 80u) << one.substr(at, end - at);
      at = end + 1;
    }
  }
}

TEST(CalendarText, epochs_of_whole_days_are_dates_and_others_have_their_time) {
  EXPECT_EQ(epoch_text(1'763'596'800, 86'400), "2025-11-20");
  EXPECT_EQ(epoch_text(1'763'596'800 + 3600, 600), "2025-11-20 01:00");
}

TEST(UptimeCommand, takes_a_peer_or_whose_table_and_checks_ids_before_connecting) {
  const std::string id = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
  const auto all = parse_command_line({"uptime", "show"});
  ASSERT_TRUE(all.has_value()) << describe(all.error());
  EXPECT_TRUE(std::get<UptimeShow>(all->command).peer.empty());
  const auto one = parse_command_line({"uptime", "show", "--peer", id, "--epochs", "3"});
  ASSERT_TRUE(one.has_value()) << describe(one.error());
  EXPECT_EQ(std::get<UptimeShow>(one->command).peer, id);
  EXPECT_EQ(std::get<UptimeShow>(one->command).epochs, 3u);
  EXPECT_EQ(parse_command_line({"uptime", "show", "--peer", "nobody"}).error().code, Errc::usage);
  EXPECT_FALSE(parse_command_line({"uptime", "show", "--peer", id, "--from", id}).has_value());
  EXPECT_FALSE(parse_command_line({"uptime", "show", "--epochs", "31"}).has_value());
}

}  // namespace
}  // namespace kith::daemon
