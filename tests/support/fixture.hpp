// Files of tests/fixtures, whole.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "schema/base/bytes.hpp"

namespace kith {

// path: "js/identify.bin". Fails the test when the file is missing or empty.
inline Bytes fixture(const std::string& path) {
  std::ifstream file(std::filesystem::path(KITH_TEST_FIXTURES) / path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(content.empty()) << path;
  return Bytes::adopt(std::move(content));
}

}  // namespace kith
