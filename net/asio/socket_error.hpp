// What errno says, as an Error with a stable code.
#pragma once

#include <string>

#include "schema/base/result.hpp"

namespace kith::net {

// "WHAT: connection refused (ECONNREFUSED)". Out of descriptors or memory: exhausted; timed out:
// timeout; a port that is taken: in_use; not allowed: permission; all else: connection.
Error socket_error(int number, std::string what);

}  // namespace kith::net
