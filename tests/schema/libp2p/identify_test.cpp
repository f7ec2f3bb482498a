#include "schema/libp2p/identify.hpp"

#include <gtest/gtest.h>

#include "schema/base/multiaddr.hpp"
#include "schema/libp2p/proto.hpp"
#include "tests/schema/libp2p/fixture.hpp"

namespace kith::libp2p {
namespace {

Bytes repeated(std::uint32_t number, std::size_t count) {
  return encode([&](auto& to) {
    for (std::size_t i = 0; i < count; ++i) to.text(number, "x");
  });
}

TEST(Identify, reads_what_js_sends) {
  const Bytes message = fixture("js/identify.bin");
  const Result<Identify> identify = decode_identify(message);
  ASSERT_TRUE(identify);
  EXPECT_EQ(identify->protocol_version->text(), "ipfs/0.1.0");
  EXPECT_TRUE(identify->agent_version->text().starts_with("js-libp2p/"));
  EXPECT_EQ(*identify->public_key, fixture("js/ed25519_public_key.bin"));
  ASSERT_EQ(identify->listen_addrs.size(), 2u);
  EXPECT_EQ(Multiaddr::decode(identify->listen_addrs[1])->text(), "/ip6/2001:db8::1/tcp/4001");
  EXPECT_EQ(Multiaddr::decode(*identify->observed_addr)->text(), "/ip4/192.0.2.2/tcp/4002");
  ASSERT_EQ(identify->protocols.size(), 3u);
  EXPECT_EQ(identify->protocols[2].text(), "/meshsub/1.1.0");
  EXPECT_EQ(*identify->signed_peer_record, fixture("js/signed_envelope.bin"));
  EXPECT_EQ(*decode_identify(encode_identify(*identify)), *identify);
}

TEST(Identify, missing_is_told_from_empty) {
  const Identify nothing = *decode_identify({});
  EXPECT_FALSE(nothing.public_key);
  EXPECT_FALSE(nothing.observed_addr);
  EXPECT_TRUE(nothing.protocols.empty());
  EXPECT_TRUE(encode_identify(nothing).empty());
  const Identify empty = *decode_identify(repeated(4, 1).slice(0, 0));
  EXPECT_FALSE(empty.observed_addr);
  const Bytes message = encode([](auto& to) { to.text(4, ""); });
  ASSERT_TRUE(decode_identify(message)->observed_addr);
  EXPECT_TRUE(decode_identify(message)->observed_addr->empty());
}

TEST(Identify, bounds_hold_to_the_last_one) {
  EXPECT_TRUE(decode_identify(repeated(2, kIdentifyAddrsMax)));
  EXPECT_EQ(decode_identify(repeated(2, kIdentifyAddrsMax + 1)).error().code, Errc::oversized);
  EXPECT_TRUE(decode_identify(repeated(3, kIdentifyProtocolsMax)));
  EXPECT_EQ(decode_identify(repeated(3, kIdentifyProtocolsMax + 1)).error().code, Errc::oversized);
  const auto of_size = [](std::size_t size) {
    return encode([&](auto& to) { to.text(6, std::string(size - 3, 'x')); });
  };
  EXPECT_TRUE(decode_identify(of_size(kIdentifyPartMax)));
  EXPECT_EQ(decode_identify(of_size(kIdentifyPartMax + 1)).error().code, Errc::oversized);
}

TEST(IdentifyParts, last_value_wins_and_lists_go_on) {
  IdentifyParts parts;
  EXPECT_TRUE(parts.empty());
  ASSERT_TRUE(parts.add(encode([](auto& to) {
    to.text(3, "/a");
    to.text(6, "old");
    to.text(8, "record");
  })));
  ASSERT_TRUE(parts.add(encode([](auto& to) {
    to.text(3, "/b");
    to.text(6, "new");
  })));
  const Result<Identify> merged = parts.finish();
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->protocols.size(), 2u);
  EXPECT_EQ(merged->protocols[1].text(), "/b");
  EXPECT_EQ(merged->agent_version->text(), "new");
  EXPECT_EQ(merged->signed_peer_record->text(), "record");
}

TEST(IdentifyParts, ten_are_the_most_and_bounds_are_those_of_one) {
  IdentifyParts parts;
  for (std::size_t i = 0; i < kIdentifyPartsMax; ++i) ASSERT_TRUE(parts.add(repeated(3, 13)));
  EXPECT_EQ(parts.add(repeated(3, 1)).error().code, Errc::oversized);
  EXPECT_EQ(parts.finish().error().code, Errc::oversized) << "130 protocols in ten parts";
  IdentifyParts big;
  EXPECT_EQ(big.add(Bytes::copy(std::string(kIdentifyPartMax + 1, 0))).error().code,
            Errc::oversized);
  EXPECT_TRUE(IdentifyParts().finish()) << "a peer that says nothing";
}

TEST(IdentifyParts, a_broken_part_does_not_swallow_the_next) {
  IdentifyParts parts;
  ASSERT_TRUE(parts.add(Bytes::copy(ByteView(std::array<std::uint8_t, 2>{0x32, 4}))));
  ASSERT_TRUE(parts.add(repeated(3, 2)));
  EXPECT_EQ(parts.finish().error().code, Errc::truncated);
}

}  // namespace
}  // namespace kith::libp2p
