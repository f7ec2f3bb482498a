#include "dht/validators.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::kStart;

Bytes join(std::string_view prefix, ByteView rest) {
  std::vector<std::uint8_t> bytes(prefix.begin(), prefix.end());
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return Bytes::adopt(std::move(bytes));
}

Bytes public_key(std::uint64_t number) { return *test::peer_id(number).inlined_key(); }
Bytes public_key_name(std::uint64_t number) { return join("/pk/", test::peer_id(number).bytes()); }

TEST(Validators, namespace_is_between_the_first_two_slashes) {
  EXPECT_EQ(namespace_of(as_bytes("/pk/x")), "pk");
  EXPECT_EQ(namespace_of(as_bytes("/ipns/a/b")), "ipns");
  EXPECT_EQ(namespace_of(as_bytes("//x")), "");
  EXPECT_EQ(namespace_of(as_bytes("pk/x")), "");
  EXPECT_EQ(namespace_of(as_bytes("/pk")), "");
  EXPECT_EQ(namespace_of(as_bytes("")), "");
}

TEST(Validators, keys_without_a_known_namespace_are_refused) {
  Validators validators;
  for (const char* key :
       {"", "x", "/", "//", "//x", "/unknown/x", "pk/x", "/pkx/x", "/PK/x", "/pk"})
    EXPECT_EQ(validators.validate(as_bytes(key), as_bytes("v"), kStart).error().code, Errc::refused)
        << key;
}

TEST(Validators, a_public_key_is_valid_under_its_own_peer_id_only) {
  Validators validators;
  EXPECT_TRUE(validators.validate(public_key_name(1), public_key(1), kStart));
  EXPECT_EQ(validators.validate(public_key_name(1), public_key(2), kStart).error().code,
            Errc::identity);
  EXPECT_FALSE(validators.validate(public_key_name(1), {}, kStart));
  EXPECT_FALSE(validators.validate(as_bytes("/pk/"), public_key(1), kStart));
  EXPECT_FALSE(validators.validate(as_bytes("/pk/rubbish"), public_key(1), kStart));
  EXPECT_FALSE(
      validators.validate(join("/pk/", join("", public_key_name(1))), public_key(1), kStart));
}

TEST(Validators, a_public_key_too_long_to_be_inlined_is_named_by_its_hash) {
  const std::vector<std::uint8_t> key(300, 7);
  const PeerId id = PeerId::of_public_key(key);
  Validators validators;
  EXPECT_TRUE(validators.validate(join("/pk/", id.bytes()), key, kStart));
}

TEST(Validators, a_registered_namespace_judges_its_own_keys) {
  const test::GreaterWins greater;
  Validators validators;
  validators.add("n", greater);
  EXPECT_TRUE(validators.validate(as_bytes("/n/x"), as_bytes("v1"), kStart));
  EXPECT_FALSE(validators.validate(as_bytes("/n/x"), as_bytes("bad"), kStart));
  EXPECT_TRUE(validators.better(as_bytes("/n/x"), as_bytes("v1"), as_bytes("v2")));
  EXPECT_FALSE(validators.better(as_bytes("/n/x"), as_bytes("v2"), as_bytes("v1")));
  EXPECT_FALSE(validators.better(as_bytes("/n/x"), as_bytes("v1"), as_bytes("v1")));
}

}  // namespace
}  // namespace kith::dht
