// Comparing runs: their figures side by side, and the first event in which two of them differ.
#pragma once

#include <string>

#include "simnet/program/child_run.hpp"

namespace kith::simnet {

// A table: metric, left, right, change in per cent; those that differ are marked.
std::string metrics_side_by_side(const std::map<std::string, double>& left,
                                 const std::map<std::string, double>& right);

// "at 12.000350000 s, node 7, SimLoops kind 2, data 0x..", for both.
std::string first_differing_event(const ChildRun& left, const ChildRun& right);

// The second in which two runs first differ, also where only their ends do.
std::optional<std::int64_t> differing_second(const ChildRun& left, const ChildRun& right);

}  // namespace kith::simnet
