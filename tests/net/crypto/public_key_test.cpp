#include "net/crypto/public_key.hpp"

#include <gtest/gtest.h>

#include "net/crypto/identity.hpp"
#include "tests/net/crypto/foreign_signer.hpp"
#include "tests/schema/base/hex.hpp"
#include "tests/support/fixture.hpp"

namespace kith::crypto {
namespace {

struct Kind {
  KeyType type;
  const char* name;
};
constexpr Kind kKinds[] = {{KeyType::rsa, "rsa"},
                           {KeyType::ed25519, "ed25519"},
                           {KeyType::secp256k1, "secp256k1"},
                           {KeyType::ecdsa, "ecdsa"}};
constexpr Kind kForeign[] = {kKinds[0], kKinds[2], kKinds[3]};

Bytes public_bytes(const Kind& kind) {
  return fixture("keys/" + std::string(kind.name) + "_public_key.bin");
}

// A PrivateKey message has the same form as a PublicKey message.
OwnedKey private_half(const Kind& kind) {
  const Bytes encoded = fixture("keys/" + std::string(kind.name) + "_private_key.bin");
  const VarintRead length = read_varint(encoded.view().subspan(3));
  return private_key(kind.type, encoded.view().subspan(3 + length.length));
}

PublicKey decode(const Kind& kind) {
  auto key = PublicKey::decode(public_bytes(kind));
  EXPECT_TRUE(key) << kind.name;
  return *key;
}

TEST(PublicKey, published_vectors_of_all_kinds_decode) {
  for (const Kind& kind : kKinds) {
    const PublicKey key = decode(kind);
    EXPECT_EQ(key.type(), kind.type);
    EXPECT_EQ(key.encoded(), public_bytes(kind));
    EXPECT_EQ(key.peer_id(), PeerId::of_public_key(public_bytes(kind)));
  }
}

TEST(PublicKey, short_keys_can_be_read_back_from_their_peer_ids) {
  for (const Kind& kind : {kKinds[1], kKinds[2]}) {
    const auto back = PublicKey::of_peer(decode(kind).peer_id());
    ASSERT_TRUE(back) << kind.name;
    EXPECT_EQ(*back, decode(kind));
  }
  const auto lost = PublicKey::of_peer(decode(kKinds[0]).peer_id());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::not_found);
}

TEST(PublicKey, signatures_by_the_published_private_keys_verify) {
  const ByteView message = as_bytes("a message");
  for (const Kind& kind : kForeign) {
    const PublicKey key = decode(kind);
    auto signature = sign_foreign(private_half(kind), message);
    EXPECT_TRUE(key.verify(message, signature)) << kind.name;
    EXPECT_FALSE(key.verify(as_bytes("a massage"), signature)) << kind.name;
    for (std::size_t at = 0; at < signature.size(); ++at) {
      signature[at] ^= 0x10;
      ASSERT_FALSE(key.verify(message, signature)) << kind.name << " byte " << at;
      signature[at] ^= 0x10;
    }
    signature.push_back(0);
    EXPECT_FALSE(key.verify(message, signature)) << kind.name;
    EXPECT_FALSE(key.verify(message, {})) << kind.name;
  }
}

TEST(PublicKey, encoding_must_be_the_deterministic_one) {
  for (const Kind& kind : kKinds) {
    const auto good = public_bytes(kind).to_vector();
    for (std::size_t size = 0; size < good.size(); ++size)
      ASSERT_FALSE(PublicKey::decode(ByteView(good).first(size))) << kind.name << " " << size;
    auto longer = good;
    longer.push_back(0x18);
    longer.push_back(0x01);  // one more field
    EXPECT_FALSE(PublicKey::decode(longer)) << kind.name;

    auto long_type = good;
    long_type[1] |= 0x80;
    long_type.insert(long_type.begin() + 2, 0x00);
    EXPECT_FALSE(PublicKey::decode(long_type)) << kind.name;

    auto swapped = std::vector<std::uint8_t>(good.begin() + 2, good.end());
    swapped.insert(swapped.end(), good.begin(), good.begin() + 2);
    EXPECT_FALSE(PublicKey::decode(swapped)) << kind.name;
  }
  auto long_length = public_bytes(kKinds[1]).to_vector();
  long_length[3] |= 0x80;
  long_length.insert(long_length.begin() + 4, 0x00);
  EXPECT_FALSE(PublicKey::decode(long_length));
}

TEST(PublicKey, unknown_type_is_unsupported) {
  auto bytes = public_bytes(kKinds[1]).to_vector();
  bytes[1] = 4;
  const auto key = PublicKey::decode(bytes);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::unsupported);
}

