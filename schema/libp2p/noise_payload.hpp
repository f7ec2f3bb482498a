// NoisePayload: the identity that the Noise handshake proves, and its extensions (libp2p/specs
// noise; noise.proto). All fields are slices of the decrypted message; empty when they are missing,
// as in peers without extensions.
//
// Bounds: the framing's 64 KiB, and the maxima below, counted on the raw bytes. Attacker: anybody
// who can dial, before we know who it is.
#pragma once

#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::libp2p {

inline constexpr std::size_t kNoiseMuxersMax = 16;      // known implementations offer one or two
inline constexpr std::size_t kNoiseCerthashesMax = 16;  // WebTransport servers have two

struct NoisePayload {
  Bytes identity_key;  // an encoded PublicKey
  Bytes identity_sig;
  std::vector<Bytes> stream_muxers;  // text, in the sender's order of preference
  std::vector<Bytes> webtransport_certhashes;
  friend bool operator==(const NoisePayload&, const NoisePayload&) = default;
};

// Leaves out the extensions when they are empty.
Bytes encode_noise_payload(const NoisePayload& payload);
Result<NoisePayload> decode_noise_payload(const Bytes& message);

}  // namespace kith::libp2p
