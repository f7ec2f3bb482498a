// Texts that people and files are given: numbers with thousands separators, and the escapes of
// HTML, CSV and the shell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kith::simnet {

std::string grouped(std::uint64_t value);  // "1,234,567"
std::string figure_text(double value);     // "1,234,567", "105.1", "0.0123"
std::string counted(std::uint64_t n, const char* one, const char* many);  // "1 home", "20 homes"
std::string seconds_text(double seconds);       // "0.4 s", "12 s", "3 min 5 s", "2 h 7 min"
std::string bytes_text(double bytes);           // "512 B", "1.3 KiB", "20 MiB"
std::string percent_text(double share);         // never "100 %" of what is not all
std::string hash_text(std::uint64_t hash);      // 16 hex digits
std::string html_text(std::string_view text);   // also fit for attributes
std::string csv_field(std::string_view text);   // RFC 4180
std::string shell_word(std::string_view text);  // quoted where a shell would not leave it alone

}  // namespace kith::simnet
