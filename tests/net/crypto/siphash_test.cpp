#include "net/crypto/siphash.hpp"

#include <gtest/gtest.h>

namespace kith::crypto {
namespace {

TEST(SipHash, vector_of_its_paper) {
  Wiped<16> key;
  std::vector<std::uint8_t> input(15);
  for (std::uint8_t i = 0; i < 16; ++i) key.data()[i] = i;
  for (std::uint8_t i = 0; i < 15; ++i) input[i] = i;
  EXPECT_EQ(SipHash(key)(input), 0xa129ca6149be45e5u);
}

TEST(SipHash, another_node_hashes_otherwise) {
  Rng rng(1);
  const SipHash one(rng);
  const SipHash other(rng);
  EXPECT_NE(one(as_bytes("key")), other(as_bytes("key")));
  EXPECT_EQ(one(as_bytes("key")), one(as_bytes("key")));
}

}  // namespace
}  // namespace kith::crypto
