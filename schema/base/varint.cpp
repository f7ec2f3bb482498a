#include "schema/base/varint.hpp"

namespace kith {

VarintRead read_varint(ByteView from) {
  VarintRead read;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i == kVarintBytesMax) return {VarintRead::State::malformed, 0, 0};
    const std::uint8_t byte = from[i];
    read.value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      if (byte == 0 && i > 0) return {VarintRead::State::malformed, 0, 0};
      read.state = VarintRead::State::complete;
      read.length = i + 1;
      return read;
    }
  }
  if (from.size() >= kVarintBytesMax) return {VarintRead::State::malformed, 0, 0};
  return {VarintRead::State::more, 0, 0};
}

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

std::size_t write_varint(std::uint8_t* to, std::uint64_t value) {
  std::size_t at = 0;
  while (value >= 0x80) {
    to[at++] = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7;
  }
  to[at++] = static_cast<std::uint8_t>(value);
  return at;
}

void append_varint(std::vector<std::uint8_t>& to, std::uint64_t value) {
  std::array<std::uint8_t, 10> buffer{};
  const std::size_t size = write_varint(buffer.data(), value);
  to.insert(to.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
}

}  // namespace kith
