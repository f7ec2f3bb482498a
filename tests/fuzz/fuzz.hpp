// For fuzz targets: what must hold is asserted with FUZZ_CHECK, which stops the run.
#pragma once

#include <cstddef>
#include <cstdint>

#include "schema/base/bytes.hpp"

#define FUZZ_CHECK(condition) (static_cast<bool>(condition) ? void(0) : __builtin_trap())
