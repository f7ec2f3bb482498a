#include "simnet/program/page.hpp"

#include <algorithm>
#include <cmath>

#include "simnet/program/distribution.hpp"
#include "simnet/program/drawings.hpp"
#include "simnet/program/page_style.hpp"
#include "simnet/program/parameters.hpp"
#include "simnet/program/summary.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

constexpr std::size_t kPointsMax = 600;
constexpr double kMsPerUs = 1e-3;

class Page {
 public:
  explicit Page(const ReportData& data) : data_(data) {
    for (const ReportLane& lane : data.lanes)
      shaded_.insert(shaded_.end(), lane.spans.begin(), lane.spans.end());
    shaded_ = merged(std::move(shaded_));
  }

  std::string write() {
    out_ =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>" +
        html_text(data_.name) + " - kith-sim</title>\n<style>" + std::string(kPageStyle) +
        "</style></head>\n<body><main>\n";
    head();
    tiles();
    section("How messages spread", spread());
    section("Over time", over_time());
    section("How long requests took", requests());
    section("What struck when", timeline());
    section("The network at the end", network_drawing(data_));
    section("Figures", figures());
    section("Checks", checks());
    section("The scenario", parameters_section(data_.scenario));
    section("The same run again", "<pre>" + html_text(data_.command) +
                                      "</pre>\n<p class=\"soft\">hash " + hash_text(data_.hash) +
                                      ": the same seed gives the same hash, on every machine, "
                                      "with commit " +
                                      html_text(data_.commit) + ".</p>\n");
    return out_ + "</main></body></html>\n";
  }

 private:
  void section(const std::string& title, const std::string& content) {
    if (!content.empty()) out_ += "<section><h2>" + title + "</h2>\n" + content + "</section>\n";
  }

  void head() {
    out_ += "<h1>" + html_text(data_.name) + "</h1><span class=\"badge" +
            (data_.ok ? "\">all checks passed" : " bad\">" + failures()) +
            "</span>\n<p class=\"sentence\">" + html_text(opening_sentence(data_)) +
            "</p>\n<p class=\"about\">" + html_text(data_.about) + "</p>\n<p class=\"soft\">seed " +
            std::to_string(data_.seed) + " &middot; " + counted(data_.nodes, "home", "homes") +
            " &middot; " + seconds_text(data_.simulated_s) + " simulated in " +
            seconds_text(data_.wall_s) + " &middot; " + grouped(data_.events) +
            " events &middot; " + html_text(data_.started) + " &middot; kith-sim " +
            html_text(data_.version) + " (" + html_text(data_.commit) + ")</p>\n";
    for (const Verdict& verdict : data_.verdicts)
      if (!verdict.ok)
        out_ += "<div class=\"failed\"><b>failed:</b> " + html_text(verdict.what) +
                "<br><span class=\"soft\">found " + html_text(verdict.found) + "</span></div>\n";
  }

  std::string failures() const {
    const auto failed = std::count_if(data_.verdicts.begin(), data_.verdicts.end(),
                                      [](const Verdict& verdict) { return !verdict.ok; });
    return grouped(std::size_t(failed)) + " of " +
           counted(data_.verdicts.size(), "check", "checks") + " failed";
  }

  void tile(const std::string& value, const std::string& what) {
    out_ += "<div class=\"tile\"><b>" + value + "</b><span>" + what + "</span></div>\n";
  }
  static std::string short_text(double value) {  // three digits tell enough
    return figure_text(value >= 100  ? std::round(value)
                       : value >= 10 ? std::round(value * 10) / 10
                                     : std::round(value * 100) / 100);
  }
  void tiles() {
    out_ += "<div class=\"tiles\">\n";
    const auto from_metric = [&](const char* key, const std::string& unit, const char* what,
                                 double scale = 1) {
      if (const double* value = data_.metric(key)) tile(short_text(*value * scale) + unit, what);
    };
    const double* due = data_.metric("gossip.due");
    if (const double* share = data_.metric("gossip.delivery"); share && due && *due > 0)
      tile(percent_text(*share), "of due deliveries arrived");
    from_metric("gossip.copies", "", "copies received per delivery");
    from_metric("gossip.latency_ms_p50", " ms", "median time to a delivery");
    from_metric("gossip.latency_ms_p99", " ms", "99 of 100 deliveries within");
    from_metric("gossip.hops_max", "", "hops at most");
    if (const double* bytes = data_.metric("net.bytes"); bytes && data_.simulated_s > 0)
      tile(
          bytes_text(*bytes / double(std::max<std::uint64_t>(data_.nodes, 1)) / data_.simulated_s) +
              "/s",
          "sent by a home, on average");
    from_metric("nodes.up", "", "homes up at the end");
    from_metric("node.connections_max", "", "connections of a home at most");
    out_ += "</div>\n";
  }

