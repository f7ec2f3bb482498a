// Daemon: one node of one home folder, from its files to its sockets, until a signal or a client
// says stop.
//
// Order of the start: home and its lock, identity, store and its version, node, listeners, network,
// API, ready. What fails says what to do, and leaves nothing half-done: the listeners and the API
// come last.
// The stop: nobody new, requests end, the store is flushed, peers hear good-bye; at most kStopMax.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/daemon/config.hpp"
#include "services/daemon/home.hpp"

namespace kith::daemon {

inline constexpr Duration kStopMax = 4s;
inline constexpr Duration kFarewell = 150ms;  // for last lines to clients and peers
inline constexpr Duration kSequenceInterval = 10s;

struct RunOptions {
  Home home;
  Config config;
  bool json = false;  // one line on stdout when ready
  bool echo = false;
};

// Runs until stopped. Errors: what kept it from starting, or ended it.
Result<void> run_daemon(const RunOptions& options);

}  // namespace kith::daemon
