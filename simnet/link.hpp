// LinkOptions: how a node is attached to the simulated internet; every fault of a link is here.
// A path from a to b takes half of a's latency, half of b's and the jitter drawn for it.
#pragma once

#include <cstdint>
#include <vector>

#include "net/base/time.hpp"
#include "simnet/nat.hpp"

namespace kith::simnet {

// How jitter is spread over [0, LinkOptions::jitter]; normal: the sum of four uniform draws.
enum class Jitter : std::uint8_t { uniform, normal };

// One way between regions, from row to column; square.
using RegionTable = std::vector<std::vector<Duration>>;

struct LinkOptions {
  Duration latency = 20ms;  // one way, of a path between two such nodes
  Duration jitter{};        // drawn for each segment that it sends
  Jitter jitter_kind = Jitter::uniform;
  std::uint64_t up_bytes_per_second = 0;  // 0: unlimited
  std::uint64_t down_bytes_per_second = 0;
  std::size_t receive_window = 1u << 20;  // bytes under way and unread, each direction of a pipe
  std::uint32_t dial_failure_ppm = 0;     // chance that a dial to it is refused
  std::uint32_t reset_ppm = 0;            // chance, each segment that it sends, that the pipe dies
  // Chance that a packet of kPacketBytes is lost on this side of a path: a path between two such
  // nodes loses twice as many. A stream meets it as TCP does: the segment comes later, the rate
  // falls, and at last the connection dies (loss.hpp).
  std::uint32_t loss_ppm = 0;
  std::uint8_t region = 0;     // with SimNet::set_regions
  Nat nat = Nat::open;         // in front of it
  Duration cpu_per_message{};  // its thread is busy so long with each segment that comes in
  // A segment is at most segment_max bytes (<= kPipeReadMax); with cut_ppm of chance it is cut at a
  // random place, so that readers meet every boundary.
  std::size_t segment_max = 64u << 10;
  std::uint32_t cut_ppm = 0;
  friend bool operator==(const LinkOptions&, const LinkOptions&) = default;
};

// What holds for everybody.
struct NetOptions {
  Duration dial_timeout = 20s;  // of a dial that nobody answers
  Duration pipe_timeout = 30s;  // unacknowledged data kill the pipe after this long
  Duration retransmit = 200ms;  // how soon what was held up by a partition is tried again
};

}  // namespace kith::simnet
