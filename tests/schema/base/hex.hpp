// Byte strings in tests, as hexadecimal.
#pragma once

#include <gtest/gtest.h>

#include "schema/base/base_encoding.hpp"

namespace kith {

inline Bytes hex(std::string_view text) {
  const Decoded bytes = from_base16(text);
  EXPECT_TRUE(bytes) << text;
  return bytes ? Bytes::copy(ByteView(*bytes)) : Bytes();
}

}  // namespace kith
