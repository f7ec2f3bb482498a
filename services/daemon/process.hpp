// What a process does to itself: limits, and starting a daemon in the background.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "schema/base/result.hpp"

namespace kith::daemon {

// No core dump and no ptrace of others (the memory holds the identity); as many descriptors as the
// system allows. Best effort: a system that refuses is no reason not to start.
void harden_process();

// Starts `program` with `arguments` (without the program's own name) in a session of its own,
// stdin from /dev/null, stdout to /dev/null, stderr appended to `log_file` (0600).
Result<pid_t> start_in_background(const std::string& program,
                                  const std::vector<std::string>& arguments,
                                  const std::string& log_file);
// True once `pid` is gone; reaps it when it is our child.
bool process_gone(pid_t pid);
std::string own_program();  // /proc/self/exe

}  // namespace kith::daemon
