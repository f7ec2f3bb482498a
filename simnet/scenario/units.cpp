#include "simnet/scenario/units.hpp"

#include <array>
#include <limits>

namespace kith::simnet {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t worth;  // of the smallest
};

constexpr std::array<Unit, 6> kTimes{{{"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};
constexpr std::array<Unit, 8> kSizes{{{"GiB", 1u << 30},
                                      {"MiB", 1u << 20},
                                      {"KiB", 1u << 10},
                                      {"GB", 1'000'000'000},
                                      {"MB", 1'000'000},
                                      {"KB", 1'000},
                                      {"B", 1},
                                      {"", 1}}};
constexpr std::array<Unit, 8> kBandwidths{{{"Gbit/s", 125'000'000},
                                           {"Mbit/s", 125'000},
                                           {"Kbit/s", 125},
                                           {"GB/s", 1'000'000'000},
                                           {"MB/s", 1'000'000},
                                           {"KB/s", 1'000},
                                           {"B/s", 1},
                                           {"", 1}}};
constexpr std::array<Unit, 2> kShares{{{"%", 10'000}, {"ppm", 1}}};

bool digit(char c) { return c >= '0' && c <= '9'; }

// Takes "12.5ms" off the front of `text`: the number in the smallest unit. Nothing where it does
// not fit, or where the fraction is finer than that unit.
template <std::size_t N>
std::optional<std::uint64_t> take(std::string_view& text, const std::array<Unit, N>& units) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::size_t at = 0;
  std::uint64_t whole = 0, part = 0, scale = 1;
  for (; at < text.size() && digit(text[at]); ++at) {
    if (whole > (kMax - 9) / 10) return std::nullopt;
    whole = whole * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  if (at == 0) return std::nullopt;
  if (at < text.size() && text[at] == '.') {
    const std::size_t first = ++at;
    for (; at < text.size() && digit(text[at]); ++at) {
      if (scale > 100'000'000) return std::nullopt;
      part = part * 10 + static_cast<std::uint64_t>(text[at] - '0');
      scale *= 10;
    }
    if (at == first) return std::nullopt;
  }
  const std::size_t unit_begin = at;
  while (at < text.size() && !digit(text[at])) ++at;
  const std::string_view name = text.substr(unit_begin, at - unit_begin);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (part * unit.worth % scale != 0 || whole > (kMax - unit.worth) / unit.worth)
      return std::nullopt;
    text.remove_prefix(at);
    return whole * unit.worth + part * unit.worth / scale;
  }
  return std::nullopt;
}

template <std::size_t N>
std::optional<std::uint64_t> take_all(std::string_view text, const std::array<Unit, N>& units) {
  const auto taken = take(text, units);
  return text.empty() ? taken : std::nullopt;
}

// The largest unit that leaves no rest.
template <std::size_t N>
std::string print(std::uint64_t value, const std::array<Unit, N>& units) {
  for (const Unit& unit : units)
    if (value % unit.worth == 0) return std::to_string(value / unit.worth) + std::string(unit.name);
  return std::to_string(value);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{};
  std::uint64_t sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto taken = take(text, kTimes);
    if (!taken) return std::nullopt;
    sum += *taken;
    if (sum > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return std::nullopt;
  }
  return Duration(static_cast<std::int64_t>(sum));
}

std::string duration_text(Duration value) {
  if (value <= Duration{}) return "0s";
  return print(static_cast<std::uint64_t>(value.count()), kTimes);
}

std::optional<std::uint64_t> parse_size(std::string_view text) { return take_all(text, kSizes); }
std::string size_text(std::uint64_t bytes) { return bytes == 0 ? "0B" : print(bytes, kSizes); }

std::optional<std::uint64_t> parse_bandwidth(std::string_view text) {
  if (text == "unlimited") return 0;
  return take_all(text, kBandwidths);
}
std::string bandwidth_text(std::uint64_t bytes_per_second) {
  return bytes_per_second == 0 ? "unlimited" : print(bytes_per_second, kBandwidths);
}

std::optional<Duration> parse_rate(std::string_view text) {
  std::size_t at = 0;
  std::uint64_t count = 0;
  for (; at < text.size() && digit(text[at]) && count < 1'000'000'000; ++at)
    count = count * 10 + static_cast<std::uint64_t>(text[at] - '0');
  if (at == 0 || count == 0) return std::nullopt;
  const std::string_view per = text.substr(at);
  std::uint64_t span = 0;
  if (per == "/s") span = 1'000'000'000;
  if (per == "/m") span = 60'000'000'000;
  if (per == "/h") span = 3'600'000'000'000;
  if (span == 0 || span < count) return std::nullopt;
  return Duration(static_cast<std::int64_t>(span / count));
}

std::optional<std::uint32_t> parse_share(std::string_view text) {
  const auto ppm = take_all(text, kShares);
  if (!ppm || *ppm > 1'000'000) return std::nullopt;
  return static_cast<std::uint32_t>(*ppm);
}
std::string share_text(std::uint32_t ppm) { return ppm == 0 ? "0%" : print(ppm, kShares); }

}  // namespace kith::simnet
