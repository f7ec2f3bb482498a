#include "net/crypto/identity.hpp"

#include <gtest/gtest.h>

#include "tests/schema/base/hex.hpp"
#include "tests/support/fixture.hpp"

namespace kith::crypto {
namespace {

struct Vector {
  const char *seed, *key, *message, *signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"}};

Identity of_seed(std::string_view seed) {
  const Bytes bytes = hex(seed);
  return Identity::of_seed(Wiped<32>(bytes.view().first<32>()));
}

TEST(Identity, rfc_8032_signatures) {
  for (const Vector& vector : kVectors) {
    const Identity identity = of_seed(vector.seed);
    const Bytes message = hex(vector.message);
    EXPECT_EQ(to_base16(identity.public_key().encoded()), "08011220" + std::string(vector.key));
    EXPECT_EQ(to_base16(identity.sign(message)), vector.signature);
    EXPECT_TRUE(identity.public_key().verify(message, hex(vector.signature)));
  }
}

TEST(Identity, published_private_key_decodes_to_its_published_public_key) {
  const Bytes encoded = fixture("keys/ed25519_private_key.bin");
  const auto identity = Identity::decode(encoded);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->public_key().encoded(), fixture("keys/ed25519_public_key.bin"));
  EXPECT_TRUE(equal(identity->encode(), encoded));
}

TEST(Identity, key_of_a_js_peer_gives_its_peer_id) {
  const auto identity = Identity::decode(fixture("js/ed25519_private_key.bin"));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->public_key().encoded(), fixture("js/ed25519_public_key.bin"));
  EXPECT_EQ(identity->id().bytes(), fixture("js/ed25519_peer_id.bin"));
  EXPECT_EQ(identity->id().text(), "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5");
}

TEST(Identity, decoding_refuses_other_sizes_types_and_halves) {
  const auto good = fixture("keys/ed25519_private_key.bin").to_vector();
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(Identity::decode(ByteView(good).first(size))) << size;
  auto longer = good;
  longer.push_back(0);
  EXPECT_FALSE(Identity::decode(longer));
  // Every byte counts: head, seed (which gives another public half), public half.
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= 0x01;
    EXPECT_FALSE(Identity::decode(bad)) << at;
  }
  EXPECT_FALSE(Identity::decode(fixture("keys/rsa_private_key.bin")));
}

TEST(Identity, made_keys_differ_and_follow_the_generator) {
  Rng rng(1), again(1);
  const Identity one = Identity::make(rng);
  const Identity two = Identity::make(rng);
  EXPECT_NE(one.id(), two.id());
  EXPECT_EQ(one.id(), Identity::make(again).id());
}

}  // namespace
}  // namespace kith::crypto
