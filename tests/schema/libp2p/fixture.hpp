// Files of tests/fixtures.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "schema/base/bytes.hpp"

namespace kith {

inline Bytes fixture(const std::string& name) {
  std::ifstream file(KITH_TEST_FIXTURES "/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return Bytes::adopt(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace kith
