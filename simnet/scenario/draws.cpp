#include "simnet/scenario/draws.hpp"

#include <bit>

namespace kith::simnet {

__extension__ using Wide = unsigned __int128;

std::uint64_t minus_log2(std::uint64_t bits) {
  if (bits == 0) return std::uint64_t{64} << 16;
  const auto zeros = static_cast<unsigned>(std::countl_zero(bits));
  // The mantissa in [1, 2) as a fraction of 2^63; its logarithm bit by bit, by squaring.
  std::uint64_t mantissa = bits << zeros;
  std::uint64_t log = 0;
  for (int i = 0; i < 16; ++i) {
    const auto square = static_cast<Wide>(mantissa) * mantissa;  // in [2^126, 2^128)
    const bool two = (square >> 127) != 0;
    mantissa = static_cast<std::uint64_t>(square >> (two ? 64 : 63));
    log = log << 1 | (two ? 1 : 0);
  }
  return (std::uint64_t{zeros + 1} << 16) - log;
}

Duration draw_duration(Rng& rng, Spread spread, Duration mean) {
  if (mean <= Duration{} || spread == Spread::fixed) return std::max(mean, Duration{});
  const auto base = static_cast<std::uint64_t>(mean.count());
  const std::uint64_t bits = rng.next();
  Wide drawn = 0;
  switch (spread) {
    case Spread::exponential:  // mean * ln 2 * -log2(u)
      drawn = static_cast<Wide>(base) * minus_log2(bits) * 45'426 >> 32;
      break;
    case Spread::pareto: {  // x_m / sqrt(u), x_m = mean / 2: 2^(-log2(u) / 2)
      const std::uint64_t half = minus_log2(bits) / 2;
      const std::uint64_t whole = half >> 16, part = half & 0xffff;
      // 2^part by its tangent-free chord: exact at both ends, 6 % above in between; then corrected
      // by a parabola to within 0.3 %.
      const std::uint64_t bow = part * (65'536 - part) >> 16;  // at most 1/4
      const std::uint64_t power = 65'536 + part - (bow * 22'545 >> 16);
      drawn = whole > 20 ? static_cast<Wide>(base) * 1000
                         : (static_cast<Wide>(base / 2) * power >> 16) << whole;
      break;
    }
    case Spread::uniform:
      drawn = static_cast<Wide>(base) * 2 * (bits >> 32) >> 32;
      break;
    case Spread::fixed:
      break;
  }
  const auto most = static_cast<Wide>(base) * 1000;
  drawn = std::min(std::min(drawn, most), static_cast<Wide>(INT64_MAX / 2));
  return Duration(static_cast<std::int64_t>(drawn));
}

}  // namespace kith::simnet
