// libsodium, initialised: picks the fastest code for this processor and opens the guarded memory.
// Everything in this folder that calls it goes through here first; later calls cost one load.
#pragma once

#include <sodium.h>

namespace kith::crypto {

void require_sodium();

}  // namespace kith::crypto
