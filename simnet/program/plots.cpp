#include "simnet/program/plots.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

constexpr double kWidth = 480, kHeight = 220;
constexpr double kLeft = 62, kRight = 14, kTop = 14, kBottom = 34;

std::string pixel(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

class Canvas {
 public:
  explicit Canvas(const PlotFrame& frame) : frame_(frame) {
    out_ = "<figure class=\"plot\"><figcaption>" + html_text(frame.title) +
           "</figcaption>\n<svg viewBox=\"0 0 " + pixel(kWidth) + " " + pixel(kHeight) +
           "\" role=\"img\" aria-label=\"" + html_text(frame.title) + "\">\n";
    for (const auto& [from, to] : frame.shaded) {
      const double a = x(std::clamp(from, frame.x_from, frame.x_to));
      const double b = x(std::clamp(to, frame.x_from, frame.x_to));
      rect("shade", a, kTop, std::max(b - a, 1.0), kHeight - kTop - kBottom);
    }
    axes();
  }

  double x(double value) const {
    const double share =
        frame_.x_log ? std::log(value / frame_.x_from) / std::log(frame_.x_to / frame_.x_from)
                     : (value - frame_.x_from) / (frame_.x_to - frame_.x_from);
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    const double share = (value - frame_.y_from) / (frame_.y_to - frame_.y_from);
    return kHeight - kBottom - share * (kHeight - kTop - kBottom);
  }
  void rect(const std::string& name, double left, double top, double width, double height) {
    out_ += "<rect class=\"" + name + "\" x=\"" + pixel(left) + "\" y=\"" + pixel(top) +
            "\" width=\"" + pixel(width) + "\" height=\"" + pixel(height) + "\"/>\n";
  }
  void line(std::size_t series, const std::vector<PlotPoint>& points) {
    out_ += "<polyline class=\"line s" + std::to_string(series % 6) + "\" points=\"";
    for (const auto& [px, py] : points) out_ += pixel(x(px)) + "," + pixel(y(py)) + " ";
    out_ += "\"/>\n";
  }
  std::string finish(const std::vector<PlotSeries>& legend) {
    out_ += "</svg>\n";
    if (legend.size() > 1) {
      out_ += "<p class=\"legend\">";
      for (std::size_t i = 0; i < legend.size(); ++i)
        out_ += "<span><i class=\"b" + std::to_string(i % 6) + "\"></i>" +
                html_text(legend[i].name) + "</span> ";
      out_ += "</p>\n";
    }
    return out_ + "</figure>\n";
  }

 private:
  void axes() {
    for (const double tick : linear_ticks(frame_.y_from, frame_.y_to, 4)) {
      const std::string at = pixel(y(tick));
      out_ += "<line class=\"grid\" x1=\"" + pixel(kLeft) + "\" x2=\"" + pixel(kWidth - kRight) +
              "\" y1=\"" + at + "\" y2=\"" + at + "\"/><text class=\"end\" x=\"" +
              pixel(kLeft - 6) + "\" y=\"" + pixel(y(tick) + 4) + "\">" + figure_text(tick) +
              "</text>\n";
    }
    const auto ticks = frame_.x_log ? log_ticks(frame_.x_from, frame_.x_to)
                                    : linear_ticks(frame_.x_from, frame_.x_to, 6);
    const double floor = kHeight - kBottom;
    for (const double tick : ticks)
      out_ += "<line class=\"axis\" x1=\"" + pixel(x(tick)) + "\" x2=\"" + pixel(x(tick)) +
              "\" y1=\"" + pixel(floor) + "\" y2=\"" + pixel(floor + 4) +
              "\"/><text class=\"middle\" x=\"" + pixel(x(tick)) + "\" y=\"" + pixel(floor + 17) +
              "\">" + figure_text(tick) + "</text>\n";
    out_ += "<line class=\"axis\" x1=\"" + pixel(kLeft) + "\" x2=\"" + pixel(kWidth - kRight) +
            "\" y1=\"" + pixel(floor) + "\" y2=\"" + pixel(floor) + "\"/><text class=\"end\" x=\"" +
            pixel(kWidth - kRight) + "\" y=\"" + pixel(kHeight - 3) + "\">" +
            html_text(frame_.x_unit) + "</text>\n";
  }

  const PlotFrame& frame_;
  std::string out_;
};

// The power of ten at or below, and how many of it.
std::pair<double, double> decade(double value) {
  const double power = std::pow(10, std::floor(std::log10(value) + 1e-9));
  return {power, value / power};
}

}  // namespace

std::vector<PlotPoint> merged(std::vector<PlotPoint> spans) {
  std::sort(spans.begin(), spans.end());
  std::vector<PlotPoint> out;
  for (const PlotPoint& span : spans) {
    if (out.empty() || span.first > out.back().second)
      out.push_back(span);
    else
      out.back().second = std::max(out.back().second, span.second);
  }
  return out;
}

double round_up(double value) {
  if (!(value > 0)) return 1;
  const auto [power, times] = decade(value);
  for (const double step : {1.0, 2.0, 5.0})
    if (times <= step * (1 + 1e-9)) return step * power;
  return 10 * power;
}

double round_down(double value) {
  if (!(value > 0)) return 1;
  const auto [power, times] = decade(value);
  for (const double step : {5.0, 2.0})
    if (times >= step * (1 - 1e-9)) return step * power;
  return power;
}

double roof(double value) {
  if (!(value > 0)) return 1;
  const double step = round_up(value / 4);
  return std::ceil(value / step - 1e-9) * step;
}

std::vector<double> linear_ticks(double from, double to, int about) {
  std::vector<double> ticks;
  if (!(to > from)) return {from};
  const double step = round_up((to - from) / about);
  const double first = std::ceil(from / step - 1e-9);
  for (int i = 0; i <= 2 * about + 2; ++i) {
    const double tick = (first + i) * step;
    if (tick > to * (1 + 1e-9) + 1e-12) break;
    ticks.push_back(tick);
  }
  return ticks;
}

std::vector<double> log_ticks(double from, double to) {
  std::vector<double> ticks;
  const double decades = std::log10(to / from);
  for (double power = decade(from).first; power <= to * (1 + 1e-9); power *= 10)
    for (const double step : {1.0, 2.0, 5.0}) {
      if (step > 1 && decades > 2.2) continue;
      const double tick = step * power;
      if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) ticks.push_back(tick);
    }
  return ticks;
}

std::string line_plot(const PlotFrame& frame, const std::vector<PlotSeries>& series) {
  Canvas canvas(frame);
  for (std::size_t i = 0; i < series.size(); ++i) canvas.line(i, series[i].points);
  return canvas.finish(series);
}

std::string bar_plot(const PlotFrame& frame, const std::vector<PlotBar>& bars) {
  Canvas canvas(frame);
  for (const PlotBar& bar : bars) {
    const double left = canvas.x(bar.from) + 0.5, right = canvas.x(bar.to) - 0.5;
    const double top = canvas.y(bar.height);
    canvas.rect("bar", left, top, std::max(right - left, 0.5), canvas.y(0) - top);
  }
  return canvas.finish({});
}

}  // namespace kith::simnet
