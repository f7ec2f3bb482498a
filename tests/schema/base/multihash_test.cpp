#include "schema/base/multihash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/schema/base/hex.hpp"

namespace kith {
namespace {

constexpr std::string_view kEmptySha256 =
    "1220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Errc error_of(std::string_view text) {
  const Result<Multihash> hash = Multihash::decode(hex(text));
  return hash ? Errc::usage : hash.error().code;
}

TEST(Multihash, hashes_with_sha256) {
  const Multihash hash = Multihash::of_sha256({});
  EXPECT_EQ(to_base16(hash.bytes()), kEmptySha256);
  EXPECT_EQ(hash.function(), kMultihashSha256);
  EXPECT_EQ(hash.digest().size(), 32u);
  EXPECT_EQ(*Multihash::decode(hex(kEmptySha256)), hash);
}

TEST(Multihash, keeps_functions_that_we_do_not_compute) {
  const Multihash sha1 = *Multihash::decode(hex("111400000000000000000000000000000000000000ff"));
  EXPECT_EQ(sha1.function(), 0x11u);
  EXPECT_EQ(sha1.digest().size(), 20u);
  const Multihash blake2b = *Multihash::decode(hex("a0e40202beef"));
  EXPECT_EQ(blake2b.function(), 0xb220u);
  EXPECT_EQ(to_base16(blake2b.digest()), "beef");
}

TEST(Multihash, identity_holds_its_content) {
  EXPECT_EQ(to_base16(Multihash::identity(as_bytes("hi")).bytes()), "00026869");
  EXPECT_TRUE(Multihash::identity({}).digest().empty());
  EXPECT_TRUE(Multihash::decode(hex("0000")));
}

TEST(Multihash, refuses_what_is_not_one) {
  EXPECT_EQ(error_of(""), Errc::truncated);
  EXPECT_EQ(error_of("12"), Errc::truncated);
  EXPECT_EQ(error_of("1120ff"), Errc::truncated);
  EXPECT_EQ(error_of("1180"), Errc::truncated);
  EXPECT_EQ(error_of("118000"), Errc::malformed) << "not minimal";
  EXPECT_EQ(error_of("000168"
                     "00"),
            Errc::malformed)
      << "bytes behind";
  EXPECT_EQ(error_of("ffffffffffffffffffff0100"), Errc::malformed);
  EXPECT_EQ(error_of("00ffffffffffffffff7f"), Errc::oversized) << "no allocation for a promise";
  EXPECT_EQ(error_of("1201ff"), Errc::malformed) << "SHA-256 cut short";
  EXPECT_EQ(error_of("0081"
                     "01" +
                     std::string(2 * 129, '0')),
            Errc::oversized);
}

TEST(Multihash, decode_front_leaves_the_rest) {
  std::size_t used = 0;
  const Multihash hash = *Multihash::decode_front(hex("00026869ffff"), used);
  EXPECT_EQ(used, 4u);
  EXPECT_EQ(as_text(hash.digest()), "hi");
}

TEST(MultihashDeathTest, a_digest_of_the_wrong_size_is_our_bug) {
  EXPECT_DEATH((void)Multihash::sha256(as_bytes("short")), "SHA-256");
  EXPECT_DEATH((void)Multihash::identity(std::vector<std::uint8_t>(129)), "too long");
}

RC_GTEST_PROP(MultihashProperty, random_bytes_decode_to_themselves_or_fail,
              (std::vector<std::uint8_t> bytes)) {
  if (bytes.size() > 1 && bytes[1] > 0x20) bytes[1] %= 8;
  std::size_t used = 0;
  const Result<Multihash> hash = Multihash::decode_front(bytes, used);
  if (!hash) return;
  RC_ASSERT(used <= bytes.size());
  RC_ASSERT(equal(hash->bytes(), ByteView(bytes).first(used)));
  RC_ASSERT(hash->digest().size() < used);
}

}  // namespace
}  // namespace kith
