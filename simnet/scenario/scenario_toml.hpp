// Scenarios as TOML: read strictly, and written so that they read back the same.
//
// Every key must be known, every value of its type and in its range; groups that are named must
// exist, times lie within the run, shares add up. An error names file, line and column, the cause
// and what to write instead. Bounds: kScenarioBytesMax, the k...Max of scenario.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/base/result.hpp"
#include "simnet/scenario/scenario.hpp"

namespace kith::simnet {

// A value put in place of the file's: "link.loss=5%", "work.0.every=10/s", "nodes=50". Lists count
// from 0. The value is TOML, or a text without its quotes.
struct Override {
  std::string key;
  std::string value;
};
Result<Override> parse_override(std::string_view text);

// `name`: the file's, for errors. Errors: configuration.
Result<Scenario> read_scenario(std::string_view text, const std::string& name,
                               const std::vector<Override>& overrides = {});
// All of it, also what is as usual.
std::string scenario_text(const Scenario& scenario);
// What reading cannot see field by field: names, times, sums. `name`: where errors point to.
Result<void> check_scenario(const Scenario& scenario, const std::string& name);

}  // namespace kith::simnet
