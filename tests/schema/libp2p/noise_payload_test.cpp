#include "schema/libp2p/noise_payload.hpp"

#include <gtest/gtest.h>

#include "schema/libp2p/proto.hpp"
#include "tests/schema/libp2p/fixture.hpp"

namespace kith::libp2p {
namespace {

TEST(NoisePayload, reads_what_js_sends_and_writes_the_same) {
  const Bytes message = fixture("js/noise_payload.bin");
  const Result<NoisePayload> payload = decode_noise_payload(message);
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->identity_key, fixture("js/ed25519_public_key.bin"));
  EXPECT_EQ(payload->identity_sig.size(), 64u);
  ASSERT_EQ(payload->stream_muxers.size(), 1u);
  EXPECT_EQ(payload->stream_muxers[0].text(), "/yamux/1.0.0");
  EXPECT_EQ(encode_noise_payload(*payload), message);
}

TEST(NoisePayload, peers_without_extensions_are_read) {
  const NoisePayload bare{Bytes::copy("key"), Bytes::copy("sig"), {}, {}};
  const Bytes message = encode_noise_payload(bare);
  EXPECT_EQ(*decode_noise_payload(message), bare);
  EXPECT_EQ(*count_field(message, bytes_key(4)), 0u);
  EXPECT_TRUE(decode_noise_payload({})->identity_key.empty());
}

TEST(NoisePayload, lists_are_bounded_also_over_several_extensions) {
  const auto message = [](std::size_t first, std::size_t second, std::uint32_t number) {
    return encode([&](auto& to) {
      for (const std::size_t count : {first, second})
        to.message(4, [&](auto& extensions) {
          for (std::size_t i = 0; i < count; ++i) extensions.text(number, "x");
        });
    });
  };
  EXPECT_EQ(decode_noise_payload(message(6, kNoiseMuxersMax - 6, 2))->stream_muxers.size(),
            kNoiseMuxersMax);
  EXPECT_EQ(decode_noise_payload(message(6, kNoiseMuxersMax - 5, 2)).error().code, Errc::oversized);
  EXPECT_TRUE(decode_noise_payload(message(1, kNoiseCerthashesMax - 1, 1)));
  EXPECT_EQ(decode_noise_payload(message(1, kNoiseCerthashesMax, 1)).error().code, Errc::oversized);
}

TEST(NoisePayload, every_cut_is_refused_or_lacks_what_was_cut) {
  const Bytes message = fixture("js/noise_payload.bin");
  const NoisePayload whole = *decode_noise_payload(message);
  for (std::size_t cut = 0; cut < message.size(); ++cut) {
    const Result<NoisePayload> part = decode_noise_payload(message.slice(0, cut));
    EXPECT_FALSE(part && *part == whole) << cut;
  }
}

}  // namespace
}  // namespace kith::libp2p
