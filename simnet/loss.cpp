#include "simnet/loss.hpp"

#include <algorithm>

namespace kith::simnet {

namespace {
std::uint64_t integer_root(std::uint64_t value) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1)
    if (const std::uint64_t next = root | bit; next * next <= value) root = next;
  return root;
}
}  // namespace

std::uint64_t mathis_rate(Duration round_trip, std::uint32_t ppm) {
  const auto nanos = static_cast<std::uint64_t>(std::max(round_trip.count(), std::int64_t{1'000}));
  const std::uint64_t root = integer_root(std::uint64_t{ppm} * 1'000'000);  // 1000 sqrt(ppm)
  // 1.22 MSS / sqrt(ppm / 10^6), a nanosecond's worth times 10^9.
  const std::uint64_t scaled = 1'781'200'000'000'000'000u / root;
  return std::max(scaled / nanos, kLossRateMin);
}

Loss draw_loss(Draws& draws, std::uint32_t ppm, std::size_t bytes, Duration round_trip,
               Duration timeout) {
  Loss loss;
  const std::uint64_t packets =
      std::max<std::uint64_t>((bytes + kPacketBytes - 1) / kPacketBytes, 1);
  // Of many packets most that are lost once arrive the second time: one is left to be lost again.
  auto chance = static_cast<std::uint32_t>(std::min<std::uint64_t>(packets * ppm, 1'000'000));
  for (std::uint32_t losses = 0; draws.chance(chance); chance = ppm) {
    loss.delay += timeout;
    timeout *= 2;
    if (++losses <= kLossRetriesMax) continue;
    loss.fatal = true;
    return loss;
  }
  const std::uint64_t rate = mathis_rate(round_trip, ppm);
  loss.pace = Duration(static_cast<std::int64_t>(bytes * std::uint64_t{1'000'000'000} / rate));
  return loss;
}

}  // namespace kith::simnet
