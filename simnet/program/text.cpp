#include "simnet/program/text.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace kith::simnet {
namespace {

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string grouped(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string figure_text(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::fabs(value);
  const std::string sign = value < 0 ? "-" : "";
  if (size >= 1000 || (size == std::floor(size) && size < 1e15))
    return (size < 0.5 ? "" : sign) + (size < 1e15
                                           ? grouped(static_cast<std::uint64_t>(std::llround(size)))
                                           : formatted("%.4g", size));
  return formatted("%.4g", value);
}

std::string counted(std::uint64_t n, const char* one, const char* many) {
  return grouped(n) + " " + (n == 1 ? one : many);
}

std::string seconds_text(double seconds) {
  if (!(seconds >= 0)) return "-";
  if (seconds < 10) return formatted("%.1f s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 120) return std::to_string(whole) + " s";
  if (whole < 7200) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return grouped(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

std::string bytes_text(double bytes) {
  static constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return formatted(unit == 0 || bytes >= 100 ? "%.0f "
                   : bytes >= 10             ? "%.1f "
                                             : "%.2f ",
                   bytes) +
         kUnits[unit];
}

std::string percent_text(double share) {
  if (share >= 1) return "100 %";
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %%",
                share > 0.999  ? 4
                : share > 0.99 ? 2
                               : 1,
                std::floor(share * 1e6) / 1e4);
  return text;
}

std::string hash_text(std::uint64_t hash) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      out += "&#xfffd;";
    else
      out += c;
  }
  return out;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string shell_word(std::string_view text) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

}  // namespace kith::simnet
