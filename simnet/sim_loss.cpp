// SimNet: what packet loss does to a stream, as TCP shows it to its user.
//
// * A lost segment comes after a retransmission timeout: at least 200 ms (RFC 6298 says one second,
//   kernels take 200 ms), at least one round trip, twice that when it is lost again, and so on
//   until kLossesMax.
// * The rate stays below 1.22 * MSS / (RTT * sqrt(p)) (Mathis et al., "The macroscopic behavior of
//   the TCP congestion avoidance algorithm", 1997): the pipe waits that long before it sends more.
#include <algorithm>

#include "simnet/sim_net.hpp"

namespace kith::simnet {
namespace {

constexpr Duration kTimeoutMin = 200ms;

std::uint64_t integer_root(std::uint64_t value) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1)
    if (const std::uint64_t next = root | bit; next * next <= value) root = next;
  return root;
}

}  // namespace

// Bytes a second.
std::uint64_t SimNet::loss_rate(NodeIndex from, NodeIndex to, std::uint32_t ppm) const {
  const auto round_trip = static_cast<std::uint64_t>(
      std::max((latency(from, to) + latency(to, from)).count(), std::int64_t{1'000}));
  const std::uint64_t root = integer_root(std::uint64_t{ppm} * 1'000'000);  // 1000 sqrt(ppm)
  const std::uint64_t scaled = 1'781'200'000'000'000'000u / root;  // 1.22 MSS 10^12 / sqrt(ppm)
  return std::max<std::uint64_t>(scaled / round_trip, 1'000);
}

SimNet::Loss SimNet::draw_loss(NodeIndex from, NodeIndex to, std::size_t bytes, std::uint32_t ppm) {
  Loss loss;
  const std::uint64_t packets = bytes / kPacketBytes + 1;
  // Of many packets most that are lost once arrive the second time: one is left to be lost again.
  auto chance = static_cast<std::uint32_t>(std::min<std::uint64_t>(packets * ppm, 1'000'000));
  Duration timeout = std::max(kTimeoutMin, latency(from, to) + latency(to, from));
  for (std::uint32_t losses = 0; nodes_[from].rng.chance(chance); chance = ppm) {
    if (++losses > kLossesMax) {
      loss.fatal = true;
      return loss;
    }
    loss.delay += timeout;
    timeout *= 2;
  }
  const std::uint64_t rate = loss_rate(from, to, ppm);
  loss.pace = Duration(static_cast<std::int64_t>(bytes * std::uint64_t{1'000'000'000} / rate));
  return loss;
}

}  // namespace kith::simnet
