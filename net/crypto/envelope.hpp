// Signed envelopes (libp2p/specs RFC 0002) and the peer record that travels in one (RFC 0003), with
// the constants that are deployed: domain "libp2p-peer-record" and payload type 03 01, not the
// strings in the text of RFC 0003.
//
// Rules: the signature is checked before the payload is looked at; a record's id must be the id of
// the key that signed it (RUSTSEC-2022-0009 is what happens otherwise). The sequence number is the
// record's only order; whoever keeps records keeps the highest.
//
// Attacker: anybody who relays records. Bounds: kEnvelopeBytesMax before decoding, kRecordAddrsMax
// addresses; addresses that we cannot parse are left out, as the others may still reach the peer.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "net/crypto/identity.hpp"
#include "schema/base/multiaddr.hpp"

namespace kith::crypto {

inline constexpr std::size_t kEnvelopeBytesMax = 8192;  // identify's bound for the whole message
inline constexpr std::size_t kRecordAddrsMax = 64;

struct EnvelopeKind {
  std::string_view domain;
  ByteView payload_type;
};
// libp2p-peer-record, 03 01.
extern const EnvelopeKind kPeerRecordEnvelope;

struct Envelope {
  PublicKey signer;
  Bytes payload;
};

Bytes seal_envelope(const Identity& identity, const EnvelopeKind& kind, ByteView payload);
Result<Envelope> open_envelope(const Bytes& encoded, const EnvelopeKind& kind);

struct PeerRecord {
  PeerId id;
  std::uint64_t sequence = 0;
  std::vector<Multiaddr> addrs;  // without /p2p
};

// At most kRecordAddrsMax of `addrs` are taken, from the front.
Bytes seal_peer_record(const Identity& identity, std::uint64_t sequence,
                       std::span<const Multiaddr> addrs);
Result<PeerRecord> open_peer_record(const Bytes& encoded);

}  // namespace kith::crypto
