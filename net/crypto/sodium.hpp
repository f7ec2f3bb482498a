// libsodium, initialised: picks the fastest code for this processor and opens the guarded memory.
// Everything in this folder that calls it goes through here first; later calls cost one load.
#pragma once

#include <sodium.h>

#include "schema/base/bytes.hpp"

namespace kith::crypto {

void require_sodium();

// libsodium forbids null pointers, also for no bytes.
inline const std::uint8_t* start_of(ByteView bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

}  // namespace kith::crypto
