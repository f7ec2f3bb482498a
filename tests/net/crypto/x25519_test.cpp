#include "net/crypto/x25519.hpp"

#include <gtest/gtest.h>

#include "tests/schema/base/hex.hpp"

namespace kith::crypto {
namespace {

Wiped<32> secret_of(std::string_view text) {
  const Bytes bytes = hex(text);
  return Wiped<32>(bytes.view().first<32>());
}

X25519Public point_of(std::string_view text) {
  const Bytes bytes = hex(text);
  X25519Public point{};
  std::copy(bytes.begin(), bytes.end(), point.begin());
  return point;
}

std::string agree(const Wiped<32>& secret, const X25519Public& point) {
  const auto shared = X25519Key(secret).agree(point);
  return shared ? to_base16(*shared) : "refused";
}

TEST(X25519, rfc_7748_scalar_multiplications) {
  EXPECT_EQ(agree(secret_of("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                  point_of("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(agree(secret_of("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                  point_of("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, rfc_7748_iterated_a_thousand_times) {
  Bytes k = hex("0900000000000000000000000000000000000000000000000000000000000000");
  Bytes u = k;
  for (int i = 0; i < 1000; ++i) {
    X25519Public point{};
    std::copy(u.begin(), u.end(), point.begin());
    const auto next = X25519Key(Wiped<32>(k.view().first<32>())).agree(point);
    ASSERT_TRUE(next);
    u = k;
    k = Bytes::copy(*next);
  }
  EXPECT_EQ(to_base16(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, rfc_7748_diffie_hellman) {
  const X25519Key alice(
      secret_of("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const X25519Key bob(
      secret_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(to_base16(alice.public_key()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_base16(bob.public_key()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto shared = alice.agree(bob.public_key());
  ASSERT_TRUE(shared);
  EXPECT_EQ(to_base16(*shared), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

// The points whose order divides 8, with the encodings that mean the same (RFC 7748, section 7).
constexpr const char* kLowOrder[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};

TEST(X25519, points_of_low_order_are_refused) {
  Rng rng(7);
  for (const char* point : kLowOrder) {
    const auto shared = X25519Key::make(rng).agree(point_of(point));
    ASSERT_FALSE(shared) << point;
    EXPECT_EQ(shared.error().code, Errc::malformed);
  }
}

TEST(X25519, same_generator_state_makes_the_same_key_and_the_next_another) {
  Rng one(1), again(1);
  const auto first = X25519Key::make(one).public_key();
  EXPECT_EQ(first, X25519Key::make(again).public_key());
  EXPECT_NE(first, X25519Key::make(one).public_key());
}

}  // namespace
}  // namespace kith::crypto
