// The report of a run as one HTML file: nothing is fetched, no script is run, texts of the scenario
// are escaped. Light and dark follow the reader's system.
#pragma once

#include <string>

#include "simnet/program/report_data.hpp"

namespace kith::simnet {

std::string report_page(const ReportData& data);

}  // namespace kith::simnet
