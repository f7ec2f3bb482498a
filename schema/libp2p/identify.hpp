// Identify: what a peer says of itself (libp2p/specs identify; identify.proto).
//
// Rules: what is missing stays none, so that a push can be told from a full message; unknown fields
// are skipped. Addresses, key and record are raw: an address that nobody here can read must not
// cost us the rest, and what is true of all this is for net/wire to judge. An answer may come in up
// to kIdentifyPartsMax messages, which are one when put together.
//
// Bounds: the maxima below, counted on the raw bytes before anything is stored. Attacker: a peer
// that sends thousands of addresses or protocols (CVE-2023-40583).
#pragma once

#include <optional>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::libp2p {

inline constexpr std::size_t kIdentifyPartMax = 8192;  // bytes of one message, as go and js accept
inline constexpr std::size_t kIdentifyPartsMax = 10;
inline constexpr std::size_t kIdentifyAddrsMax = 64;       // over all parts
inline constexpr std::size_t kIdentifyProtocolsMax = 128;  // over all parts

struct Identify {
  std::optional<Bytes> public_key;  // an encoded PublicKey
  std::vector<Bytes> listen_addrs;
  std::vector<Bytes> protocols;  // text
  std::optional<Bytes> observed_addr;
  std::optional<Bytes> protocol_version;    // text
  std::optional<Bytes> agent_version;       // text
  std::optional<Bytes> signed_peer_record;  // an encoded Envelope
  friend bool operator==(const Identify&, const Identify&) = default;
};

Bytes encode_identify(const Identify& identify);
// One message of at most kIdentifyPartMax bytes; all fields are slices of it.
Result<Identify> decode_identify(const Bytes& message);

// Puts the messages of one answer together: a field that may stand once has its last value, lists
// go on.
class IdentifyParts {
 public:
  // Errors: oversized, when a part is too long or one too many.
  Result<void> add(Bytes part);
  bool empty() const { return parts_.empty(); }
  Result<Identify> finish() const;

 private:
  std::vector<Bytes> parts_;
};

}  // namespace kith::libp2p
