#include "net/wire/noise_xx.hpp"

#include <gtest/gtest.h>

#include "net/wire/noise_transport.hpp"
#include "tests/schema/base/hex.hpp"

namespace kith::wire {
namespace {

crypto::X25519Key key_of(std::string_view secret) {
  const Bytes bytes = hex(secret);
  return crypto::X25519Key(NoiseKey(bytes.view().first<32>()));
}

struct Message {
  std::string_view payload, ciphertext;
};

// Noise_XX_25519_ChaChaPoly_SHA256 of the cacophony vectors, which snow and noise-c also run.
constexpr std::string_view kPrologue = "4a6f686e2047616c74";
constexpr std::string_view kHandshakeHash =
    "c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e";
constexpr Message kMessages[] = {
    {"4c756477696720766f6e204d69736573",
     "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
     "4c756477696720766f6e204d69736573"},
    {"4d757272617920526f746862617264",
     "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c48378ffce2"
     "b65285e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c"
     "412f8a0db50f8814c7194e83f23dbd8d162c9326ad"},
    {"462e20412e20486179656b",
     "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169ae80a89be08"
     "65b57f58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49b25030"},
    {"4361726c204d656e676572", "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"},
    {"4a65616e2d426170746973746520536179",
     "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5"},
    {"457567656e2042f6686d20766f6e2042617765726b",
     "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f"}};

struct Pair {
  NoiseXx initiator{NoiseRole::initiator, hex(kPrologue),
                    key_of("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"),
                    key_of("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a")};
  NoiseXx responder{NoiseRole::responder, hex(kPrologue),
                    key_of("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"),
                    key_of("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b")};
  NoiseXx& sender(int message) { return message % 2 == 0 ? initiator : responder; }
  NoiseXx& receiver(int message) { return message % 2 == 0 ? responder : initiator; }
  void pass(int messages) {
    for (int i = 0; i < messages; ++i) {
      const auto sent = sender(i).write(as_bytes("payload"));
      ASSERT_TRUE(sent);
      ASSERT_TRUE(receiver(i).read(*sent));
    }
  }
};

TEST(NoiseXx, published_handshake_comes_out_byte_for_byte) {
  Pair pair;
  for (int i = 0; i < 3; ++i) {
    const auto sent = pair.sender(i).write(hex(kMessages[i].payload));
    ASSERT_TRUE(sent);
    EXPECT_EQ(to_base16(*sent), kMessages[i].ciphertext);
    const auto received = pair.receiver(i).read(*sent);
    ASSERT_TRUE(received);
    EXPECT_EQ(to_base16(*received), kMessages[i].payload);
  }
  EXPECT_TRUE(pair.initiator.finished());
  EXPECT_TRUE(pair.responder.finished());
  EXPECT_EQ(to_base16(pair.initiator.hash()), kHandshakeHash);
  EXPECT_EQ(to_base16(pair.responder.hash()), kHandshakeHash);
}

TEST(NoiseXx, published_transport_messages_come_out_byte_for_byte) {
  Pair pair;
  for (int i = 0; i < 3; ++i) {
    const auto sent = pair.sender(i).write(hex(kMessages[i].payload));
    ASSERT_TRUE(sent);
    ASSERT_TRUE(pair.receiver(i).read(*sent));
  }
  NoiseTransport initiator(pair.initiator.split());
  NoiseTransport responder(pair.responder.split());
  for (int i = 3; i < 6; ++i) {
    NoiseTransport& sender = i % 2 == 0 ? initiator : responder;
    NoiseTransport& receiver = i % 2 == 0 ? responder : initiator;
    const auto sent = sender.seal(hex(kMessages[i].payload));
    ASSERT_TRUE(sent);
    EXPECT_EQ(to_base16(sent->slice(kNoiseLengthBytes)), kMessages[i].ciphertext);
    const auto received = receiver.open(*sent);
    ASSERT_TRUE(received);
    EXPECT_EQ(to_base16(*received), kMessages[i].payload);
  }
}

TEST(NoiseXx, every_flipped_bit_of_every_message_ends_the_handshake) {
  for (int number = 0; number < 3; ++number) {
    const std::size_t size = hex(kMessages[number].ciphertext).size();
    for (std::size_t bit = 0; bit < size * 8; bit += 5) {
      Pair pair;
      pair.pass(number);
      const auto sent = pair.sender(number).write(hex(kMessages[number].payload));
      ASSERT_TRUE(sent);
      auto bad = sent->to_vector();
      bad[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      const bool taken = pair.receiver(number).read(bad).has_value();
      if (number > 0) {
        ASSERT_FALSE(taken) << number << " " << bit;
        EXPECT_FALSE(pair.receiver(number).may_read());
        EXPECT_FALSE(pair.receiver(number).may_write());
        continue;
      }
      // Nothing protects message 1 itself; the answer shows that the two saw different ones.
      const auto answer = pair.responder.write({});
      ASSERT_TRUE(answer);
      ASSERT_FALSE(pair.initiator.read(*answer)) << bit;
    }
  }
}

TEST(NoiseXx, another_prologue_ends_the_handshake) {
  Rng rng(1);
  const auto key = [&] { return crypto::X25519Key::make(rng); };
  NoiseXx initiator(NoiseRole::initiator, as_bytes("a"), key(), key());
  NoiseXx responder(NoiseRole::responder, as_bytes("b"), key(), key());
  ASSERT_TRUE(responder.read(*initiator.write({})));
  EXPECT_FALSE(initiator.read(*responder.write({})));
}

TEST(NoiseXx, truncated_messages_are_refused) {
  for (int number = 0; number < 3; ++number) {
    Pair probe;
    probe.pass(number);
    const std::size_t overhead = probe.sender(number).overhead();
    for (std::size_t size = 0; size < overhead; ++size) {
      Pair pair;
      pair.pass(number);
      const auto sent = pair.sender(number).write({});
      ASSERT_TRUE(sent);
      const auto read = pair.receiver(number).read(sent->slice(0, size));
      ASSERT_FALSE(read);
      EXPECT_EQ(read.error().code, Errc::truncated);
    }
  }
}

TEST(NoiseXx, ephemeral_key_of_low_order_is_refused_by_both_sides) {
  const std::vector<std::uint8_t> zeros(32);
  Pair pair;
  ASSERT_TRUE(pair.responder.read(zeros));
  EXPECT_FALSE(pair.responder.write({}));
  EXPECT_FALSE(pair.responder.may_write());
  EXPECT_FALSE(pair.responder.may_read());

  Pair other;
  other.pass(1);
  auto answer = *other.responder.write({});
  auto forged = answer.to_vector();
  std::fill(forged.begin(), forged.begin() + 32, std::uint8_t{0});
  const auto read = other.initiator.read(forged);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().what.find("low order"), std::string::npos);
}

TEST(NoiseXx, oversized_message_is_refused) {
  Pair pair;
  const auto read = pair.responder.read(std::vector<std::uint8_t>(kNoiseMessageMax + 1));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::oversized);
}

TEST(NoiseXx, statics_are_exchanged_and_keys_cross) {
  Pair pair;
  pair.pass(3);
  EXPECT_EQ(
      to_base16(pair.responder.remote_static()),
      to_base16(
          key_of("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1").public_key()));
  const auto one = pair.initiator.split();
  const auto other = pair.responder.split();
  EXPECT_TRUE(equal(one.send, other.receive));
  EXPECT_TRUE(equal(one.receive, other.send));
  EXPECT_FALSE(equal(one.send, one.receive));
}

}  // namespace
}  // namespace kith::wire
