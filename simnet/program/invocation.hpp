// What the command line asks for, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schema/base/result.hpp"
#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {

enum Exit : int {
  kExitOk = 0,
  kExitError = 1,
  kExitUsage = 2,    // or a scenario that cannot be used
  kExitFailed = 10,  // a check or an [[expect]]; hashes that differ
};

// A scenario file or the name of a shipped one, and what is put in place of its values.
struct Source {
  std::string name;
  std::vector<Override> overrides;
};

struct RunCommand {
  Source source;
  std::string out;
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};
struct VerifyCommand {
  Source source;
  std::string against;  // another scenario, instead of the same once more
  std::uint32_t jobs = 1;
  bool quiet = false;
};
struct SweepCommand {
  Source source;
  std::uint64_t first = 1;
  std::uint32_t seeds = 0;
  std::uint32_t jobs = 1;
  std::uint32_t tries = 40;  // of smaller scenarios
  bool verify = false;
  std::string out;
  bool quiet = false;
};
struct ReplayCommand {
  std::string folder;
  bool quiet = false;
};
struct DiffCommand {
  std::string left, right;
};
struct ReportCommand {
  std::string folder;
};
struct ListCommand {};
struct ShowCommand {
  std::string name;
};
struct ExportCommand {
  Source source;
};
// For verify and sweep: the scenario comes on stdin, what it came to goes to stdout (children.hpp).
struct ChildCommand {
  std::optional<std::int64_t> record_second;
};
struct HelpCommand {
  std::string text;
};
struct VersionCommand {};

using Command = std::variant<RunCommand, VerifyCommand, SweepCommand, ReplayCommand, DiffCommand,
                             ReportCommand, ListCommand, ShowCommand, ExportCommand, ChildCommand,
                             HelpCommand, VersionCommand>;

// Errors: usage.
Result<Command> parse_command_line(std::vector<std::string> arguments);

// "kith-sim run hello --seed 7": the command that runs the same again.
std::string repeat_command(const Source& source);

}  // namespace kith::simnet