  const ReportHistogram* histogram(const std::string& name) const {
    for (const ReportHistogram& one : data_.histograms)
      if (one.name == name && one.count > 0) return &one;
    return nullptr;
  }
  static double highest(const std::vector<PlotBar>& bars) {
    double most = 0;
    for (const PlotBar& bar : bars) most = std::max(most, bar.height);
    return roof(most);
  }

  std::string spread() {
    std::string plots;
    const ReportHistogram* latency = histogram("gossip latency");
    if (latency != nullptr && greatest(*latency) > 0) {
      const auto bars = log_bins(*latency, kMsPerUs);
      PlotFrame frame;
      frame.title = "time from publishing to a delivery, % of deliveries in each bin";
      frame.x_unit = "ms (log scale, " + std::to_string(kBinsADecade) + " bins a decade)";
      frame.x_log = true;
      frame.x_from = round_down(bars.front().from);
      frame.x_to = round_up(bars.back().to);
      frame.y_to = highest(bars);
      plots += bar_plot(frame, bars);
      frame.title = "deliveries that took at most so long, %";
      frame.x_unit = "ms (log scale)";
      frame.y_to = 100;
      plots += line_plot(frame, {{"", share_at_most(*latency, kMsPerUs, frame.x_from)}});
    }
    if (const ReportHistogram* hops = histogram("gossip hops")) {
      const auto bars = whole_bins(*hops);
      PlotFrame frame;
      frame.title = "hops from the publisher, % of deliveries";
      frame.x_unit = "hops";
      frame.x_from = 0;
      frame.x_to = std::max(greatest(*hops) + 1, 6.0);  // whole ticks
      frame.y_to = highest(bars);
      plots += bar_plot(frame, bars);
    }
    return plots.empty() ? plots : "<div class=\"plots\">\n" + plots + "</div>\n";
  }

  // The mean of each `step` seconds, so that long runs stay readable. Sums of a second are drawn in
  // its middle; `at` 1: what was counted at its end.
  template <class Value>
  std::vector<PlotPoint> series(Value&& value, double at = 0.5) const {
    std::vector<PlotPoint> points;
    const std::size_t step = seconds_step();
    for (std::size_t i = 0; i < data_.seconds.size(); i += step) {
      double sum = 0;
      std::size_t n = 0;
      for (; n < step && i + n < data_.seconds.size(); ++n) sum += value(data_.seconds[i + n]);
      points.emplace_back(double(data_.seconds[i].second) + double(n) * at, sum / double(n));
    }
    return points;
  }
  std::size_t seconds_step() const { return (data_.seconds.size() + kPointsMax - 1) / kPointsMax; }

  std::string time_plot(std::string title, std::vector<PlotSeries> all) const {
    double most = 0;
    for (const PlotSeries& one : all)
      for (const auto& [x, y] : one.points) most = std::max(most, y);
    PlotFrame frame;
    if (seconds_step() > 1) title += " (means of " + std::to_string(seconds_step()) + " s)";
    frame.title = std::move(title);
    frame.x_unit = "seconds since the start";
    frame.x_to = std::max(data_.simulated_s, 1.0);
    frame.y_to = roof(most);
    frame.shaded = shaded_;
    return line_plot(frame, all);
  }
  std::string bytes_plot(const std::string& what, std::vector<PlotPoint> points) const {
    double most = 0, unit = 1;
    for (const auto& [x, y] : points) most = std::max(most, y);
    const char* name = "B/s";
    for (const char* larger : {"KiB/s", "MiB/s", "GiB/s"})
      if (most / unit >= 1024) {
        unit *= 1024;
        name = larger;
      }
    for (auto& [x, y] : points) y /= unit;
    return time_plot(what + ", " + name, {{"", std::move(points)}});
  }

