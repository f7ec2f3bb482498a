// What the benchmarks share: CPU clocks, and slices of rivals that take turns, so that noise of the
// machine meets all of them. The least of many slices is reported: noise only adds.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace kith::bench {

inline double clock_seconds(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}
inline double wall_seconds() { return clock_seconds(CLOCK_MONOTONIC); }
inline double process_cpu_seconds() { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }
inline double thread_cpu_seconds() { return clock_seconds(CLOCK_THREAD_CPUTIME_ID); }

struct Slice {
  double wall = std::numeric_limits<double>::infinity();
  double cpu = std::numeric_limits<double>::infinity();
};

struct Rival {
  std::string name;
  std::function<void()> run;  // one slice of work
  Slice best{};               // each figure's least over all slices
};

// Interleaved: every rival runs once a round; the first round warms up and does not count.
inline void compete(std::vector<Rival>& rivals, int rounds) {
  for (int round = 0; round <= rounds; ++round)
    for (Rival& rival : rivals) {
      const double wall = wall_seconds();
      const double cpu = process_cpu_seconds();
      rival.run();
      const double cpu_spent = process_cpu_seconds() - cpu;
      const double wall_spent = wall_seconds() - wall;
      if (round == 0) continue;
      rival.best.cpu = std::min(rival.best.cpu, cpu_spent);
      rival.best.wall = std::min(rival.best.wall, wall_spent);
    }
}

inline void print_row(const std::string& name, double value, const char* unit,
                      const std::string& remark = {}) {
  std::printf("%-46s %12.3f %-12s %s\n", name.c_str(), value, unit, remark.c_str());
}

}  // namespace kith::bench