TEST(PublicKey, rsa_is_taken_from_2048_to_4096_bits_only) {
  const auto decode_bits = [](int bits) {
    return PublicKey::decode(message_of(KeyType::rsa, pkix_of(rsa_public(bits, 65537))));
  };
  for (const int bits : {2048, 3072, 4096}) EXPECT_TRUE(decode_bits(bits)) << bits;
  for (const int bits : {512, 1024, 2040, 2047, 4097, 4352, 8192, 16384})
    EXPECT_FALSE(decode_bits(bits)) << bits;
}

TEST(PublicKey, rsa_exponent_is_bounded) {
  const auto decode_exponent = [](BN_ULONG e) {
    return PublicKey::decode(message_of(KeyType::rsa, pkix_of(rsa_public(2048, e))));
  };
  EXPECT_TRUE(decode_exponent(3));
  EXPECT_TRUE(decode_exponent(0x7fffffff));
  EXPECT_FALSE(decode_exponent(1));
  EXPECT_FALSE(decode_exponent(0x80000001));
  EXPECT_FALSE(decode_exponent(0x100000001));
}

TEST(PublicKey, rsa_der_with_a_longer_length_than_needed_is_refused) {
  auto der = pkix_of(rsa_public(2048, 65537));
  // 30 82 01 22 30 0d ... : the outer length in three bytes instead of two.
  ASSERT_EQ(der[1], 0x82);
  der[1] = 0x83;
  der.insert(der.begin() + 2, 0x00);
  EXPECT_FALSE(PublicKey::decode(message_of(KeyType::rsa, der)));
}

TEST(PublicKey, ecdsa_on_another_curve_is_refused) {
  const OwnedKey p384 = owned(EVP_EC_gen("P-384"));
  EXPECT_FALSE(PublicKey::decode(message_of(KeyType::ecdsa, pkix_of(p384))));
  const OwnedKey secp256k1 = owned(EVP_EC_gen("secp256k1"));
  EXPECT_FALSE(PublicKey::decode(message_of(KeyType::ecdsa, pkix_of(secp256k1))));
  EXPECT_TRUE(PublicKey::decode(message_of(KeyType::ecdsa, pkix_of(owned(EVP_EC_gen("P-256"))))));
}

TEST(PublicKey, point_that_is_not_on_its_curve_is_refused) {
  for (const Kind& kind : {kKinds[2], kKinds[3]}) {
    auto bytes = public_bytes(kind).to_vector();
    std::fill(bytes.end() - 32, bytes.end(), std::uint8_t{0xff});
    EXPECT_FALSE(PublicKey::decode(bytes)) << kind.name;
  }
}

// Ed25519: libsodium's rule, at its corners.

Ed25519Public ed_key(std::string_view text) {
  const Bytes bytes = hex(text);
  Ed25519Public key{};
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

TEST(PublicKey, ed25519_key_of_small_order_signs_nothing) {
  // With the neutral element as key and as R, and S = 0, the equation holds for every message.
  const std::string neutral = "01" + std::string(62, '0');
  const PublicKey key = PublicKey::of_ed25519(ed_key(neutral));
  EXPECT_FALSE(key.verify(as_bytes("anything"), hex(neutral + std::string(64, '0'))));
}

TEST(PublicKey, ed25519_scalar_must_be_below_the_order) {
  Rng rng(3);
  const Identity identity = Identity::make(rng);
  auto signature = identity.sign(as_bytes("text"));
  ASSERT_TRUE(identity.public_key().verify(as_bytes("text"), signature));
  // S + L is the same scalar, and another signature of the same message if it were accepted.
  const Bytes order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += signature[32 + i] + order[i];
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(identity.public_key().verify(as_bytes("text"), signature));
}

TEST(PublicKey, ed25519_signature_has_64_bytes) {
  Rng rng(3);
  const Identity identity = Identity::make(rng);
  const Signature signature = identity.sign({});
  EXPECT_TRUE(identity.public_key().verify({}, signature));
  EXPECT_FALSE(identity.public_key().verify({}, ByteView(signature).first(63)));
  std::vector<std::uint8_t> longer(signature.begin(), signature.end());
  longer.push_back(0);
  EXPECT_FALSE(identity.public_key().verify({}, longer));
}

TEST(PublicKey, ed25519_flipped_bits_are_refused) {
  Rng rng(4);
  const Identity identity = Identity::make(rng);
  Signature signature = identity.sign(as_bytes("text"));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    signature[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    ASSERT_FALSE(identity.public_key().verify(as_bytes("text"), signature)) << bit;
    signature[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
}

}  // namespace
}  // namespace kith::crypto
