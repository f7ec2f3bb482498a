// A value in the store behind its checksum (XXH3-64), for records in which a turned bit makes
// another record. What is not read as it was written is read again kRereadsMax times, as that may
// pass; then it is damaged.
#pragma once

#include <cstdint>
#include <optional>

#include "schema/base/bytes.hpp"

namespace kith {

inline constexpr std::uint32_t kRereadsMax = 3;

Bytes to_checked(ByteView exact);
std::optional<Bytes> of_checked(const Bytes& value);  // none: it is not what was written

}  // namespace kith
