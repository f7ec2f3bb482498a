#include "dht/key.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

Key any_key() {
  Key key;
  for (auto& word : key.words) word = *rc::gen::arbitrary<std::uint64_t>();
  return key;
}

bool bit(const Key& key, int i) {
  const auto at = static_cast<std::size_t>(i);
  return (key.words[at / 64] >> (63 - at % 64) & 1) != 0;
}

TEST(Key, is_the_sha256_of_the_raw_bytes) {
  const Key key = Key::of(as_bytes("abc"));
  EXPECT_EQ(key.words[0], 0xba7816bf8f01cfeau);
  EXPECT_EQ(key.words[3], 0xb410ff61f20015adu);
}

TEST(Key, shares_all_bits_with_itself) {
  const Key key = Key::of(as_bytes("x"));
  EXPECT_EQ(common_prefix(key, key), 256);
  EXPECT_EQ(distance(key, key), Key{});
}

RC_GTEST_PROP(Key, common_prefix_counts_equal_leading_bits, ()) {
  const Key a = any_key();
  Key b = a;
  const int flipped = *rc::gen::inRange(0, 256);
  b.words[static_cast<std::size_t>(flipped) / 64] ^= 1ull << (63 - flipped % 64);
  int naive = 0;
  while (naive < 256 && bit(a, naive) == bit(b, naive)) ++naive;
  RC_ASSERT(common_prefix(a, b) == naive);
}

RC_GTEST_PROP(Key, nearer_is_the_order_of_distances, ()) {
  const Key target = any_key();
  const Key a = any_key();
  Key b = *rc::gen::arbitrary<bool>() ? a : any_key();
  if (*rc::gen::arbitrary<bool>()) b.words[3] ^= *rc::gen::arbitrary<std::uint64_t>();
  RC_ASSERT(nearer(target, a, b) == (distance(target, a) < distance(target, b)));
}

RC_GTEST_PROP(Key, distance_obeys_the_triangle_inequality_of_xor, ()) {
  const Key a = any_key();
  const Key b = any_key();
  const Key c = any_key();
  RC_ASSERT(distance(distance(a, b), distance(b, c)) == distance(a, c));
  RC_ASSERT(distance(a, b) == distance(b, a));
}

}  // namespace
}  // namespace kith::dht
