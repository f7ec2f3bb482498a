#include "net/wire/noise.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "schema/libp2p/proto.hpp"
#include "tests/net/crypto/foreign_signer.hpp"
#include "tests/schema/base/hex.hpp"
#include "tests/support/fixture.hpp"

namespace kith::wire {
namespace {

using crypto::Identity;
using crypto::KeyType;
using crypto::X25519Key;

X25519Key key_of_seed(std::uint8_t seed) {
  NoiseKey secret;
  std::fill_n(secret.data(), secret.size(), seed);
  return X25519Key(secret);
}

Identity identity_of_seed(std::uint8_t seed) {
  crypto::Wiped<32> bytes;
  std::fill_n(bytes.data(), bytes.size(), seed);
  return Identity::of_seed(bytes);
}

// Peers A and B of the js fixtures: seeds 1 and 2, Noise keys 0x11 and 0x21.
struct Peers {
  Identity a = identity_of_seed(1);
  Identity b = identity_of_seed(2);
  NoiseStatic a_static{a, key_of_seed(0x11)};
  NoiseStatic b_static{b, key_of_seed(0x21)};
};

struct Pair {
  explicit Pair(const Peers& peers, std::optional<PeerId> expected = {})
      : initiator(NoiseRole::initiator, peers.a_static, key_of_seed(0x12), std::move(expected)),
        responder(NoiseRole::responder, peers.b_static, key_of_seed(0x22), {}) {}
  NoiseHandshake initiator, responder;
};

Bytes framed(ByteView message) {
  return Bytes::make(2 + message.size(), [&](std::span<std::uint8_t> to) {
    to[0] = static_cast<std::uint8_t>(message.size() >> 8);
    to[1] = static_cast<std::uint8_t>(message.size());
    std::copy(message.begin(), message.end(), to.begin() + 2);
  });
}

Bytes js_message(int number) {
  Bytes all = fixture("js/noise_xx_handshake.bin");
  for (;; --number) {
    const std::size_t size = 2 + (static_cast<std::size_t>(all[0]) << 8 | all[1]);
    if (number == 1) return all.slice(0, size);
    all = all.slice(size);
  }
}

TEST(NoiseHandshake, payload_equals_that_of_js) {
  EXPECT_EQ(Peers().a_static.payload(), fixture("js/noise_payload.bin"));
}

TEST(NoiseHandshake, whole_conversation_equals_that_of_js) {
  const Peers peers;
  Pair pair(peers, peers.b.id());
  EXPECT_EQ(pair.initiator.start(), js_message(1));
  auto second = pair.responder.on_bytes(js_message(1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->write, js_message(2));
  auto third = pair.initiator.on_bytes(js_message(2));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->write, js_message(3));
  auto last = pair.responder.on_bytes(js_message(3));
  ASSERT_TRUE(last);
  ASSERT_TRUE(third->session && last->session);
  EXPECT_EQ(third->session->remote, peers.b.id());
  EXPECT_EQ(last->session->remote, peers.a.id());
  EXPECT_TRUE(third->session->muxer_agreed && last->session->muxer_agreed);

  const Bytes frames = fixture("js/noise_transport.bin");
  EXPECT_EQ(*third->session->transport.seal(as_bytes("hello from A")), frames.slice(0, 30));
  EXPECT_EQ(*last->session->transport.seal(as_bytes("hello from B")), frames.slice(30));
  EXPECT_EQ(last->session->transport.open(frames.slice(0, 30))->text(), "hello from A");
  EXPECT_EQ(third->session->transport.open(frames.slice(30))->text(), "hello from B");
}

RC_GTEST_PROP(NoiseHandshake, any_cuts_lead_to_the_same_session, (std::uint64_t seed)) {
  static const Peers peers;
  Rng rng(seed);
  Pair pair(peers);
  std::optional<NoiseSession> sessions[2];
  std::vector<std::uint8_t> wire[2];  // to the responder, to the initiator
  const auto queue = [&](int to, const Bytes& bytes) {
    wire[to].insert(wire[to].end(), bytes.begin(), bytes.end());
  };
  queue(0, pair.initiator.start());
  while (!sessions[0] || !sessions[1]) {
    const int to = wire[0].empty() ? 1 : wire[1].empty() ? 0 : static_cast<int>(rng.below(2));
    RC_ASSERT(!wire[to].empty());
    const std::size_t size = 1 + rng.below(std::min<std::size_t>(wire[to].size(), 100));
    const Bytes chunk = Bytes::copy(ByteView(wire[to]).first(size));
    wire[to].erase(wire[to].begin(), wire[to].begin() + static_cast<std::ptrdiff_t>(size));
    auto step = (to == 0 ? pair.responder : pair.initiator).on_bytes(chunk);
    RC_ASSERT(step.has_value());
    queue(1 - to, step->write);
    if (step->session) sessions[to] = std::move(step->session);
  }
  RC_ASSERT(sessions[0]->remote == peers.a.id() && sessions[1]->remote == peers.b.id());
  const auto opened = sessions[0]->transport.open(*sessions[1]->transport.seal(as_bytes("x")));
  RC_ASSERT(opened.has_value() && opened->text() == "x");
}

TEST(NoiseHandshake, bytes_behind_the_last_message_are_handed_on) {
  const Peers peers;
  Pair pair(peers);
  auto second = pair.responder.on_bytes(pair.initiator.start());
  auto third = pair.initiator.on_bytes(second->write);
  ASSERT_TRUE(third && third->session);
  auto chunk = third->write.to_vector();
  const Bytes early = *third->session->transport.seal(as_bytes("early"));
  chunk.insert(chunk.end(), early.begin(), early.end());
  auto last = pair.responder.on_bytes(Bytes::adopt(std::move(chunk)));
  ASSERT_TRUE(last && last->session);
  EXPECT_EQ(last->session->rest, early);
  EXPECT_EQ(last->session->transport.open(last->session->rest)->text(), "early");
}

TEST(NoiseHandshake, another_peer_than_dialled_is_refused_before_we_say_who_we_are) {
  const Peers peers;
  Pair pair(peers, identity_of_seed(9).id());
  const auto second = pair.responder.on_bytes(pair.initiator.start());
  const auto third = pair.initiator.on_bytes(second->write);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::identity);
  EXPECT_NE(third.error().why.find(peers.b.id().text()), std::string::npos);
}

// What a run came to when one of its messages was changed on the way.
bool completes(const Peers& peers, int number, const std::function<void(Bytes&)>& change) {
  Pair pair(peers);
  Bytes first = pair.initiator.start();
  if (number == 1) change(first);
  auto second = pair.responder.on_bytes(first);
  if (!second) return false;
  if (number == 2) change(second->write);
  auto third = pair.initiator.on_bytes(second->write);
  if (!third) return false;
  if (number == 3) change(third->write);
  auto last = pair.responder.on_bytes(third->write);
  return last && last->session && third->session;
}

TEST(NoiseHandshake, every_flipped_byte_of_every_message_prevents_the_session) {
  const Peers peers;
  for (int number = 1; number <= 3; ++number) {
    const std::size_t size = js_message(number).size();
    for (std::size_t at = 0; at < size; ++at)
      ASSERT_FALSE(completes(peers, number,
                             [&](Bytes& message) {
                               auto bytes = message.to_vector();
                               bytes[at] ^= 0x01;
                               message = Bytes::adopt(std::move(bytes));
                             }))
          << number << " " << at;
  }
  EXPECT_TRUE(completes(peers, 0, {}));
}

TEST(NoiseHandshake, truncated_messages_prevent_the_session) {
  const Peers peers;
  for (int number = 1; number <= 3; ++number)
    for (std::size_t drop : {1u, 16u, 17u, 32u}) {
      // As a whole shorter message, and as one that never ends.
      ASSERT_FALSE(completes(peers, number, [&](Bytes& message) {
        message = framed(message.slice(2, message.size() - 2 - drop));
      }));
      ASSERT_FALSE(completes(peers, number, [&](Bytes& message) {
        message = message.slice(0, message.size() - drop);
      }));
    }
}

TEST(NoiseHandshake, oversized_message_is_refused_at_its_length) {
  const Peers peers;
  for (const std::size_t size : {kNoiseHandshakeMessageMax + 1, kNoiseMessageMax}) {
    Pair pair(peers);
    const std::uint8_t length[] = {static_cast<std::uint8_t>(size >> 8),
                                   static_cast<std::uint8_t>(size)};
    const auto step = pair.responder.on_bytes(Bytes::copy(length));
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, Errc::oversized);
  }
}

