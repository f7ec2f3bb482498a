// ProgressLine: how far a run is, on stderr. On a terminal one line that is written over; otherwise
// a line every kProgressEvery.
#pragma once

#include <chrono>
#include <string>

#include "simnet/scenario/run.hpp"

namespace kith::simnet {

inline constexpr std::chrono::seconds kProgressEvery{10};

// "34 s of 90 s, 1,204,311 events/s, 2.1 times real time, 27 s left"
std::string progress_text(const RunProgress& progress, double events_per_second);

class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void on_progress(const RunProgress& progress);
  void on_text(const std::string& text);  // anything else that moves on
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool due() const;
  void show(const std::string& text);
  bool quiet_, terminal_;
  bool drawn_ = false;
  Clock::time_point last_ = Clock::now();
  double wall_s_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace kith::simnet
