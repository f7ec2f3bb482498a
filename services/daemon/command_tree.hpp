// CommandTree: how a service adds its commands to the parser from a file of its own
// (command_line_<service>.cpp). What an option writes to is held by the functions that make the
// command.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "services/daemon/invocation.hpp"

namespace kith::daemon {

struct CommandTree {
  using Make = std::function<Result<Command>()>;
  // `kith NAME ...`
  std::function<CLI::App*(const std::string& name, const std::string& what)> group;
  // `kith GROUP NAME`: what it is made into, once its options are read.
  std::function<CLI::App*(CLI::App& parent, const std::string& name, const std::string& what,
                          Make make)>
      leaf;
};

void add_uptime_commands(const CommandTree& tree);  // command_line_poa.cpp
void add_kv_commands(const CommandTree& tree);      // command_line_cstore.cpp
void add_fl_commands(const CommandTree& tree);      // command_line_edil.cpp

}  // namespace kith::daemon
