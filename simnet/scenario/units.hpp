// Texts of people for quantities, and back: "25ms", "2KiB", "50Mbit/s", "120/s", "10%". Integers
// only, so that a scenario means the same on every machine. What prints, parses back to the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/base/time.hpp"

namespace kith::simnet {

// "1h30m", "90s", "1.5s", "25ms", "10us", "7ns", "0". At most some 290 years.
std::optional<Duration> parse_duration(std::string_view text);
std::string duration_text(Duration value);
// "2KiB", "1.5MiB", "64KB", "100B", "100".
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);
// "50Mbit/s", "6.25MB/s", "1Gbit/s", "unlimited" (0); bytes in a second.
std::optional<std::uint64_t> parse_bandwidth(std::string_view text);
std::string bandwidth_text(std::uint64_t bytes_per_second);
// "120/s", "3/m", "1/h": the time between two; zero is no rate.
std::optional<Duration> parse_rate(std::string_view text);
// "10%", "0.25%", "150ppm": parts of a million, at most all of it.
std::optional<std::uint32_t> parse_share(std::string_view text);
std::string share_text(std::uint32_t ppm);

}  // namespace kith::simnet
