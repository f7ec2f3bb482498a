// How values of a histogram fall, for plots: shares of bins of equal width on a log axis, and the
// share that is at most so much.
#pragma once

#include "simnet/program/plots.hpp"
#include "simnet/program/report_data.hpp"

namespace kith::simnet {

inline constexpr int kBinsADecade = 12;

// x is value * scale; zero is drawn as one. Heights are per cent of all.
std::vector<PlotBar> log_bins(const ReportHistogram& histogram, double scale);
std::vector<PlotBar> whole_bins(const ReportHistogram& histogram);  // a bar a whole number
// What lies below `x_from` is drawn there.
std::vector<PlotPoint> share_at_most(const ReportHistogram& histogram, double scale, double x_from);
double greatest(const ReportHistogram& histogram);
double least(const ReportHistogram& histogram);  // above one

}  // namespace kith::simnet
