#include "simnet/program/distribution.hpp"

#include <algorithm>
#include <cmath>

namespace kith::simnet {
namespace {

double on_log(std::uint64_t value) {
  return static_cast<double>(std::max<std::uint64_t>(value, 1));
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<PlotBar> log_bins(const ReportHistogram& histogram, double scale) {
  std::map<int, std::uint64_t> bins;
  for (const auto& [end, count] : histogram.buckets)
    bins[static_cast<int>(std::floor(std::log10(on_log(end)) * kBinsADecade))] += count;
  std::vector<PlotBar> bars;
  for (const auto& [bin, count] : bins)
    bars.push_back({std::pow(10, double(bin) / kBinsADecade) * scale,
                    std::pow(10, double(bin + 1) / kBinsADecade) * scale,
                    percent(count, histogram.count)});
  return bars;
}

std::vector<PlotBar> whole_bins(const ReportHistogram& histogram) {
  std::vector<PlotBar> bars;
  for (const auto& [end, count] : histogram.buckets)
    bars.push_back({static_cast<double>(end) - 0.4, static_cast<double>(end) + 0.4,
                    percent(count, histogram.count)});
  return bars;
}

std::vector<PlotPoint> share_at_most(const ReportHistogram& histogram, double scale,
                                     double x_from) {
  std::vector<PlotPoint> points;
  std::uint64_t sum = 0;
  for (const auto& [end, count] : histogram.buckets) {
    const double x = std::max(on_log(end) * scale, x_from);
    points.emplace_back(x, percent(sum, histogram.count));  // a step
    sum += count;
    points.emplace_back(x, percent(sum, histogram.count));
  }
  return points;
}

double greatest(const ReportHistogram& histogram) {
  return histogram.buckets.empty() ? 0 : static_cast<double>(histogram.buckets.back().first);
}

double least(const ReportHistogram& histogram) {
  for (const auto& [end, count] : histogram.buckets)
    if (end > 1) return static_cast<double>(end);
  return 1;
}

}  // namespace kith::simnet
