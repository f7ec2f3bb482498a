// PeerRecord: where a peer says that it can be reached (libp2p/specs RFC 0003; peer_record.proto),
// the payload of an Envelope of type kPeerRecordType.
//
// Rules: higher seq wins, and nothing else is to be read into seq. The peer id must be that of the
// envelope's key, which the caller checks (RUSTSEC-2022-0009). Addresses are raw, so that one that
// we cannot read does not cost us the others. Bounds: kPeerRecordAddrsMax, counted on the raw
// bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/base/peer_id.hpp"

namespace kith::libp2p {

inline constexpr std::size_t kPeerRecordAddrsMax = 64;

struct PeerRecord {
  PeerId peer_id;
  std::uint64_t seq = 0;
  std::vector<Bytes> addresses;
  friend bool operator==(const PeerRecord&, const PeerRecord&) = default;
};

Bytes encode_peer_record(const PeerRecord& record);
// Addresses are slices of the message.
Result<PeerRecord> decode_peer_record(const Bytes& message);

}  // namespace kith::libp2p
