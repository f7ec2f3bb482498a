// A node's counters and gauges in the Prometheus text format. Base units; no peer is a label.
#pragma once

#include <string>

#include "services/node/node.hpp"

namespace kith::bridge {

std::string metrics_text(const node::Status& status);

}  // namespace kith::bridge
