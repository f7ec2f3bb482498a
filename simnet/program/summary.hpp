// What a person reads when a run is over.
#pragma once

#include <string>

#include "simnet/program/report_data.hpp"

namespace kith::simnet {

// One sentence on what happened: "1,000 homes found each other; each of 20 messages reached all 999
// others, half of them within 105 ms over 2 hops, 7.9 copies each."
std::string opening_sentence(const ReportData& data);
// The sentence, the verdicts that failed, the hash, and how to repeat a failure.
std::string summary_text(const ReportData& data);

}  // namespace kith::simnet
