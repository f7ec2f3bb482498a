#include "simnet/shared_signatures.hpp"

#include <gtest/gtest.h>

#include "net/crypto/identity.hpp"

namespace kith::simnet {
namespace {

TEST(SharedSignatures, answers_as_the_check_itself_and_checks_each_question_once) {
  Rng rng(1);
  const crypto::Identity author = crypto::Identity::make(rng), other = crypto::Identity::make(rng);
  const Bytes content = Bytes::copy("a message");
  const crypto::Signature signature = author.sign(content);
  crypto::Signature forged = signature;
  forged[5] ^= 1;
  SharedSignatures shared;
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(shared.verify(author.public_key(), content, signature));
    EXPECT_FALSE(shared.verify(author.public_key(), content, forged));
    EXPECT_FALSE(shared.verify(other.public_key(), content, signature));
    EXPECT_FALSE(shared.verify(author.public_key(), content.slice(0, 5), signature));
  }
  EXPECT_EQ(shared.checked(), 4u);
}

}  // namespace
}  // namespace kith::simnet