TEST(NoiseHandshake, zero_length_message_is_refused) {
  const Peers peers;
  Pair pair(peers);
  EXPECT_FALSE(pair.responder.on_bytes(framed({})));
}

TEST(NoiseHandshake, first_message_with_a_payload_is_refused) {
  const Peers peers;
  Pair pair(peers);
  NoiseXx talkative(NoiseRole::initiator, {}, key_of_seed(0x11), key_of_seed(0x12));
  const auto step = pair.responder.on_bytes(framed(*talkative.write(as_bytes("x"))));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Errc::malformed);
}

TEST(NoiseHandshake, replayed_second_message_is_refused) {
  const Peers peers;
  Pair recorded(peers);
  const Bytes second = recorded.responder.on_bytes(recorded.initiator.start())->write;
  // Another dial by the same node, so with another ephemeral key.
  NoiseHandshake again(NoiseRole::initiator, peers.a_static, key_of_seed(0x13), {});
  again.start();
  EXPECT_FALSE(again.on_bytes(second));
  // And twice on one connection.
  auto third = recorded.initiator.on_bytes(second);
  ASSERT_TRUE(third);
  const auto twice = recorded.initiator.on_bytes(second);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Errc::closed);
}

TEST(NoiseHandshake, low_order_ephemeral_keys_are_refused) {
  const Peers peers;
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}) {
    for (const int number : {1, 2})
      ASSERT_FALSE(completes(peers, number, [&](Bytes& message) {
        auto bytes = message.slice(2).to_vector();
        const Bytes low = hex(point);
        std::copy(low.begin(), low.end(), bytes.begin());
        message = framed(bytes);
      }));
  }
}

