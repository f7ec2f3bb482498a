// Message: one published message as the router keeps it, and how it is read, made and checked.
//
// Rules (StrictSign, libp2p/specs pubsub): author, sequence number (8 bytes, big-endian), topic
// and signature must be there; the id is author ++ seqno; the signature is over "libp2p-pubsub:"
// and the message without signature and key (all implementations leave the key out too); the key
// may be left out when the author's peer id inlines it, and must be the author's otherwise.
//
// Everything here is a function of its arguments; verify() is apart from the router so that a
// pool can run it.
#pragma once

#include <array>
#include <cstdint>

#include "gossip/config.hpp"
#include "net/crypto/identity.hpp"
#include "net/crypto/signatures.hpp"
#include "schema/libp2p/gossip_rpc.hpp"

namespace kith::gossip {

// What a service sees of it (`data` is a slice of `rpc`, `id` a small buffer of its own, `from`
// empty if that is no peer id: then the signature does not verify), and how it travels.
struct Message : GossipMessage {
  Bytes rpc;  // what is forwarded: an RPC of this message alone, in the bytes in which it came
  std::uint64_t key = 0;     // keyed hash of the id: what tables are indexed by
  std::uint64_t author = 0;  // keyed hash of `from`
  TopicIndex topic;
};

// What a signature check needs.
struct SignedPart {
  Bytes author;
  Bytes key;  // encoded public key; empty: inlined in the author's id
  Bytes content;
  Bytes signature;
};
[[nodiscard]] bool verify(const SignedPart& part,
                          crypto::Signatures& signatures = crypto::direct_signatures());

enum class Refusal : std::uint8_t { none, malformed, oversized };
// Whether the fields are those of a signed message within bounds; no cryptography yet.
Refusal refusal_of(const libp2p::GossipMessageFields& fields);

// Whether the message `encoded` is all that `rpc` holds, in the usual encoding.
bool is_alone(const Bytes& rpc, ByteView encoded);

Bytes message_id(ByteView author, ByteView seqno);
// The last eight bytes of an id, as they lie in memory: to tell most apart without a loop.
std::uint64_t tail_of(ByteView id);

struct Received {
  Message message;  // without keys, topic and via
  SignedPart part;
};
// `encoded` is one message within `rpc`, `fields` are its fields (refusal_of them was none) and
// `id` its id. `share`: the message may keep the buffer of `rpc` alive.
Received receive(const Bytes& rpc, ByteView encoded, const libp2p::GossipMessageFields& fields,
                 Bytes id, bool share);

// Whether we may publish this. Errors: malformed (a topic of 0 or more than kGossipTopicBytesMax
// bytes), oversized (data above kGossipDataMax).
Result<void> check_publish(std::string_view topic, std::size_t data_bytes);
// Our own, signed; without keys and topic.
Message make_message(const crypto::Identity& author, std::uint64_t seqno, std::string_view topic,
                     Bytes data);

}  // namespace kith::gossip
