// CHECK is for our own bugs: always on, in release too, and never guards peer input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace kith {
[[noreturn]] inline void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, what);
  std::abort();
}
}  // namespace kith

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::kith::check_failed(#condition, __FILE__, __LINE__))
