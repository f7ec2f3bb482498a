#include "schema/base/sha256.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/schema/base/hex.hpp"

namespace kith {
namespace {

TEST(Sha256, gives_the_published_digests) {
  EXPECT_EQ(to_base16(sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_base16(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_base16(sha256(std::vector<std::uint8_t>(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

RC_GTEST_PROP(Sha256Property, pieces_hash_as_the_whole_and_the_hasher_starts_again,
              (const std::vector<std::vector<std::uint8_t>>& pieces)) {
  Sha256 hasher;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::uint8_t> whole;
    for (const auto& piece : pieces) {
      hasher.update(piece);
      whole.insert(whole.end(), piece.begin(), piece.end());
    }
    RC_ASSERT(hasher.finish() == sha256(whole));
  }
}

}  // namespace
}  // namespace kith
