// What packet loss does to a stream, as TCP shows it to its user; arithmetic and draws only.
//
// * A lost segment comes after a retransmission timeout: at least 200 ms (RFC 6298 says one second,
//   kernels take 200 ms; the first packets of a connection wait that second), at least one round
//   trip, twice that when it is lost again, and so on. After kLossRetriesMax retries, 25 s with
//   200 ms, the connection dies.
// * The rate stays below 1.22 * MSS / (RTT * sqrt(p)) (Mathis et al., "The macroscopic behavior of
//   the TCP congestion avoidance algorithm", 1997): the pipe waits that long before it sends more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/base/time.hpp"
#include "simnet/draws.hpp"

namespace kith::simnet {

inline constexpr std::uint32_t kPacketBytes = 1460;   // an Ethernet's, less the headers
inline constexpr std::uint32_t kLossRetriesMax = 6;   // of one segment in a row
inline constexpr Duration kRetransmitAfter = 200ms;   // at least
inline constexpr Duration kRetransmitSynAfter = 1s;   // SYN and its answer
inline constexpr std::uint64_t kLossRateMin = 1'000;  // bytes a second, however bad the path

struct Loss {
  Duration delay{};    // beside the latency; fatal: until the sender gives up
  Duration pace{};     // that the pipe must wait before its next segment
  bool fatal = false;  // the connection dies
};

// Of a segment of so many bytes; `ppm` > 0. `timeout`: the first one.
Loss draw_loss(Draws& draws, std::uint32_t ppm, std::size_t bytes, Duration round_trip,
               Duration timeout);
// Bytes a second; `ppm` > 0.
std::uint64_t mathis_rate(Duration round_trip, std::uint32_t ppm);

}  // namespace kith::simnet
