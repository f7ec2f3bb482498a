#include "simnet/program/progress_line.hpp"

#include <unistd.h>

#include <cstdio>

#include "simnet/program/text.hpp"

namespace kith::simnet {

std::string progress_text(const RunProgress& progress, double events_per_second) {
  const double now = static_cast<double>(progress.now.time_since_epoch().count()) * 1e-9;
  const double until = static_cast<double>(progress.until.count()) * 1e-9;
  std::string text = seconds_text(now) + " of " + seconds_text(until) + ", " +
                     grouped(static_cast<std::uint64_t>(events_per_second)) + " events/s";
  if (progress.wall_s > 0) {
    const double factor = now / progress.wall_s;
    text += ", " + figure_text(factor) + " times real time";
    if (factor > 0 && until > now) text += ", " + seconds_text((until - now) / factor) + " left";
  }
  return text;
}

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

bool ProgressLine::due() const {
  const auto every = terminal_ ? std::chrono::milliseconds(200) : kProgressEvery;
  return !quiet_ && Clock::now() - last_ >= every;
}

void ProgressLine::on_progress(const RunProgress& progress) {
  if (!due()) return;
  const double took = progress.wall_s - wall_s_;
  const double rate = took > 0 ? static_cast<double>(progress.events - events_) / took : 0;
  wall_s_ = progress.wall_s;
  events_ = progress.events;
  show(progress_text(progress, rate));
}

void ProgressLine::on_text(const std::string& text) {
  if (due()) show(text);
}

void ProgressLine::show(const std::string& text) {
  last_ = Clock::now();
  drawn_ = true;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (drawn_ && terminal_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace kith::simnet
