// Where scenarios come from: a file, or the name of a shipped one.
#pragma once

#include <string>

#include "simnet/program/invocation.hpp"
#include "simnet/program/shipped.hpp"

namespace kith::simnet {

// What has a '/' or ends in ".toml" is a file; a plain name is a shipped one first, then a file.
// Errors: usage (no such scenario), io, configuration.
Result<Scenario> load_scenario(const Source& source);
Result<Shipped> find_shipped(const std::string& name);
// Errors: not_found, io, oversized. `name` for errors.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

}  // namespace kith::simnet
