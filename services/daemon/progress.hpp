// Progress: how long work is told on stderr. On a terminal one line that is written over: phase,
// bytes, rate, time left. Otherwise a line when the phase changes and one every kProgressEvery.
// What is over within kQuietAtFirst says nothing.
// Also notices when nothing moves, so that a fetch does not wait for ever.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "schema/base/result.hpp"

namespace kith::daemon {

inline constexpr std::chrono::seconds kProgressEvery{10};
inline constexpr std::chrono::milliseconds kRedrawEvery{100};
inline constexpr std::chrono::milliseconds kQuietAtFirst{500};

struct ProgressFacts {
  std::string phase;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_total = 0;  // 0: not known yet
  std::uint32_t providers = 0;
  std::uint32_t keepers = 0;
  std::string note;
};

// "fetching 12.0 MiB of 256.0 MiB (4%), 31.2 MiB/s, 8 s left: from 2 peers"
std::string progress_text(const ProgressFacts& facts, double bytes_per_second);

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  // stall: with no byte or phase moving for so long, on_tick fails with Errc::timeout; 0: never.
  explicit Progress(std::chrono::milliseconds stall);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void on_facts(const ProgressFacts& facts);
  Result<void> on_tick();

 private:
  void draw_if_due(Clock::time_point now);
  void draw(Clock::time_point now);

  std::chrono::milliseconds stall_;
  bool terminal_;
  bool drawn_ = false;
  bool new_phase_ = false;
  const Clock::time_point start_ = Clock::now();
  ProgressFacts facts_;
  Clock::time_point phase_start_;
  std::uint64_t phase_bytes_ = 0;
  Clock::time_point moved_;
  Clock::time_point last_draw_{};
};

}  // namespace kith::daemon
