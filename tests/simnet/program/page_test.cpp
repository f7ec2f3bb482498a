#include "simnet/program/page.hpp"

#include <gtest/gtest.h>

#include "simnet/program/distribution.hpp"
#include "simnet/program/plots.hpp"
#include "tests/simnet/program/support.hpp"

namespace kith::simnet {
namespace {

// What is wrong with the nesting of a page's tags; empty when nothing is.
std::string nesting_fault(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return "a tag does not end";
    std::string tag = page.substr(at + 1, end - at - 1);
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    const bool closes = tag.starts_with('/');
    if (closes) tag.erase(0, 1);
    tag = tag.substr(0, tag.find_first_of(" \n"));
    if (tag == "meta" || tag == "br") continue;
    if (!closes) {
      open.push_back(tag);
    } else if (open.empty() || open.back() != tag) {
      return "</" + tag + "> closes " + (open.empty() ? "nothing" : "<" + open.back() + ">");
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is left open";
}

TEST(Page, its_tags_nest) {
  EXPECT_EQ(nesting_fault(report_page(a_run())), "");
  EXPECT_EQ(nesting_fault(report_page({})), "");
  EXPECT_NE(nesting_fault("<p><b></p></b>"), "");  // the checker itself
}

TEST(Page, nothing_is_fetched_and_no_script_is_run) {
  const std::string page = report_page(a_run());
  for (const char* text : {"http:", "https:", "<script", "<link", "@import", "url(", "src="})
    EXPECT_EQ(page.find(text), std::string::npos) << text;
}

TEST(Page, every_text_of_the_scenario_is_escaped) {
  ReportData data = a_run();
  const std::string evil = "<script>x('\"&')</script>";
  data.name = data.about = data.command = data.commit = data.started = evil;
  data.scenario = evil + " = \"" + evil + "\"\n[" + evil + "]\n" + evil + " = 1\n";
  data.metrics[evil] = 1;
  data.verdicts = {{evil, false, evil}, {evil, true, evil}};
  for (ReportHistogram& histogram : data.histograms) histogram.name += evil;
  data.histograms.push_back({evil, "us", 1, 9, {{9, 1}}});
  data.lanes.push_back({evil, 1, {}, {1}});
  data.groups = {evil, evil};
  data.journal = {evil};
  const std::string page = report_page(data);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;x(&#39;&quot;&amp;&#39;)"), std::string::npos);
  EXPECT_EQ(nesting_fault(page), "");
}

TEST(Page, failures_come_before_the_figures) {
  ReportData data = a_run();
  EXPECT_NE(report_page(data).find("all checks passed"), std::string::npos);
  data.ok = false;
  data.verdicts[1] = {"expect gossip.delivery >= 1", false, "0.5"};
  const std::string page = report_page(data);
  EXPECT_EQ(page.find("all checks passed"), std::string::npos);
  EXPECT_NE(page.find("1 of 2 checks failed"), std::string::npos);
  EXPECT_LT(page.find("<b>failed:</b> expect gossip.delivery &gt;= 1"),
            page.find("class=\"tiles\""));
}

TEST(Page, a_long_run_and_a_large_one_stay_readable) {
  ReportData data = a_run();
  data.seconds.clear();
  for (std::int64_t s = 0; s < 86'400; ++s) data.seconds.push_back({s, 1, 1, 1, 0, 0});
  data.simulated_s = 86'400;
  data.picture.group.assign(10'000, 0);
  data.picture.up.assign(10'000, true);
  const std::string page = report_page(data);
  EXPECT_LT(page.size(), 2u << 20);
  EXPECT_NE(page.find("(means of 144 s)"), std::string::npos);
  EXPECT_NE(page.find("far (10,000)"), std::string::npos);
}

TEST(Plots, ticks_are_round_few_and_within_the_axis) {
  EXPECT_EQ(linear_ticks(0, 1, 4), (std::vector<double>{0, 0.5, 1}));
  EXPECT_EQ(log_ticks(20, 200), (std::vector<double>{20, 50, 100, 200}));
  for (const double end : {0.003, 1.0, 7.0, 90.0, 1234.5, 9e9}) {
    const auto ticks = linear_ticks(0, end, 5);
    EXPECT_GE(ticks.size(), 2u) << end;
    EXPECT_LE(ticks.size(), 12u) << end;
    EXPECT_LE(ticks.back(), end * 1.0001) << end;
    EXPECT_GE(roof(end), end);
    EXPECT_LE(roof(end), 1.5 * end);
    EXPECT_GE(round_up(end), end);
    EXPECT_LE(round_down(end), end);
  }
}

TEST(Plots, spans_that_overlap_are_shaded_once) {
  using Spans = std::vector<PlotPoint>;
  EXPECT_EQ(merged({{5, 9}, {1, 3}, {2, 4}, {6, 7}}), (Spans{{1, 4}, {5, 9}}));
  EXPECT_EQ(merged({}), Spans{});
}

TEST(Plots, bins_hold_every_value_once) {
  const ReportHistogram histogram{"h", "us", 10, 0, {{0, 1}, {5, 2}, {50, 3}, {51, 4}}};
  double sum = 0;
  for (const PlotBar& bar : log_bins(histogram, 1e-3)) {
    EXPECT_LT(bar.from, bar.to);
    sum += bar.height;
  }
  EXPECT_NEAR(sum, 100, 1e-9);
  EXPECT_NEAR(share_at_most(histogram, 1, 1).back().second, 100, 1e-9);
}

}  // namespace
}  // namespace kith::simnet
