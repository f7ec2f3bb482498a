// Unsigned varint as multiformats has it: at most 9 bytes, minimal encoding only
// (multiformats/unsigned-varint). Protobuf's own varints (10 bytes, non-minimal allowed) are
// protozero's business.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith {

inline constexpr std::size_t kVarintBytesMax = 9;

struct VarintRead {
  enum class State : std::uint8_t { complete, more, malformed } state = State::more;
  std::uint64_t value = 0;
  std::size_t length = 0;  // bytes used when complete
};

// Reads one varint from the front: complete, more bytes needed, or malformed (too long or not
// minimal).
VarintRead read_varint(ByteView from);
std::size_t varint_size(std::uint64_t value);  // value < 2^63
void append_varint(std::vector<std::uint8_t>& to, std::uint64_t value);
// Writes to `to`, which has room for varint_size(value); returns the bytes written.
std::size_t write_varint(std::uint8_t* to, std::uint64_t value);

}  // namespace kith
