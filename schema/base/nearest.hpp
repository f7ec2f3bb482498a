// The known name that a person most likely meant by a mistyped one, for "did you mean".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kith {

inline constexpr std::size_t kNearestTextMax = 64;  // longer texts are nobody's typing error

// Edits (insert, erase, replace, swap of neighbours) that lead from one text to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);
// Empty when nothing is near: more than a third of the letters would differ.
std::string_view nearest_name(std::string_view typed, std::span<const std::string_view> known);
// "did you mean 'listen'?", or the known names when none is near.
std::string suggest_name(std::string_view typed, std::span<const std::string_view> known);

}  // namespace kith
