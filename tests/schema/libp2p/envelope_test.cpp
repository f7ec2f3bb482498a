#include "schema/libp2p/envelope.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "schema/base/multiaddr.hpp"
#include "schema/libp2p/peer_record.hpp"
#include "schema/libp2p/proto.hpp"
#include "tests/schema/base/hex.hpp"
#include "tests/schema/libp2p/fixture.hpp"

namespace kith::libp2p {
namespace {

TEST(Envelope, reads_what_js_signed_and_writes_the_same) {
  const Bytes message = fixture("js/signed_envelope.bin");
  const Result<Envelope> envelope = decode_envelope(message);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->public_key, fixture("js/ed25519_public_key.bin"));
  EXPECT_TRUE(equal(envelope->payload_type, kPeerRecordType));
  EXPECT_EQ(envelope->payload, fixture("js/peer_record.bin"));
  EXPECT_EQ(envelope->signature.size(), 64u);
  EXPECT_EQ(encode_envelope(*envelope), message);
}

TEST(Envelope, what_is_signed_has_lengths_in_front) {
  EXPECT_EQ(to_base16(envelope_signed_bytes("ab", hex("0301"), hex("ff"))),
            "026162"
            "020301"
            "01ff");
  EXPECT_EQ(to_base16(envelope_signed_bytes("", {}, {})), "000000");
  const Bytes longer = envelope_signed_bytes("d", {}, std::vector<std::uint8_t>(300));
  EXPECT_EQ(longer.size(), 2u + 1 + 2 + 300);
  EXPECT_EQ(to_base16(longer.slice(0, 5)),
            "016400"
            "ac02");
}

TEST(Envelope, oversized_is_refused_before_it_is_read) {
  const Bytes message = encode([](auto& to) { to.text(3, std::string(kEnvelopeMax, 'x')); });
  EXPECT_EQ(decode_envelope(message).error().code, Errc::oversized);
}

// Two different triples never give the same bytes: a signature cannot be moved.
RC_GTEST_PROP(EnvelopeProperty, boundaries_cannot_be_shifted,
              (const std::string& all, std::uint8_t i, std::uint8_t j)) {
  const auto signed_at = [&](std::size_t a, std::size_t b) {
    const ByteView bytes = as_bytes(all);
    return envelope_signed_bytes(all.substr(0, a), bytes.subspan(a, b - a), bytes.subspan(b));
  };
  const std::size_t size = all.size() + 1;
  const std::size_t a = i % size;
  const std::size_t b = a + j % (size - a);
  for (std::size_t x = 0; x < size; ++x)
    for (std::size_t y = x; y < size; ++y)
      RC_ASSERT((signed_at(x, y) == signed_at(a, b)) == (x == a && y == b));
}

TEST(PeerRecord, reads_what_js_sends_and_writes_the_same) {
  const Bytes message = fixture("js/peer_record.bin");
  const Result<PeerRecord> record = decode_peer_record(message);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->peer_id.text(), "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5");
  EXPECT_EQ(record->seq, 7u);
  ASSERT_EQ(record->addresses.size(), 2u);
  EXPECT_EQ(Multiaddr::decode(record->addresses[0])->text(), "/ip4/192.0.2.1/tcp/4001");
  EXPECT_EQ(encode_peer_record(*record), message);
}

TEST(PeerRecord, needs_a_peer_id_and_few_addresses) {
  PeerRecord record{PeerId::of_public_key(as_bytes("key")), UINT64_MAX, {}};
  record.addresses.assign(kPeerRecordAddrsMax, Bytes::copy("a"));
  EXPECT_EQ(*decode_peer_record(encode_peer_record(record)), record);
  record.addresses.push_back(Bytes());
  EXPECT_EQ(decode_peer_record(encode_peer_record(record)).error().code, Errc::oversized);
  EXPECT_TRUE(decode_peer_record({}).has_error());
  EXPECT_TRUE(decode_peer_record(hex("0a03120101")).has_error()) << "no such multihash";
}

}  // namespace
}  // namespace kith::libp2p
