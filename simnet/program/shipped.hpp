// What the program carries: the scenarios of simnet/scenarios/ and where it was built from. The
// definitions are generated (.cmake/program_data.cmake).
#pragma once

#include <string_view>
#include <vector>

namespace kith::simnet {

struct Shipped {
  std::string_view name;  // the file's, without .toml
  std::string_view text;
};
const std::vector<Shipped>& shipped_scenarios();  // by name

std::string_view program_commit();  // `git describe` when it was built; "unknown" without git
std::string_view program_version();

}  // namespace kith::simnet