TEST(NoiseHandshake, after_an_error_everything_is_refused) {
  const Peers peers;
  Pair pair(peers);
  ASSERT_FALSE(pair.responder.on_bytes(framed({})));
  const auto later = pair.responder.on_bytes(pair.initiator.start());
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Errc::closed);
}

TEST(NoiseHandshake, bytes_before_our_first_message_are_refused) {
  const Peers peers;
  Pair pair(peers);
  EXPECT_FALSE(pair.initiator.on_bytes(js_message(2)));
}

// A responder that speaks Noise correctly and puts any payload into message 2.
Result<NoiseStep> answered_with(const Peers& peers, ByteView payload) {
  NoiseHandshake initiator(NoiseRole::initiator, peers.a_static, key_of_seed(0x12), {});
  NoiseXx responder(NoiseRole::responder, {}, key_of_seed(0x21), key_of_seed(0x22));
  EXPECT_TRUE(responder.read(initiator.start().slice(2)));
  return initiator.on_bytes(framed(*responder.write(payload)));
}

Bytes text_to_sign(std::uint8_t noise_seed) {
  const auto key = key_of_seed(noise_seed).public_key();
  return Bytes::copy(std::string(kNoiseSignaturePrefix) + std::string(as_text(key)));
}

Bytes payload_of(ByteView key, ByteView signature, std::vector<std::string_view> muxers = {}) {
  return libp2p::encode([&](auto& to) {
    to.bytes(1, key);
    to.bytes(2, signature);
    if (muxers.empty()) return;
    to.message(4, [&](auto& extensions) {
      for (const std::string_view muxer : muxers) extensions.text(2, muxer);
    });
  });
}

