// KadMessage: one request or answer of Kademlia (libp2p/specs kad-dht; kad.proto).
//
// Rules
// * Bytes that are not protobuf, an unknown type, a key or record above its maximum, and lists with
//   more than kKadListEntriesMax entries (counted on the raw bytes first) fail the message.
// * A peer whose id, or an address that, cannot be read is left out and the rest is kept: other
//   implementations speak address protocols that we do not know, and one such address must not
//   cost us an answer.
// * An address may end in the /p2p of its own peer, which is dropped; one that names another peer
// is
//   left out.
// * Kept are the first kKadPeersMax peers of each list and the first kKadAddrsMax addresses of
// each.
// * `key` and the record are slices of the message: copy what is stored for long. Ids and addresses
//   are copies.
//
// Attacker: whoever we asked or who asks us. The framing bounds the message (kKadMessageInMax); the
// cost of decoding is linear in it, and what is allocated is at most what is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/base/multiaddr.hpp"
#include "schema/base/peer_id.hpp"

namespace kith::libp2p {

// go accepts 4 MiB; answers of 26 to 43 KB have been seen in the wild.
inline constexpr std::size_t kKadMessageInMax = 64u << 10;
// rust refuses more than this by default, so nothing that we send is larger.
inline constexpr std::size_t kKadMessageOutMax = 16u << 10;
inline constexpr std::size_t kKadKeyMax = 256;           // bytes of a key on the wire
inline constexpr std::size_t kKadValueMax = 10u << 10;   // bytes; the largest IPNS record
inline constexpr std::size_t kKadTimeMax = 64;           // characters of timeReceived
inline constexpr std::size_t kKadPeersMax = 21;          // k, and the target itself
inline constexpr std::size_t kKadAddrsMax = 20;          // per peer
inline constexpr std::size_t kKadListEntriesMax = 1024;  // on the wire, per list

enum class KadType : std::uint8_t {
  put_value = 0,
  get_value = 1,
  add_provider = 2,
  get_providers = 3,
  find_node = 4,
  ping = 5,
};

struct KadPeer {
  PeerId id;
  std::vector<Multiaddr> addrs;  // without /p2p
  bool connected = false;        // the sender says that it has a connection to this peer
  friend bool operator==(const KadPeer&, const KadPeer&) = default;
};

struct KadRecord {
  Bytes key;
  Bytes value;
  std::string time_received;  // RFC 3339; empty when we send it, filled by who stores it
  friend bool operator==(const KadRecord&, const KadRecord&) = default;
};

struct KadMessage {
  KadType type = KadType::find_node;
  Bytes key;
  std::optional<KadRecord> record;
  std::vector<KadPeer> closer;
  std::vector<KadPeer> providers;
  friend bool operator==(const KadMessage&, const KadMessage&) = default;
};

Result<KadMessage> decode_kad(const Bytes& message);
Bytes encode_kad(const KadMessage& message);
// What one entry of a list adds to an encoded message: for keeping an answer below a maximum.
std::size_t encoded_size_kad(const KadPeer& peer);

}  // namespace kith::libp2p
