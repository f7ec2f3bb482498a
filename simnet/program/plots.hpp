// Plots as inline SVG. Axes begin where they say, have units and few round ticks; a bar's axis
// begins at zero. Colours are classes that the page's style sets, so that light and dark both work.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kith::simnet {

using PlotPoint = std::pair<double, double>;
struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;  // by rising x
};
struct PlotFrame {
  std::string title;  // what is shown, with the unit of y: "bandwidth of all homes, MiB/s"
  std::string x_unit;
  double x_from = 0, x_to = 1;
  double y_from = 0, y_to = 1;
  bool x_log = false;
  std::vector<PlotPoint> shaded;  // spans of x: when faults lasted
};
struct PlotBar {
  double from, to, height;
};

std::string line_plot(const PlotFrame& frame, const std::vector<PlotSeries>& series);
std::string bar_plot(const PlotFrame& frame, const std::vector<PlotBar>& bars);

// Spans that overlap, as one: shades do not add up.
std::vector<PlotPoint> merged(std::vector<PlotPoint> spans);

// Round places within [from, to]: about `about` of them, or 1-2-5 of each decade.
std::vector<double> linear_ticks(double from, double to, int about);
std::vector<double> log_ticks(double from, double to);
// The next 1, 2 or 5 times a power of ten.
double round_up(double value);
double round_down(double value);
// The end of an axis from 0 that holds `value`: a tick of it, and near.
double roof(double value);

}  // namespace kith::simnet
