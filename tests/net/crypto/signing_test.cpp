#include "net/crypto/signing.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kith::crypto {
namespace {

Identity identity_of(std::uint64_t seed) {
  Rng rng(seed);
  return Identity::make(rng);
}

TEST(Signing, signature_is_good_in_its_domain_only) {
  const Identity identity = identity_of(1);
  const auto signature = sign_in_domain(identity, "kith/a", {as_bytes("x"), as_bytes("y")});
  const PublicKey& key = identity.public_key();
  EXPECT_TRUE(verify_in_domain(key, "kith/a", {as_bytes("x"), as_bytes("y")}, signature));
  EXPECT_FALSE(verify_in_domain(key, "kith/b", {as_bytes("x"), as_bytes("y")}, signature));
  EXPECT_FALSE(verify_in_domain(identity_of(2).public_key(), "kith/a",
                                {as_bytes("x"), as_bytes("y")}, signature));
}

TEST(Signing, bytes_cannot_wander_between_domain_and_parts) {
  const Identity identity = identity_of(1);
  const auto signature = sign_in_domain(identity, "kith/a", {as_bytes("bc"), as_bytes("d")});
  const PublicKey& key = identity.public_key();
  EXPECT_FALSE(verify_in_domain(key, "kith/a", {as_bytes("b"), as_bytes("cd")}, signature));
  EXPECT_FALSE(verify_in_domain(key, "kith/ab", {as_bytes("c"), as_bytes("d")}, signature));
  EXPECT_FALSE(verify_in_domain(key, "kith/a", {as_bytes("bcd")}, signature));
  EXPECT_FALSE(verify_in_domain(key, "kith/a", {as_bytes("bc"), as_bytes("d"), {}}, signature));
}

TEST(Signing, bare_signature_of_the_same_text_is_not_good_in_a_domain) {
  const Identity identity = identity_of(1);
  EXPECT_FALSE(verify_in_domain(identity.public_key(), "kith/a", {as_bytes("x")},
                                identity.sign(as_bytes("x"))));
}

RC_GTEST_PROP(Signing, two_lists_verify_each_other_only_when_equal,
              (const std::vector<std::string>& one, const std::vector<std::string>& other)) {
  const auto views = [](const std::vector<std::string>& texts) {
    std::vector<ByteView> parts;
    for (const std::string& text : texts) parts.push_back(as_bytes(text));
    return parts;
  };
  static const Identity identity = identity_of(5);
  const auto signature = sign_in_domain(identity, "kith/p", std::span<const ByteView>(views(one)));
  RC_ASSERT(verify_in_domain(identity.public_key(), "kith/p",
                             std::span<const ByteView>(views(other)), signature) == (one == other));
}

}  // namespace
}  // namespace kith::crypto
