#include "net/crypto/hkdf.hpp"

#include <gtest/gtest.h>

#include "tests/schema/base/hex.hpp"

namespace kith::crypto {
namespace {

Bytes counting(std::uint8_t from, std::size_t size) {
  return Bytes::make(size, [&](std::span<std::uint8_t> to) {
    for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<std::uint8_t>(from + i);
  });
}

struct Vector {
  Bytes input, salt, info;
  std::string_view extracted, expanded;
};

TEST(Hkdf, rfc_5869_vectors) {
  const Bytes eleven = Bytes::copy(std::vector<std::uint8_t>(22, 0x0b));
  const Vector vectors[] = {
      {eleven, counting(0, 13), counting(0xf0, 10),
       "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {counting(0, 80), counting(0x60, 80), counting(0xb0, 80),
       "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
       "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
       "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {eleven,
       {},
       {},
       "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"}};
  for (const Vector& vector : vectors) {
    const HkdfKey key = hkdf_extract(vector.salt, vector.input);
    EXPECT_EQ(to_base16(key), vector.extracted);
    std::vector<std::uint8_t> out(vector.expanded.size() / 2);
    hkdf_expand(key, vector.info, out);
    EXPECT_EQ(to_base16(out), vector.expanded);
  }
}

TEST(Hkdf, longest_output_is_produced_and_starts_like_a_shorter_one) {
  const HkdfKey key = hkdf_extract({}, as_bytes("input"));
  std::vector<std::uint8_t> all(kHkdfOutputMax), front(100);
  hkdf_expand(key, {}, all);
  hkdf_expand(key, {}, front);
  EXPECT_TRUE(std::equal(front.begin(), front.end(), all.begin()));
  EXPECT_NE(all.back(), 0);
}

}  // namespace
}  // namespace kith::crypto
