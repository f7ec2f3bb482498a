#include "schema/libp2p/keys.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "schema/base/peer_id.hpp"
#include "schema/libp2p/proto.hpp"
#include "tests/schema/base/hex.hpp"
#include "tests/schema/libp2p/fixture.hpp"

namespace kith::libp2p {
namespace {

struct KeyVector {
  std::string type;
  Bytes private_key;
  Bytes public_key;
};

std::vector<KeyVector> published_keys() {
  std::istringstream file{std::string(fixture("libp2p/peer_ids.txt").text())};
  std::vector<KeyVector> keys;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string type, private_key, public_key;
    words >> type >> private_key >> public_key;
    keys.push_back({type, hex(private_key), hex(public_key)});
  }
  return keys;
}

Errc error_of(const Bytes& message) {
  const Result<PublicKey> key = decode_public_key(message);
  return key ? Errc::usage : key.error().code;
}

Bytes private_message(ByteView data, KeyType type = KeyType::ed25519) {
  const PrivateKey key{type, data};
  return Bytes::make(private_key_size(key),
                     [&](std::span<std::uint8_t> to) { write_private_key(key, to); });
}

TEST(Keys, published_keys_of_all_types_come_back) {
  const std::vector<KeyVector> keys = published_keys();
  ASSERT_EQ(keys.size(), 4u);
  for (const auto& [type, private_key, public_key] : keys) {
    const Result<PublicKey> key = decode_public_key(public_key);
    ASSERT_TRUE(key) << type << ": " << key.error().what;
    EXPECT_EQ(encode_public_key(key->type, key->data), public_key) << type;
    EXPECT_TRUE(decode_private_key(private_key)) << type;
  }
  EXPECT_EQ(decode_public_key(keys[0].public_key)->type, KeyType::ecdsa);
  EXPECT_EQ(decode_public_key(keys[1].public_key)->type, KeyType::ed25519);
  EXPECT_EQ(decode_public_key(keys[2].public_key)->type, KeyType::secp256k1);
  EXPECT_EQ(decode_public_key(keys[3].public_key)->type, KeyType::rsa);
}

TEST(Keys, js_writes_the_same_bytes) {
  const Bytes message = fixture("js/ed25519_public_key.bin");
  const PublicKey key = *decode_public_key(message);
  EXPECT_EQ(to_base16(key.data),
            "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c");
  EXPECT_EQ(encode_public_key(KeyType::ed25519, key.data), message);
  EXPECT_EQ(PeerId::of_public_key(message).bytes(), fixture("js/ed25519_peer_id.bin"));
  const Bytes private_message = fixture("js/ed25519_private_key.bin");
  const PrivateKey private_key = *decode_private_key(private_message);
  EXPECT_TRUE(equal(private_key.data.last(32), key.data));
}

TEST(Keys, a_public_key_has_one_encoding) {
  const std::string data = "1220" + std::string(64, 'a');
  EXPECT_TRUE(decode_public_key(hex("0801" + data)));
  EXPECT_EQ(error_of(hex(data + "0801")), Errc::malformed) << "order";
  EXPECT_EQ(error_of(hex("08010801" + data)), Errc::malformed) << "type twice";
  EXPECT_EQ(error_of(hex("088100" + data)), Errc::malformed) << "longer varint";
  EXPECT_EQ(error_of(hex("0801" + data + "1a00")), Errc::malformed) << "an unknown field";
  EXPECT_EQ(error_of(hex("0801"
                         "12a000" +
                         data.substr(4))),
            Errc::malformed)
      << "longer length";
}

TEST(Keys, sizes_and_types_are_checked_first) {
  const auto message = [](KeyType type, std::size_t size) {
    return encode_public_key(type, std::vector<std::uint8_t>(size));
  };
  EXPECT_EQ(error_of({}), Errc::malformed);
  EXPECT_EQ(error_of(hex("0801")), Errc::malformed) << "no data";
  EXPECT_EQ(error_of(hex("0804120101")), Errc::unsupported);
  EXPECT_EQ(error_of(hex("08ffffffffffffffffff01120101")), Errc::unsupported);
  EXPECT_EQ(error_of(message(KeyType::ed25519, 31)), Errc::malformed);
  EXPECT_EQ(error_of(message(KeyType::ed25519, 33)), Errc::malformed);
  EXPECT_EQ(error_of(message(KeyType::secp256k1, 65)), Errc::malformed) << "uncompressed";
  EXPECT_TRUE(decode_public_key(message(KeyType::rsa, kRsaPublicMax)));
  EXPECT_EQ(error_of(message(KeyType::rsa, kRsaPublicMax + 1)), Errc::oversized);
  EXPECT_EQ(error_of(message(KeyType::rsa, 1 << 20)), Errc::oversized);
  EXPECT_EQ(error_of(message(KeyType::ecdsa, kEcdsaPublicMax + 1)), Errc::oversized);
}

TEST(Keys, the_legacy_private_key_is_read_when_its_public_keys_agree) {
  const Bytes message = fixture("js/ed25519_private_key.bin");
  const std::vector<std::uint8_t> key = message.slice(4).to_vector();
  std::vector<std::uint8_t> legacy = key;
  legacy.insert(legacy.end(), key.begin() + 32, key.end());
  const Bytes legacy_message = private_message(legacy);
  const Result<PrivateKey> read = decode_private_key(legacy_message);
  ASSERT_TRUE(read);
  EXPECT_TRUE(equal(read->data, key));
  EXPECT_EQ(private_message(read->data), message);
  legacy.back() ^= 1;
  EXPECT_EQ(decode_private_key(private_message(legacy)).error().code, Errc::malformed);
  EXPECT_EQ(decode_private_key(private_message(ByteView(key).first(32))).error().code,
            Errc::malformed)
      << "a bare seed";
}

TEST(Keys, private_keys_have_a_size_by_type) {
  const auto error_of_size = [](KeyType type, std::size_t size) {
    return decode_private_key(private_message(std::vector<std::uint8_t>(size), type)).error().code;
  };
  EXPECT_EQ(error_of_size(KeyType::rsa, kRsaPrivateMax), Errc::none);
  EXPECT_EQ(error_of_size(KeyType::rsa, kRsaPrivateMax + 1), Errc::oversized);
  EXPECT_EQ(error_of_size(KeyType::ecdsa, kEcdsaPrivateMax), Errc::none);
  EXPECT_EQ(error_of_size(KeyType::ecdsa, kEcdsaPrivateMax + 1), Errc::oversized);
  EXPECT_EQ(error_of_size(KeyType::secp256k1, 32), Errc::none);
  EXPECT_EQ(error_of_size(KeyType::secp256k1, 33), Errc::malformed);
  EXPECT_EQ(error_of_size(KeyType::ed25519, 0), Errc::malformed);
}

TEST(Keys, private_data_is_not_copied) {
  const Bytes message = fixture("js/ed25519_private_key.bin");
  EXPECT_EQ(decode_private_key(message)->data.data(), message.data() + 4);
}

}  // namespace
}  // namespace kith::libp2p
