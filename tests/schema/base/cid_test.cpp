#include "schema/base/cid.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/schema/base/hex.hpp"

namespace kith {
namespace {

constexpr std::string_view kHello =  // raw block "hello world"
    "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
constexpr std::string_view kVersion0 = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
constexpr std::string_view kVersion0As1 =
    "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

Errc error_of(std::string_view text) {
  const Result<Cid> cid = Cid::parse(text);
  return cid ? Errc::usage : cid.error().code;
}

TEST(Cid, names_a_raw_block) {
  const Cid cid = Cid::v1(kCodecRaw, Multihash::of_sha256(as_bytes("hello world")));
  EXPECT_EQ(cid.text(), kHello);
  EXPECT_EQ(*Cid::parse(kHello), cid);
  EXPECT_EQ(*Cid::decode(cid.bytes()), cid);
  EXPECT_EQ(cid.version(), 1);
}

TEST(Cid, reads_version_0_and_prints_it_as_such) {
  const Cid cid = *Cid::parse(kVersion0);
  EXPECT_EQ(cid.version(), 0);
  EXPECT_EQ(cid.codec(), kCodecDagPb);
  EXPECT_EQ(cid.text(), kVersion0);
  EXPECT_EQ(cid.bytes(), cid.hash().bytes());
  EXPECT_EQ(*Cid::decode(cid.bytes()), cid);
  EXPECT_EQ(Cid::v1(kCodecDagPb, cid.hash()).text(), kVersion0As1);
}

TEST(Cid, the_same_in_every_base) {
  const Cid cid = *Cid::parse(kHello);
  const Bytes bytes = cid.bytes();
  std::string upper(kHello);
  for (char& letter : upper) letter = static_cast<char>(std::toupper(letter));
  EXPECT_EQ(*Cid::parse(upper), cid);
  EXPECT_EQ(*Cid::parse("z" + to_base58(bytes)), cid);
  EXPECT_EQ(*Cid::parse("k" + to_base36(bytes)), cid);
  EXPECT_EQ(*Cid::parse("f" + to_base16(bytes)), cid);
  EXPECT_EQ(*Cid::parse("/ipfs/" + std::string(kHello)), cid);
  EXPECT_EQ(*Cid::parse("ipfs://" + std::string(kHello)), cid);
}

TEST(Cid, refuses_what_is_not_one_and_says_why) {
  EXPECT_EQ(error_of(""), Errc::truncated);
  EXPECT_EQ(error_of("b"), Errc::truncated);
  EXPECT_EQ(error_of("bafkrei"), Errc::truncated) << "cut off when copied";
  EXPECT_EQ(error_of(std::string(kVersion0).substr(0, 45)), Errc::unsupported);
  EXPECT_EQ(error_of(std::string(kHello) + "/readme.txt"), Errc::malformed);
  EXPECT_EQ(error_of("z" + to_base58(Cid::parse(kVersion0)->bytes())), Errc::malformed)
      << "version 0 has no multibase form";
  EXPECT_EQ(error_of("f02551220" + std::string(64, '0')), Errc::unsupported) << "version 2";
  EXPECT_EQ(error_of("f01551220" + std::string(66, '0')), Errc::malformed) << "a byte behind";
  const Error error = Cid::parse("bafy\x1b[31m").error();
  EXPECT_EQ(error.what, "not a CID: \"bafy?[31m\"");
  EXPECT_FALSE(error.why.empty());
  EXPECT_FALSE(error.fix.empty());
}

TEST(Cid, an_empty_cid_prints_as_nothing) {
  EXPECT_TRUE(Cid().empty());
  EXPECT_EQ(Cid().text(), "");
  EXPECT_TRUE(Cid().bytes().empty());
}

RC_GTEST_PROP(CidProperty, text_and_bytes_come_back, (std::uint64_t codec, const std::string& s)) {
  const Cid cid = Cid::v1(codec >> 1, Multihash::of_sha256(as_bytes(s)));
  RC_ASSERT(*Cid::decode(cid.bytes()) == cid);
  RC_ASSERT(*Cid::parse(cid.text()) == cid);
}

RC_GTEST_PROP(CidProperty, random_bytes_decode_to_themselves_or_fail,
              (std::vector<std::uint8_t> tail)) {
  std::vector<std::uint8_t> bytes{1, 0x55, 0x00, static_cast<std::uint8_t>(tail.size() % 7)};
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  std::size_t used = 0;
  const Result<Cid> cid = Cid::decode_front(bytes, used);
  if (!cid) return;
  RC_ASSERT(used <= bytes.size());
  RC_ASSERT(equal(cid->bytes(), ByteView(bytes).first(used)));
}

}  // namespace
}  // namespace kith
