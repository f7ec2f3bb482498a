// What this program calls itself: to people, to peers (identify's agent) and in the API.
#pragma once

#include <string_view>

namespace kith::bridge {

inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kAgent = "kith/0.1.0";
// Of the JSON that the API and the command line print; grows when a field changes its meaning.
inline constexpr int kSchema = 1;

}  // namespace kith::bridge
