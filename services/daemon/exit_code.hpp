// What the command line ends with.
#pragma once

#include "schema/base/result.hpp"

namespace kith::daemon {

enum Exit : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitNotRunning = 3,
  kExitNotLocal = 4,  // not held here, and not asked of others
  kExitDeadline = 5,
};

constexpr Exit exit_of(Errc code) {
  if (code == Errc::usage) return kExitUsage;
  if (code == Errc::not_local) return kExitNotLocal;
  if (code == Errc::timeout) return kExitDeadline;
  return kExitFailed;
}

}  // namespace kith::daemon
