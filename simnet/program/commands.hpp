// The program's commands. Each returns the exit code; errors go to stderr as describe(Error).
#pragma once

#include "simnet/program/invocation.hpp"

namespace kith::simnet {

int run_command_line(std::vector<std::string> arguments);

// Errors: of the command; a failed check is not one.
Result<Exit> execute(const RunCommand& command);
Result<Exit> execute(const VerifyCommand& command);
Result<Exit> execute(const SweepCommand& command);
Result<Exit> execute(const ReplayCommand& command);
Result<Exit> execute(const DiffCommand& command);
Result<Exit> execute(const ReportCommand& command);
Result<Exit> execute(const ListCommand& command);
Result<Exit> execute(const ShowCommand& command);
Result<Exit> execute(const ExportCommand& command);

// Prints to stdout, and notices a full disk or a closed pipe.
Result<void> print(const std::string& text);
std::string utc_now();  // "2026-11-28T13:05:09Z"

}  // namespace kith::simnet
