// The scenario of a run as a report shows it: each table's values that are not the usual ones, and
// behind them all of it as TOML.
#pragma once

#include <string>

namespace kith::simnet {

// `scenario`: scenario_text of what ran; empty gives an empty section. HTML, every text escaped.
std::string parameters_section(const std::string& scenario);

}  // namespace kith::simnet
