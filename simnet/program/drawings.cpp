#include "simnet/program/drawings.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "simnet/program/plots.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

constexpr double kSide = 560;
constexpr std::size_t kOnCircleMax = 300;

std::string pixel(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// Places by rank: the angle of the spiral is the golden one, so that none lies on another.
std::vector<PlotPoint> places(std::size_t count) {
  std::vector<PlotPoint> at;
  const double middle = kSide / 2, radius = kSide / 2 - 12;
  for (std::size_t i = 0; i < count; ++i) {
    const double turn = static_cast<double>(i);
    const double n = static_cast<double>(count);
    const bool circle = count <= kOnCircleMax;
    const double angle =
        circle ? 2 * std::numbers::pi * turn / n : turn * std::numbers::pi * (3 - std::sqrt(5.0));
    const double r = circle ? radius : radius * std::sqrt((turn + 0.5) / n);
    at.emplace_back(middle + r * std::sin(angle), middle - r * std::cos(angle));
  }
  return at;
}

std::string legend(const ReportData& data) {
  std::vector<std::size_t> counts(data.groups.size());
  for (const std::uint8_t group : data.picture.group)
    if (group < counts.size()) ++counts[group];
  std::string out = "<p class=\"legend\">";
  for (std::size_t g = 0; g < counts.size(); ++g)
    if (counts[g] > 0)
      out += "<span><i class=\"b" + std::to_string(g % 6) + "\"></i>" + html_text(data.groups[g]) +
             " (" + grouped(counts[g]) + ")</span> ";
  const auto down = std::count(data.picture.up.begin(), data.picture.up.end(), false);
  if (down > 0) out += "<span>hollow: down at the end (" + grouped(std::size_t(down)) + ")</span>";
  return out + "</p>\n";
}

}  // namespace

std::string network_drawing(const ReportData& data) {
  const Picture& picture = data.picture;
  const std::size_t count = picture.group.size();
  if (count == 0) return {};
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return picture.group[a] < picture.group[b];
  });
  const auto by_rank = places(count);
  std::vector<PlotPoint> at(count);
  for (std::size_t rank = 0; rank < count; ++rank) at[order[rank]] = by_rank[rank];

  const double edges = static_cast<double>(picture.edges.size());
  const double faint = std::clamp(120 / (edges + 1), 0.08, 0.5);
  std::string out = "<svg class=\"network\" viewBox=\"0 0 " + pixel(kSide) + " " + pixel(kSide) +
                    "\" role=\"img\" aria-label=\"the network at the end of the run\">\n"
                    "<path class=\"edge\" style=\"opacity:" +
                    figure_text(faint) + "\" d=\"";
  for (const auto& [a, b] : picture.edges)
    out += "M" + pixel(at[a].first) + " " + pixel(at[a].second) + "L" + pixel(at[b].first) + " " +
           pixel(at[b].second);
  out += "\"/>\n";
  const double room = count <= kOnCircleMax
                          ? std::numbers::pi * kSide / static_cast<double>(count) / 2.6
                          : kSide / 2 / std::sqrt(static_cast<double>(count)) * 0.75;
  const std::string radius = pixel(std::clamp(room, 0.8, 6.0));
  for (const std::size_t node : order)
    out += "<circle class=\"g" + std::to_string(picture.group[node] % 6) +
           (picture.up[node] ? "" : " down") + "\" cx=\"" + pixel(at[node].first) + "\" cy=\"" +
           pixel(at[node].second) + "\" r=\"" + radius + "\"/>\n";
  return out + "</svg>\n" + legend(data);
}

std::string timeline_drawing(const ReportData& data) {
  if (data.lanes.empty() || !(data.simulated_s > 0)) return {};
  constexpr double kWidth = 980, kLeft = 110, kRight = 90, kLane = 26;
  const double floor = kLane * static_cast<double>(data.lanes.size()) + 8;
  const auto x = [&](double second) {
    return kLeft + std::clamp(second / data.simulated_s, 0.0, 1.0) * (kWidth - kLeft - kRight);
  };
  std::string out = "<svg class=\"timeline\" viewBox=\"0 0 " + pixel(kWidth) + " " +
                    pixel(floor + 34) + "\" role=\"img\" aria-label=\"what happened when\">\n";
  for (const double tick : linear_ticks(0, data.simulated_s, 10))
    out += "<line class=\"grid\" x1=\"" + pixel(x(tick)) + "\" x2=\"" + pixel(x(tick)) +
           "\" y1=\"0\" y2=\"" + pixel(floor) + "\"/><text class=\"middle\" x=\"" + pixel(x(tick)) +
           "\" y=\"" + pixel(floor + 14) + "\">" + figure_text(tick) + "</text>\n";
  out += "<text class=\"end\" x=\"" + pixel(kWidth - kRight) + "\" y=\"" + pixel(floor + 30) +
         "\">seconds since the start</text>\n";
  for (std::size_t i = 0; i < data.lanes.size(); ++i) {
    const ReportLane& lane = data.lanes[i];
    const double top = kLane * static_cast<double>(i) + 5;
    out += "<text class=\"end\" x=\"" + pixel(kLeft - 8) + "\" y=\"" + pixel(top + 13) + "\">" +
           html_text(lane.kind) + "</text>\n";
    for (const auto& [from, to] : lane.spans)
      out += "<rect class=\"span\" x=\"" + pixel(x(from)) + "\" y=\"" + pixel(top) + "\" width=\"" +
             pixel(std::max(x(to) - x(from), 1.0)) + "\" height=\"18\"/>\n";
    for (const double mark : lane.marks)
      out += "<line class=\"mark\" x1=\"" + pixel(x(mark)) + "\" x2=\"" + pixel(x(mark)) +
             "\" y1=\"" + pixel(top) + "\" y2=\"" + pixel(top + 18) + "\"/>\n";
    out += "<text x=\"" + pixel(kWidth - kRight + 8) + "\" y=\"" + pixel(top + 13) + "\">" +
           grouped(lane.count) + (lane.count == 1 ? " time" : " times") + "</text>\n";
  }
  return out + "</svg>\n";
}

}  // namespace kith::simnet
