#include "net/crypto/envelope.hpp"

#include <algorithm>
#include <array>

#include "net/crypto/signing.hpp"
#include "schema/libp2p/proto.hpp"

namespace kith::crypto {

namespace {

using libp2p::bytes_key;
using libp2p::Field;
using libp2p::varint_key;

constexpr std::array<std::uint8_t, 2> kPeerRecordType = {0x03, 0x01};

// message Envelope { PublicKey public_key = 1; bytes payload_type = 2; bytes payload = 3;
//                    bytes signature = 5; }
struct EnvelopeFields {
  ByteView key;
  ByteView payload_type;
  ByteView payload;
  ByteView signature;
};

Result<EnvelopeFields> decode_fields(ByteView encoded) {
  EnvelopeFields fields;
  KITH_TRY_VOID(libp2p::read_message(encoded, [&](const Field& field) {
    switch (field.key) {
      case bytes_key(1):
        fields.key = field.bytes;
        break;
      case bytes_key(2):
        fields.payload_type = field.bytes;
        break;
      case bytes_key(3):
        fields.payload = field.bytes;
        break;
      case bytes_key(5):
        fields.signature = field.bytes;
        break;
    }
  }));
  return fields;
}

// message PeerRecord { bytes peer_id = 1; uint64 seq = 2; repeated AddressInfo addresses = 3; }
// message AddressInfo { bytes multiaddr = 1; }
Result<PeerRecord> decode_record(ByteView payload) {
  KITH_TRY_VOID(libp2p::check_repeats(payload, {{bytes_key(3), kRecordAddrsMax}}));
  PeerRecord record;
  ByteView id;
  KITH_TRY_VOID(libp2p::read_message(payload, [&](const Field& field) -> Result<void> {
    if (field.key == bytes_key(1)) id = field.bytes;
    if (field.key == varint_key(2)) record.sequence = field.number;
    if (field.key != bytes_key(3)) return {};
    ByteView packed;
    KITH_TRY_VOID(libp2p::read_message(field.bytes, [&](const Field& inner) {
      if (inner.key == bytes_key(1)) packed = inner.bytes;
    }));
    if (auto addr = Multiaddr::decode(packed)) record.addrs.push_back(addr->without_peer_id());
    return {};
  }));
  KITH_TRY(record.id, PeerId::decode(id));
  return record;
}

}  // namespace

const EnvelopeKind kPeerRecordEnvelope{"libp2p-peer-record", kPeerRecordType};

Bytes seal_envelope(const Identity& identity, const EnvelopeKind& kind, ByteView payload) {
  const Signature signature = sign_in_domain(identity, kind.domain, {kind.payload_type, payload});
  return libp2p::encode([&](auto& to) {
    to.bytes(1, identity.public_key().encoded());
    to.bytes(2, kind.payload_type);
    to.bytes(3, payload);
    to.bytes(5, signature);
  });
}

Result<Envelope> open_envelope(const Bytes& encoded, const EnvelopeKind& kind) {
  if (encoded.size() > kEnvelopeBytesMax)
    return fail(Errc::oversized, "signed envelope of " + std::to_string(encoded.size()) + " bytes");
  KITH_TRY(const EnvelopeFields fields, decode_fields(encoded));
  if (!equal(fields.payload_type, kind.payload_type))
    return fail(Errc::unsupported, "signed envelope holds another type of payload");
  KITH_TRY(PublicKey key, PublicKey::decode(fields.key));
  if (!verify_in_domain(key, kind.domain, {fields.payload_type, fields.payload}, fields.signature))
    return fail(Errc::signature, "signed envelope does not verify");
  return Envelope{std::move(key), libp2p::slice_of(encoded, fields.payload)};
}

Bytes seal_peer_record(const Identity& identity, std::uint64_t sequence,
                       std::span<const Multiaddr> addrs) {
  const Bytes payload = libp2p::encode([&](auto& to) {
    to.bytes(1, identity.id().bytes());
    to.varint(2, sequence);
    for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), kRecordAddrsMax)))
      to.message(3, [&](auto& info) { info.bytes(1, addr.bytes()); });
  });
  return seal_envelope(identity, kPeerRecordEnvelope, payload);
}

Result<PeerRecord> open_peer_record(const Bytes& encoded) {
  KITH_TRY(const Envelope envelope, open_envelope(encoded, kPeerRecordEnvelope));
  KITH_TRY(PeerRecord record, decode_record(envelope.payload));
  if (record.id != envelope.signer.peer_id())
    return fail(Errc::identity, "peer record is about another peer than its signer",
                "signed by " + envelope.signer.peer_id().text());
  return record;
}

}  // namespace kith::crypto
