#include "schema/base/peer_id.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "schema/base/cid.hpp"
#include "tests/schema/base/hex.hpp"

namespace kith {
namespace {

constexpr std::string_view kEd25519 = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
constexpr std::string_view kSha256 = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
constexpr std::string_view kSha256Cid =
    "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";

Errc error_of(std::string_view text) {
  const Result<PeerId> id = PeerId::parse(text);
  return id ? Errc::usage : id.error().code;
}

// libp2p/specs peer-ids: all four key types.
TEST(PeerId, follows_from_the_published_keys) {
  std::ifstream file(KITH_TEST_FIXTURES "/libp2p/peer_ids.txt");
  int seen = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string type, private_key, public_key, id_text;
    words >> type >> private_key >> public_key >> id_text;
    const Bytes key = hex(public_key);
    const PeerId id = PeerId::of_public_key(key);
    EXPECT_EQ(id.text(), id_text) << type;
    EXPECT_EQ(*PeerId::parse(id_text), id) << type;
    const bool inlined = type == "ed25519" || type == "secp256k1";
    ASSERT_EQ(id.inlined_key().has_value(), inlined) << type;
    if (inlined) {
      EXPECT_EQ(*id.inlined_key(), key) << type;
    }
    ++seen;
  }
  EXPECT_EQ(seen, 4);
}

TEST(PeerId, reads_both_text_forms) {
  const PeerId id = *PeerId::parse(kSha256);
  EXPECT_EQ(id.text(), kSha256);
  EXPECT_EQ(*PeerId::parse(kSha256Cid), id);
  EXPECT_EQ(*PeerId::parse(id.text_cid()), id);
  EXPECT_TRUE(id.text_cid().starts_with("k"));
  EXPECT_FALSE(id.inlined_key());
  EXPECT_TRUE(PeerId::parse(kEd25519)->inlined_key());
}

TEST(PeerId, keys_of_up_to_42_bytes_are_inlined) {
  const std::vector<std::uint8_t> key(43, 7);
  EXPECT_TRUE(PeerId::of_public_key(ByteView(key).first(42)).inlined_key());
  EXPECT_FALSE(PeerId::of_public_key(key).inlined_key());
}

TEST(PeerId, refuses_what_is_not_one_and_says_why) {
  EXPECT_EQ(error_of(""), Errc::truncated);
  EXPECT_EQ(error_of("12D3KooW"), Errc::truncated) << "cut off when copied";
  EXPECT_EQ(error_of("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5"), Errc::malformed);
  EXPECT_EQ(error_of("12D3KooW0"), Errc::malformed);
  EXPECT_EQ(error_of("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
            Errc::malformed)
      << "the CID of a block";
  EXPECT_EQ(error_of("1" + std::string(100'000, 'z')), Errc::oversized);
  EXPECT_EQ(PeerId::decode(hex("0000")).error().code, Errc::malformed) << "an empty key";
  EXPECT_EQ(PeerId::decode(Multihash::identity(std::vector<std::uint8_t>(43)).bytes()).error().code,
            Errc::oversized)
      << "must have been hashed";
  EXPECT_EQ(PeerId::decode(hex("1102beef")).error().code, Errc::unsupported);
  const Error error = PeerId::parse("bob").error();
  EXPECT_EQ(error.what, "not a peer id: \"bob\"");
  EXPECT_FALSE(error.fix.empty());
}

RC_GTEST_PROP(PeerIdProperty, both_texts_come_back, (const std::vector<std::uint8_t>& key)) {
  RC_PRE(!key.empty());
  const PeerId id = PeerId::of_public_key(key);
  RC_ASSERT(*PeerId::decode(id.bytes()) == id);
  RC_ASSERT(*PeerId::parse(id.text()) == id);
  RC_ASSERT(*PeerId::parse(id.text_cid()) == id);
}

}  // namespace
}  // namespace kith