TEST(NoiseHandshake, identity_must_sign_this_noise_key_under_the_prefix) {
  const Peers peers;
  const auto key = peers.b.public_key().encoded();
  EXPECT_TRUE(answered_with(peers, payload_of(key, peers.b.sign(text_to_sign(0x21)))));
  const auto other_key = answered_with(peers, payload_of(key, peers.b.sign(text_to_sign(0x31))));
  ASSERT_FALSE(other_key);
  EXPECT_EQ(other_key.error().code, Errc::signature);
  const auto bare = key_of_seed(0x21).public_key();
  EXPECT_FALSE(answered_with(peers, payload_of(key, peers.b.sign(bare))));
  EXPECT_FALSE(answered_with(peers, payload_of(key, peers.a.sign(text_to_sign(0x21)))));
  EXPECT_FALSE(answered_with(peers, payload_of(key, {})));
  EXPECT_FALSE(answered_with(peers, payload_of({}, peers.b.sign(text_to_sign(0x21)))));
  EXPECT_FALSE(answered_with(peers, {}));
  EXPECT_FALSE(answered_with(peers, as_bytes("not protobuf")));
}

TEST(NoiseHandshake, muxer_is_agreed_only_when_the_peer_offers_yamux) {
  const Peers peers;
  const auto agreed = [&](std::vector<std::string_view> muxers) {
    const auto step =
        answered_with(peers, payload_of(peers.b.public_key().encoded(),
                                        peers.b.sign(text_to_sign(0x21)), std::move(muxers)));
    EXPECT_TRUE(step);
    return step && step->session->muxer_agreed;
  };
  EXPECT_TRUE(agreed({"/yamux/1.0.0"}));
  EXPECT_TRUE(agreed({"/mplex/6.7.0", "/yamux/1.0.0"}));
  EXPECT_FALSE(agreed({}));
  EXPECT_FALSE(agreed({"/mplex/6.7.0"}));
}

TEST(NoiseHandshake, endless_list_of_muxers_is_refused) {
  const Peers peers;
  const std::vector<std::string_view> many(100, "/m");
  const auto step = answered_with(
      peers, payload_of(peers.b.public_key().encoded(), peers.b.sign(text_to_sign(0x21)), many));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Errc::oversized);
}

TEST(NoiseHandshake, peers_with_rsa_ecdsa_and_secp256k1_identities_are_recognised) {
  const Peers peers;
  const std::pair<KeyType, std::string> kinds[] = {
      {KeyType::rsa, "rsa"}, {KeyType::ecdsa, "ecdsa"}, {KeyType::secp256k1, "secp256k1"}};
  for (const auto& [type, name] : kinds) {
    const Bytes encoded = fixture("keys/" + name + "_private_key.bin");
    const VarintRead length = read_varint(encoded.view().subspan(3));
    const auto secret = crypto::private_key(type, encoded.view().subspan(3 + length.length));
    const Bytes key = fixture("keys/" + name + "_public_key.bin");
    const auto step =
        answered_with(peers, payload_of(key, crypto::sign_foreign(secret, text_to_sign(0x21))));
    ASSERT_TRUE(step) << name << step.error().what;
    EXPECT_EQ(step->session->remote, PeerId::of_public_key(key));
    EXPECT_FALSE(step->session->muxer_agreed);
  }
}

TEST(NoiseHandshake, same_seed_gives_the_same_bytes) {
  const Peers peers;
  Rng one(5), other(5);
  NoiseHandshake first(NoiseRole::initiator, peers.a_static, one);
  NoiseHandshake second(NoiseRole::initiator, peers.a_static, other);
  NoiseHandshake third(NoiseRole::initiator, peers.a_static, one);
  const Bytes sent = first.start();
  EXPECT_EQ(sent, second.start());
  EXPECT_NE(sent, third.start());
}

}  // namespace
}  // namespace kith::wire
