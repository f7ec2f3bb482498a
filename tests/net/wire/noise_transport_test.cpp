#include "net/wire/noise_transport.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/base/rng.hpp"

namespace kith::wire {
namespace {

NoiseXx::Keys keys_of(std::uint8_t send, std::uint8_t receive) {
  NoiseXx::Keys keys;
  std::fill_n(keys.send.data(), keys.send.size(), send);
  std::fill_n(keys.receive.data(), keys.receive.size(), receive);
  return keys;
}

struct Pair {
  NoiseTransport one{keys_of(1, 2)};
  NoiseTransport other{keys_of(2, 1)};
};

Bytes random_bytes(Rng& rng, std::size_t size) {
  return Bytes::make(size, [&](std::span<std::uint8_t> to) { rng.fill(to); });
}

Bytes frame_of_length(std::size_t length, std::size_t bytes_there) {
  std::vector<std::uint8_t> frame(kNoiseLengthBytes + bytes_there);
  frame[0] = static_cast<std::uint8_t>(length >> 8);
  frame[1] = static_cast<std::uint8_t>(length);
  return Bytes::adopt(std::move(frame));
}

RC_GTEST_PROP(NoiseTransport, any_parts_arrive_through_any_cuts, (std::uint64_t seed)) {
  Rng rng(seed);
  Pair pair;
  std::vector<std::uint8_t> sent, wire, received;
  for (std::uint64_t message = 1 + rng.below(5); message > 0; --message) {
    std::vector<Bytes> kept;
    std::vector<ByteView> parts;
    for (std::uint64_t part = rng.below(6); part > 0; --part) {
      const std::uint64_t size = rng.chance(200'000) ? rng.below(200'000) : rng.below(300);
      kept.push_back(random_bytes(rng, size));
    }
    for (const Bytes& part : kept) {
      parts.push_back(part);
      sent.insert(sent.end(), part.begin(), part.end());
    }
    const auto sealed = pair.one.seal(parts);
    RC_ASSERT(sealed.has_value());
    wire.insert(wire.end(), sealed->begin(), sealed->end());
  }
  for (std::size_t at = 0; at < wire.size();) {
    const std::uint64_t limit = rng.chance(500'000) ? 10 : 150'000;
    const std::size_t size = std::min<std::size_t>(1 + rng.below(limit), wire.size() - at);
    const auto opened = pair.other.open(Bytes::copy(ByteView(wire).subspan(at, size)));
    RC_ASSERT(opened.has_value());
    RC_ASSERT(pair.other.held_bytes() < kNoiseFrameMax);
    received.insert(received.end(), opened->begin(), opened->end());
    at += size;
  }
  RC_ASSERT(received == sent);
  RC_ASSERT(pair.other.held_bytes() == 0u);
}

TEST(NoiseTransport, parts_fill_frames_across_their_borders) {
  Pair pair;
  Rng rng(1);
  const Bytes header = random_bytes(rng, 12);
  const Bytes body = random_bytes(rng, 2 * kNoisePlaintextMax);
  const ByteView parts[] = {header, {}, body, {}};
  const auto sealed = pair.one.seal(parts);
  ASSERT_TRUE(sealed);
  // Two full frames and 12 bytes in a third.
  EXPECT_EQ(sealed->size(), 2 * kNoiseFrameMax + kNoiseFrameOverhead + 12);
  EXPECT_EQ(sealed->size(), NoiseTransport::sealed_size(12 + body.size()));
  const auto opened = pair.other.open(*sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->slice(0, 12), header);
  EXPECT_EQ(opened->slice(12), body);
}

TEST(NoiseTransport, exactly_full_frame_needs_no_second_one) {
  Pair pair;
  const std::vector<std::uint8_t> full(kNoisePlaintextMax);
  EXPECT_EQ(pair.one.seal(full)->size(), kNoiseFrameMax);
}

TEST(NoiseTransport, nothing_is_sealed_to_nothing) {
  Pair pair;
  EXPECT_TRUE(pair.one.seal(std::span<const ByteView>{})->empty());
  EXPECT_TRUE(pair.one.seal(ByteView{})->empty());
}

TEST(NoiseTransport, every_flipped_byte_is_refused_and_final) {
  Pair reference;
  const Bytes good = *reference.one.seal(as_bytes("some text"));
  for (std::size_t at = kNoiseLengthBytes; at < good.size(); ++at) {
    Pair pair;
    auto bad = good.to_vector();
    bad[at] ^= 0x80;
    EXPECT_FALSE(pair.other.open(Bytes::adopt(std::move(bad)))) << at;
    const auto after = pair.other.open(good);
    ASSERT_FALSE(after) << at;
    EXPECT_EQ(after.error().code, Errc::closed);
  }
}

TEST(NoiseTransport, changed_length_is_refused_once_its_frame_is_there) {
  for (const int change : {-1, 1}) {
    Pair pair;
    auto bytes = pair.one.seal(as_bytes("some text"))->to_vector();
    const Bytes next = *pair.one.seal(as_bytes("more"));
    bytes[1] = static_cast<std::uint8_t>(bytes[1] + change);
    bytes.insert(bytes.end(), next.begin(), next.end());
    EXPECT_FALSE(pair.other.open(Bytes::adopt(std::move(bytes))));
  }
}

TEST(NoiseTransport, replayed_and_reordered_frames_are_refused) {
  Pair replay;
  const Bytes first = *replay.one.seal(as_bytes("first"));
  ASSERT_TRUE(replay.other.open(first));
  EXPECT_FALSE(replay.other.open(first));

  Pair reorder;
  ASSERT_TRUE(reorder.one.seal(as_bytes("first")));
  EXPECT_FALSE(reorder.other.open(*reorder.one.seal(as_bytes("second"))));
}

TEST(NoiseTransport, own_frames_sent_back_are_refused) {
  Pair pair;
  EXPECT_FALSE(pair.one.open(*pair.one.seal(as_bytes("mirror"))));
}

TEST(NoiseTransport, frames_shorter_than_a_tag_are_refused_at_their_length) {
  for (std::size_t length = 0; length < kNoiseTagBytes; ++length) {
    Pair pair;
    const auto opened = pair.other.open(frame_of_length(length, 0));
    ASSERT_FALSE(opened) << length;
    EXPECT_EQ(opened.error().code, Errc::malformed);
    // Also when the length comes in two pieces.
    Pair cut;
    const Bytes bytes = frame_of_length(length, 0);
    ASSERT_TRUE(cut.other.open(bytes.slice(0, 1)));
    EXPECT_FALSE(cut.other.open(bytes.slice(1)));
  }
}

TEST(NoiseTransport, empty_frames_are_legal_and_yield_nothing) {
  Pair pair;
  crypto::AeadSealer sealer;
  sealer.set_key(keys_of(1, 2).send.span());
  std::vector<std::uint8_t> frame(kNoiseLengthBytes + kNoiseTagBytes);
  frame[1] = kNoiseTagBytes;
  sealer.seal(crypto::aead_nonce(0), {}, {}, frame.data() + kNoiseLengthBytes);
  const auto opened = pair.other.open(Bytes::adopt(std::move(frame)));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
}

TEST(NoiseTransport, promised_length_reserves_nothing) {
  Pair pair;
  ASSERT_TRUE(pair.other.open(frame_of_length(kNoiseMessageMax, 10)));
  EXPECT_EQ(pair.other.held_bytes(), kNoiseLengthBytes + 10);
}

TEST(NoiseTransport, last_nonce_is_never_used_to_send) {
  NoiseTransport transport(keys_of(1, 2), UINT64_MAX - 1);
  // Two frames are too many for one nonce, and nothing is spent on them.
  const std::vector<std::uint8_t> two(kNoisePlaintextMax + 1);
  const auto refused = transport.seal(two);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::exhausted);
  EXPECT_TRUE(transport.seal(as_bytes("the last one")));
  EXPECT_FALSE(transport.seal(as_bytes("too late")));
}

TEST(NoiseTransport, last_nonce_is_never_used_to_receive) {
  NoiseTransport sender(keys_of(1, 2), UINT64_MAX - 1);
  NoiseTransport receiver(keys_of(2, 1), 0, UINT64_MAX - 1);
  ASSERT_TRUE(receiver.open(*sender.seal(as_bytes("the last one"))));
  crypto::AeadSealer sealer;
  sealer.set_key(keys_of(1, 2).send.span());
  std::vector<std::uint8_t> frame(kNoiseLengthBytes + kNoiseTagBytes);
  frame[1] = kNoiseTagBytes;
  sealer.seal(crypto::aead_nonce(UINT64_MAX), {}, {}, frame.data() + kNoiseLengthBytes);
  EXPECT_FALSE(receiver.open(Bytes::adopt(std::move(frame))));
}

}  // namespace
}  // namespace kith::wire