  std::string over_time() {
    if (data_.seconds.empty()) return {};
    std::string plots = time_plot("events of the simulation per simulated second",
                                  {{"", series([](const Second& s) { return double(s.events); })}});
    plots +=
        bytes_plot("sent by all homes", series([](const Second& s) { return double(s.bytes); }));
    plots += bytes_plot("sent by a home that is up, mean", series([](const Second& s) {
                          return s.up == 0 ? 0.0 : double(s.bytes) / double(s.up);
                        }));
    plots +=
        time_plot("homes up", {{"", series([](const Second& one) { return double(one.up); }, 1)}});
    const bool talked = std::any_of(data_.seconds.begin(), data_.seconds.end(),
                                    [](const Second& s) { return s.published + s.heard > 0; });
    if (talked) {
      plots += time_plot("messages published per second",
                         {{"", series([](const Second& s) { return double(s.published); })}});
      plots += time_plot("messages heard per second, all homes",
                         {{"", series([](const Second& s) { return double(s.heard); })}});
    }
    return "<div class=\"plots\">\n" + plots + "</div>\n" +
           (shaded_.empty() ? "" : "<p class=\"legend\">shaded: while faults lasted</p>\n");
  }

  std::string requests() {
    std::vector<const ReportHistogram*> shown;
    double low = 0, high = 0;
    for (const ReportHistogram& one : data_.histograms) {
      // A microsecond or less: answered from memory. Those are at the left edge.
      if (one.name == "gossip latency" || one.unit != "us" || !(greatest(one) > 1)) continue;
      shown.push_back(&one);
      low = shown.size() == 1 ? least(one) : std::min(low, least(one));
      high = std::max(high, greatest(one));
    }
    if (shown.empty()) return {};
    PlotFrame frame;
    frame.title = "requests done within so long, %";
    frame.x_unit = "ms (log scale)";
    frame.x_log = true;
    frame.x_from = round_down(low * kMsPerUs * 0.9);
    frame.x_to = round_up(high * kMsPerUs * 1.1);
    frame.y_to = 100;
    std::vector<PlotSeries> all;
    for (const ReportHistogram* one : shown)
      all.push_back({one->name + " (" + grouped(one->count) + ")",
                     share_at_most(*one, kMsPerUs, frame.x_from)});
    if (all.size() == 1) frame.title = all.front().name + ": " + frame.title;
    return "<div class=\"plots\">\n" + line_plot(frame, all) + "</div>\n";
  }

  std::string timeline() {
    std::string drawing = timeline_drawing(data_);
    if (drawing.empty()) return {};
    drawing = "<figure>" + drawing + "</figure>\n<details><summary class=\"soft\">the first " +
              counted(data_.journal.size(), "line", "lines") + " of the journal</summary><pre>";
    for (const std::string& line : data_.journal) drawing += html_text(line) + "\n";
    return drawing + "</pre></details>\n";
  }

  std::string figures() {
    std::string all = "<div class=\"figures\">\n";
    for (const auto& [key, value] : data_.metrics)
      all += "<div><span>" + html_text(key) + "</span><b>" + figure_text(value) + "</b></div>\n";
    return all + "</div>\n";
  }

  std::string checks() {
    std::string all = "<ul class=\"checks\">\n";
    for (const Verdict& verdict : data_.verdicts)
      all += std::string("<li>") + (verdict.ok ? "passed: " : "<b>failed:</b> ") +
             html_text(verdict.what) + " <span class=\"soft\">(found " + html_text(verdict.found) +
             ")</span></li>\n";
    return data_.verdicts.empty() ? "" : all + "</ul>\n";
  }

  const ReportData& data_;
  std::vector<PlotPoint> shaded_;
  std::string out_;
};

}  // namespace

std::string report_page(const ReportData& data) { return Page(data).write(); }

}  // namespace kith::simnet
