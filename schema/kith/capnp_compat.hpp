// Cap'n Proto 0.9's headers leave two comparisons to C++20's reversed candidates, which clang 16
// does not consider beside a declared operator!= (P2468). Read this before any header of Cap'n
// Proto.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <kj/string.h>
#pragma GCC diagnostic pop

#if defined(__clang__)
namespace kj {
inline bool operator==(const char* a, const StringPtr& b) { return b.operator==(StringPtr(a)); }
inline bool operator!=(const char* a, const StringPtr& b) { return !(a == b); }
}  // namespace kj
#endif
