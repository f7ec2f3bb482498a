#include "net/crypto/secret.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <new>

namespace kith::crypto {
namespace {

TEST(Secret, wiped_value_is_zero_after_its_life) {
  alignas(Wiped<16>) std::uint8_t memory[sizeof(Wiped<16>)];
  auto* secret = new (memory) Wiped<16>;
  std::memset(secret->data(), 0xa5, 16);
  secret->~Wiped();
  // Read through a volatile pointer: the object is gone, its memory is ours.
  const volatile std::uint8_t* left = memory;
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(left[i], 0) << i;
}

TEST(Secret, guarded_secret_keeps_its_bytes_through_moves) {
  const auto text = as_bytes("sixty-four bytes are not needed to see this");
  GuardedSecret first(text);
  GuardedSecret second(std::move(first));
  GuardedSecret third(as_bytes("other"));
  third = std::move(second);
  EXPECT_TRUE(equal(third.view(), text));
}

TEST(SecretDeathTest, guarded_secret_cannot_be_written) {
  const GuardedSecret secret(as_bytes("key"));
  auto* memory = const_cast<std::uint8_t*>(secret.view().data());
  EXPECT_DEATH(*memory = 0, "");
}

TEST(Secret, constant_time_comparison_agrees_with_equality) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

}  // namespace
}  // namespace kith::crypto
