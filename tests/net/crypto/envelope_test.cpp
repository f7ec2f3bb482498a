#include "net/crypto/envelope.hpp"

#include <gtest/gtest.h>

#include "net/crypto/signing.hpp"
#include "schema/libp2p/proto.hpp"
#include "tests/support/fixture.hpp"

namespace kith::crypto {
namespace {

Identity identity_of(std::uint64_t seed) {
  Rng rng(seed);
  return Identity::make(rng);
}

std::vector<Multiaddr> addresses() {
  return {*Multiaddr::parse("/ip4/192.0.2.1/tcp/4001"),
          *Multiaddr::parse("/ip6/2001:db8::1/tcp/4001")};
}

TEST(Envelope, record_of_a_js_peer_opens) {
  const auto record = open_peer_record(fixture("js/signed_envelope.bin"));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id.text(), "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5");
  EXPECT_EQ(record->sequence, 7u);
  EXPECT_EQ(record->addrs, addresses());
}

TEST(Envelope, same_record_is_sealed_to_the_bytes_of_js) {
  const auto identity = Identity::decode(fixture("js/ed25519_private_key.bin"));
  ASSERT_TRUE(identity);
  EXPECT_EQ(seal_peer_record(*identity, 7, addresses()), fixture("js/signed_envelope.bin"));
}

TEST(Envelope, every_flipped_byte_is_refused) {
  const auto good = fixture("js/signed_envelope.bin").to_vector();
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= 0x04;
    EXPECT_FALSE(open_peer_record(Bytes::adopt(std::move(bad)))) << at;
  }
}

TEST(Envelope, every_truncation_is_refused) {
  const Bytes good = fixture("js/signed_envelope.bin");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(open_peer_record(good.slice(0, size))) << size;
}

TEST(Envelope, record_about_another_peer_than_the_signer_is_refused) {
  const Identity signer = identity_of(1);
  const Identity victim = identity_of(2);
  const Bytes payload = libp2p::encode([&](auto& to) {
    to.bytes(1, victim.id().bytes());
    to.varint(2, 1);
  });
  const auto record = open_peer_record(seal_envelope(signer, kPeerRecordEnvelope, payload));
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, Errc::identity);
}

TEST(Envelope, other_domain_and_other_type_are_refused) {
  const Identity identity = identity_of(1);
  const Bytes payload = Bytes::copy("payload");
  const std::uint8_t other_type[] = {0x03, 0x02};
  const EnvelopeKind rsvp{"libp2p-relay-rsvp", other_type};
  const EnvelopeKind other_domain{"libp2p-relay-rsvp", kPeerRecordEnvelope.payload_type};

  const auto wrong_type =
      open_envelope(seal_envelope(identity, rsvp, payload), kPeerRecordEnvelope);
  ASSERT_FALSE(wrong_type);
  EXPECT_EQ(wrong_type.error().code, Errc::unsupported);
  const auto wrong_domain =
      open_envelope(seal_envelope(identity, other_domain, payload), kPeerRecordEnvelope);
  ASSERT_FALSE(wrong_domain);
  EXPECT_EQ(wrong_domain.error().code, Errc::signature);
  const auto right = open_envelope(seal_envelope(identity, rsvp, payload), rsvp);
  ASSERT_TRUE(right);
  EXPECT_EQ(right->payload, payload);
  EXPECT_EQ(right->signer, identity.public_key());
}

TEST(Envelope, signature_by_another_key_is_refused) {
  const Identity signer = identity_of(1);
  const Identity claimed = identity_of(2);
  const Bytes payload = Bytes::copy("payload");
  const Signature signature = sign_in_domain(signer, kPeerRecordEnvelope.domain,
                                             {kPeerRecordEnvelope.payload_type, payload});
  const Bytes forged = libp2p::encode([&](auto& to) {
    to.bytes(1, claimed.public_key().encoded());
    to.bytes(2, kPeerRecordEnvelope.payload_type);
    to.bytes(3, payload);
    to.bytes(5, signature);
  });
  const auto opened = open_envelope(forged, kPeerRecordEnvelope);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::signature);
}

TEST(Envelope, oversized_is_refused_before_it_is_read) {
  const Identity identity = identity_of(1);
  const Bytes big = Bytes::copy(std::vector<std::uint8_t>(kEnvelopeBytesMax));
  const auto opened =
      open_envelope(seal_envelope(identity, kPeerRecordEnvelope, big), kPeerRecordEnvelope);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::oversized);
}

TEST(Envelope, record_with_too_many_addresses_is_refused_and_never_made) {
  const Identity identity = identity_of(1);
  const std::vector<Multiaddr> many(kRecordAddrsMax + 10, addresses().front());
  const auto kept = open_peer_record(seal_peer_record(identity, 1, many));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->addrs.size(), kRecordAddrsMax);

  const Bytes payload = libp2p::encode([&](auto& to) {
    to.bytes(1, identity.id().bytes());
    for (const Multiaddr& addr : many)
      to.message(3, [&](auto& info) { info.bytes(1, addr.bytes()); });
  });
  const auto refused = open_peer_record(seal_envelope(identity, kPeerRecordEnvelope, payload));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::oversized);
}

TEST(Envelope, address_that_does_not_parse_is_left_out) {
  const Identity identity = identity_of(1);
  const Bytes payload = libp2p::encode([&](auto& to) {
    to.bytes(1, identity.id().bytes());
    to.varint(2, 3);
    to.message(3, [](auto& info) { info.bytes(1, as_bytes("\xff\xff\xff")); });
    to.message(3, [&](auto& info) { info.bytes(1, addresses()[1].bytes()); });
  });
  const auto record = open_peer_record(seal_envelope(identity, kPeerRecordEnvelope, payload));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->addrs, std::vector<Multiaddr>{addresses()[1]});
}

TEST(Envelope, largest_sequence_survives) {
  const auto record = open_peer_record(seal_peer_record(identity_of(1), UINT64_MAX, {}));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sequence, UINT64_MAX);
}

}  // namespace
}  // namespace kith::crypto
