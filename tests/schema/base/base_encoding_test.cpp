#include "schema/base/base_encoding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/schema/base/hex.hpp"

namespace kith {
namespace {

using Raw = std::vector<std::uint8_t>;

std::string text_of(const Decoded& decoded) {
  return decoded ? std::string(as_text(*decoded)) : "error: " + decoded.error().what;
}

TEST(BaseEncoding, writes_the_vectors_of_rfc_4648) {
  const std::pair<std::string_view, std::string_view> base64[] = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : base64) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    EXPECT_EQ(text_of(from_base64(encoded)), plain);
  }
  EXPECT_EQ(to_base32(as_bytes("foobar")), "mzxw6ytboi");
  EXPECT_EQ(to_base16(as_bytes("foobar")), "666f6f626172");
  EXPECT_EQ(to_base64url(hex("fbff")), "-_8");
}

// The texts of multiformats/multibase, tests/basic.csv and its files of leading zeros.
TEST(BaseEncoding, reads_the_multibase_vectors) {
  const std::pair<std::string_view, std::vector<std::string_view>> vectors[] = {
      {"Decentralize everything!!",
       {"f446563656e7472616c697a652065766572797468696e672121",
        "F446563656E7472616C697A652065766572797468696E672121",
        "birswgzloorzgc3djpjssazlwmvzhs5dinfxgoijb", "BIRSWGZLOORZGC3DJPJSSAZLWMVZHS5DINFXGOIJB",
        "k343ixo7d49hqj1ium15pgy1wzww5fxrid21td7l", "K343IXO7D49HQJ1IUM15PGY1WZWW5FXRID21TD7L",
        "zUXE7GvtEk8XTXs1GF8HSGbVA9FCX9SEBPe", "mRGVjZW50cmFsaXplIGV2ZXJ5dGhpbmchIQ",
        "MRGVjZW50cmFsaXplIGV2ZXJ5dGhpbmchIQ==", "uRGVjZW50cmFsaXplIGV2ZXJ5dGhpbmchIQ",
        "URGVjZW50cmFsaXplIGV2ZXJ5dGhpbmchIQ=="}},
      {std::string_view("\0yes mani !", 11),
       {"f00796573206d616e692021", "bab4wk4zanvqw42jaee", "BAB4WK4ZANVQW42JAEE",
        "k02lcpzo5yikidynfl", "z17paNL19xttacUY", "mAHllcyBtYW5pICE",
        "MAHllcyBtYW5pICE=", "uAHllcyBtYW5pICE"}},
      {std::string_view("\0\0yes mani !", 12),
       {"f0000796573206d616e692021", "baaahszltebwwc3tjeaqq", "k002lcpzo5yikidynfl",
        "z117paNL19xttacUY", "MAAB5ZXMgbWFuaSAh"}}};
  for (const auto& [plain, texts] : vectors)
    for (const std::string_view text : texts) {
      const Decoded read = from_multibase(text);
      ASSERT_TRUE(read) << text << ": " << read.error().what;
      EXPECT_EQ(as_text(*read), plain) << text;
    }
}

TEST(BaseEncoding, leading_zero_bytes_survive_long_division) {
  EXPECT_EQ(to_base58(hex("0000287fb4cd")), "11233QC4");
  EXPECT_EQ(*from_base58("11233QC4"), hex("0000287fb4cd").to_vector());
  EXPECT_EQ(to_base58(as_bytes("Hello World!")), "2NEpo7TZRRrLZSi2U");
  EXPECT_EQ(to_base58(Raw{0, 0}), "11");
  EXPECT_EQ(*from_base36("00"), (Raw{0, 0}));
}

TEST(BaseEncoding, every_byte_string_has_one_text) {
  EXPECT_FALSE(from_base64("Zh==")) << "unused bits";
  EXPECT_FALSE(from_base64("Zg=")) << "padding too short";
  EXPECT_FALSE(from_base64("Zg")) << "no padding";
  EXPECT_FALSE(from_base64("Zg======")) << "padding too long";
  EXPECT_FALSE(from_base64("Z===")) << "half a byte";
  EXPECT_FALSE(from_base64("Zm 9v")) << "white space";
  EXPECT_FALSE(from_base64("Zm-_")) << "the other alphabet";
  EXPECT_FALSE(from_base64url("Zm+/"));
  EXPECT_FALSE(from_base64url("Zg=="));
  EXPECT_FALSE(from_base32("mzxw6ytbo")) << "a letter too many";
  EXPECT_FALSE(from_base32("MZXW6YTBOI")) << "upper case";
  EXPECT_FALSE(from_multibase("Bmzxw6ytboi")) << "lower case after an upper-case prefix";
  EXPECT_FALSE(from_base16("abc")) << "half a byte";
  EXPECT_EQ(*from_base16("aBCd"), (Raw{0xab, 0xcd}));
  EXPECT_FALSE(from_base58("0OIl"));
}

TEST(BaseEncoding, long_division_refuses_long_texts) {
  EXPECT_TRUE(from_base58(std::string(kDivisionTextMax, 'z')));
  const Decoded over = from_base58(std::string(kDivisionTextMax + 1, 'z'));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::oversized);
}

TEST(BaseEncoding, unknown_prefixes_are_named) {
  EXPECT_EQ(from_multibase("").error().code, Errc::truncated);
  EXPECT_EQ(from_multibase("9123").error().code, Errc::unsupported);
  EXPECT_EQ(from_multibase("9123").error().why, "\"9\"");
}

TEST(BaseEncoding, quoted_text_cannot_reach_a_terminal) {
  EXPECT_EQ(quote_text("a\x1b[2Jb\n"), "\"a?[2Jb?\"");
  EXPECT_EQ(quote_text(std::string(1000, 'x')).size(), kQuotedMax + 5);
}

RC_GTEST_PROP(BaseEncodingProperty, decoding_undoes_encoding, (const Raw& bytes)) {
  RC_ASSERT(*from_base16(to_base16(bytes)) == bytes);
  RC_ASSERT(*from_base32(to_base32(bytes)) == bytes);
  RC_ASSERT(*from_base36(to_base36(bytes)) == bytes);
  RC_ASSERT(*from_base58(to_base58(bytes)) == bytes);
  RC_ASSERT(*from_base64(to_base64(bytes)) == bytes);
  RC_ASSERT(*from_base64url(to_base64url(bytes)) == bytes);
  RC_ASSERT(*from_base64_i2p(to_base64_i2p(bytes)) == bytes);
}

RC_GTEST_PROP(BaseEncodingProperty, what_decodes_encodes_to_the_same_text, (const Raw& digits)) {
  std::string text;
  for (const std::uint8_t digit : digits)
    text += "0123456789abcdefghijklmnopqrstuvwxyz"[digit % 36];
  if (const Decoded bytes = from_base32(text)) RC_ASSERT(to_base32(*bytes) == text);
  if (const Decoded bytes = from_base36(text)) RC_ASSERT(to_base36(*bytes) == text);
  if (const Decoded bytes = from_base58(text)) RC_ASSERT(to_base58(*bytes) == text);
  if (const Decoded bytes = from_base64url(text)) RC_ASSERT(to_base64url(*bytes) == text);
}

}  // namespace
}  // namespace kith
