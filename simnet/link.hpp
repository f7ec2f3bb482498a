// LinkOptions: how a node is attached to the simulated internet; every fault of a link is here.
// A path from a to b takes half of a's latency, half of b's and the jitter drawn for it.
#pragma once

#include <cstdint>

#include "net/base/time.hpp"

namespace kith::simnet {

struct LinkOptions {
  Duration latency = 20ms;                // one way, of a path between two such nodes
  Duration jitter{};                      // uniform in [0, jitter], drawn for each segment
  std::uint64_t up_bytes_per_second = 0;  // 0: unlimited
  std::uint64_t down_bytes_per_second = 0;
  std::size_t receive_window = 1u << 20;  // bytes under way and unread, each direction of a pipe
  std::uint32_t dial_failure_ppm = 0;     // chance that a dial to it is refused
  std::uint32_t reset_ppm = 0;            // chance, each segment that it sends, that the pipe dies
  // A segment is at most segment_max bytes (<= kPipeReadMax); with cut_ppm of chance it is cut at a
  // random place, so that readers meet every boundary.
  std::size_t segment_max = 64u << 10;
  std::uint32_t cut_ppm = 0;
};

// What holds for everybody.
struct NetOptions {
  Duration dial_timeout = 20s;  // of a dial that nobody answers
  Duration pipe_timeout = 30s;  // unacknowledged data kill the pipe after this long
  Duration retransmit = 200ms;  // how soon what was held up by a partition is tried again
};

}  // namespace kith::simnet
