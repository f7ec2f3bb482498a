// The two drawings of a report that are not plots: the network, and what struck it when.
#pragma once

#include <string>

#include "simnet/program/report_data.hpp"

namespace kith::simnet {

// Nodes on a circle, or on a spiral where there are many, by group; hollow ones are down. Edges are
// the connections at the end. Empty: there are no nodes.
std::string network_drawing(const ReportData& data);
// A lane for each kind of journal line. Empty: nothing happened.
std::string timeline_drawing(const ReportData& data);

}  // namespace kith::simnet
