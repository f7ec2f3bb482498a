// What a person reads of a node, as text and as JSON lines.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "services/daemon/home.hpp"
#include "services/node/node.hpp"

namespace kith::daemon {

// `run`: one JSON line on stdout, or a few lines on stderr.
void report_ready(const node::Status& status, const Home& home, bool json);

}  // namespace kith::daemon
