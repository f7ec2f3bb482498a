// One stream between two hosts, as fast as it goes, beside the closed form
// min(bandwidth, window / round trip). The window is the pipe's: as TCP's it opens with every byte
// that was read. (Yamux's own opens by halves: where that one binds, a stream gets between half and
// all of window / round trip. It grows to 16 MiB, which is more than links of homes need.)
#pragma once

#include "tests/reality/street.hpp"

namespace kith::reality {

// Measured over this much, after the windows have grown.
inline constexpr std::size_t kStreamWarmUp = 4u << 20;
inline constexpr std::size_t kStreamBytes = 32u << 20;

struct Stretch {
  Duration latency;
  std::uint64_t bandwidth;  // bytes a second; 0: unlimited
  std::size_t window;       // bytes
  bool window_binds() const;
  double closed_form() const;  // bytes a second
};

// Bytes a second; 0: it did not end in time.
double throughput(const Stretch& stretch, Kind kind);

}  // namespace kith::reality
