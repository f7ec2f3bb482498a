// Envelope: bytes of a declared type with the key and the signature of who vouches for them
// (libp2p/specs RFC 0002; envelope.proto). Here it is only taken apart and put together: net/crypto
// signs and verifies what envelope_signed_bytes gives.
//
// Rules: the key is kept as the bytes that were sent. What is signed binds a domain, the type and
// the payload, each with its length in front, so that a signature made for one use is worth nothing
// in another. The constants are those that go, js and nim deploy, not those of the RFC's text.
//
// Bounds: kEnvelopeMax. Attacker: whoever relays envelopes.
#pragma once

#include <array>
#include <string_view>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::libp2p {

inline constexpr std::size_t kEnvelopeMax = 8192;  // bytes; identify's bound for all of a message
inline constexpr std::string_view kPeerRecordDomain = "libp2p-peer-record";
inline constexpr std::array<std::uint8_t, 2> kPeerRecordType{0x03, 0x01};

struct Envelope {
  Bytes public_key;  // an encoded PublicKey
  Bytes payload_type;
  Bytes payload;
  Bytes signature;
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

Bytes encode_envelope(const Envelope& envelope);
// All fields are slices of the message; what is missing is empty.
Result<Envelope> decode_envelope(const Bytes& message);

// RFC 0002, "Signature Production / Verification".
Bytes envelope_signed_bytes(std::string_view domain, ByteView payload_type, ByteView payload);

}  // namespace kith::libp2p
