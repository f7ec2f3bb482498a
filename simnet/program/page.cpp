#include "simnet/program/page.hpp"

#include "simnet/program/summary.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {

std::string report_page(const ReportData& data) {
  return "<!doctype html><title>" + html_text(data.name) + "</title><p>" +
         html_text(opening_sentence(data)) + "</p>\n";
}

}  // namespace kith::simnet
