#include "net/crypto/aead.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/base/rng.hpp"
#include "tests/schema/base/hex.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kText =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";

struct Case {
  Bytes key = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  AeadNonce nonce{0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47};
  Bytes associated = hex("50515253c0c1c2c3c4c5c6c7");
  Bytes sealed =
      hex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
          "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
          "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
          "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
  AeadKey aead_key() const { return key.view().first<kAeadKeyBytes>(); }
};

TEST(Aead, rfc_8439_section_2_8_2) {
  const Case rfc;
  AeadSealer sealer;
  sealer.set_key(rfc.aead_key());
  std::vector<std::uint8_t> out(kText.size() + kAeadTagBytes);
  sealer.seal(rfc.nonce, rfc.associated, as_bytes(kText), out.data());
  EXPECT_EQ(to_base16(out), to_base16(rfc.sealed));

  AeadOpener opener;
  opener.set_key(rfc.aead_key());
  std::vector<std::uint8_t> text(kText.size());
  ASSERT_TRUE(opener.open(rfc.nonce, rfc.associated, rfc.sealed, text.data()));
  EXPECT_EQ(as_text(text), kText);
}

TEST(Aead, every_flipped_bit_is_refused_and_leaves_zeros) {
  const Case rfc;
  AeadOpener opener;
  opener.set_key(rfc.aead_key());
  for (std::size_t bit = 0; bit < rfc.sealed.size() * 8; ++bit) {
    auto bad = rfc.sealed.to_vector();
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    std::vector<std::uint8_t> text(kText.size(), 0xff);
    ASSERT_FALSE(opener.open(rfc.nonce, rfc.associated, bad, text.data())) << bit;
    ASSERT_EQ(text, std::vector<std::uint8_t>(kText.size(), 0)) << bit;
  }
  // The context is as good as before.
  std::vector<std::uint8_t> text(kText.size());
  EXPECT_TRUE(opener.open(rfc.nonce, rfc.associated, rfc.sealed, text.data()));
}

TEST(Aead, other_associated_data_nonce_or_key_is_refused) {
  const Case rfc;
  AeadOpener opener;
  opener.set_key(rfc.aead_key());
  std::vector<std::uint8_t> text(kText.size());
  EXPECT_FALSE(opener.open(rfc.nonce, {}, rfc.sealed, text.data()));
  EXPECT_FALSE(opener.open(aead_nonce(0), rfc.associated, rfc.sealed, text.data()));
  auto other = rfc.key.to_vector();
  other[31] ^= 1;
  opener.set_key(ByteView(other).first<kAeadKeyBytes>());
  EXPECT_FALSE(opener.open(rfc.nonce, rfc.associated, rfc.sealed, text.data()));
}

TEST(Aead, shorter_than_a_tag_is_refused) {
  AeadOpener opener;
  opener.set_key(Case().aead_key());
  for (std::size_t size = 0; size < kAeadTagBytes; ++size)
    EXPECT_FALSE(opener.open(aead_nonce(0), {}, std::vector<std::uint8_t>(size), nullptr));
}

TEST(Aead, nonce_is_the_counter_in_little_endian_behind_four_zeros) {
  EXPECT_EQ(to_base16(aead_nonce(0x0102030405060708)), "000000000807060504030201");
}

RC_GTEST_PROP(Aead, pieces_give_what_the_whole_gives_also_in_place, (std::uint64_t seed)) {
  Rng rng(seed);
  std::vector<std::uint8_t> key(kAeadKeyBytes), text(rng.below(5000)), associated(rng.below(50));
  rng.fill(key);
  rng.fill(text);
  rng.fill(associated);
  const AeadNonce nonce = aead_nonce(rng.next());
  AeadSealer sealer;
  sealer.set_key(ByteView(key).first<kAeadKeyBytes>());
  std::vector<std::uint8_t> whole(text.size() + kAeadTagBytes), pieces(whole.size());
  sealer.seal(nonce, associated, text, whole.data());

  sealer.begin(nonce, associated);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t part = 1 + rng.below(std::min<std::size_t>(700, text.size() - at));
    sealer.update(ByteView(text).subspan(at, part), pieces.data() + at);
    at += part;
  }
  sealer.finish(pieces.data() + text.size());
  RC_ASSERT(pieces == whole);

  AeadOpener opener;
  opener.set_key(ByteView(key).first<kAeadKeyBytes>());
  RC_ASSERT(opener.open(nonce, associated, pieces, pieces.data()));
  pieces.resize(text.size());
  RC_ASSERT(pieces == text);

  text.resize(whole.size());
  sealer.seal(nonce, associated, ByteView(text).first(text.size() - kAeadTagBytes), text.data());
  RC_ASSERT(text == whole);
}

}  // namespace
}  // namespace kith::crypto
