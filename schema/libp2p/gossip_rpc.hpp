// GossipRpc: one RPC of pubsub and gossipsub 1.1 (libp2p/specs pubsub; rpc.proto), decoded into
// views of its bytes.
//
// Rules
// * The whole RPC is checked to be protobuf, to the bottom, before anything of it is used.
//   Unknown fields of the RPC and of its control part are skipped (later versions of the protocol
//   add some).
// * Lists of message ids are not stored: GossipIds walks the bytes again. So what a decoded RPC
//   takes is bounded by the maxima below, whatever it claims: control fits kGossipControlBudget.
// * Of each list the first elements are kept, up to its maximum; the rest, and elements whose
//   topic is missing or too long, are left out and counted in `left_out`. Refusing the RPC
//   instead would let one long list of an honest peer cost us its subscriptions.
// * A published message is handed out as it stands in the RPC (decode_gossip_message reads it),
//   so that it can be forwarded byte for byte.
// * Peers and records in PRUNE are checked to be protobuf and not kept: we take no peers from
//   there.
//
// Attacker: any connected peer. Cost is linear in the length of the RPC, which the framing bounds
// by kGossipRpcBytesMax (what go sends at most). Decoding into a GossipRpc that is used again
// allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"
#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {

inline constexpr std::size_t kGossipRpcBytesMax = 1u << 20;
inline constexpr std::size_t kGossipTopicBytesMax = 256;
// Per RPC. A peer may have 100 topics, so the elements below are one a topic, with room to spare.
inline constexpr std::size_t kGossipSubscriptionsMax = 256;
inline constexpr std::size_t kGossipIHavesMax = 128;
inline constexpr std::size_t kGossipIWantsMax = 64;
inline constexpr std::size_t kGossipGraftsMax = 128;
inline constexpr std::size_t kGossipPrunesMax = 128;
// Ours hold one; go puts what answers an IWANT into one RPC.
inline constexpr std::size_t kGossipPublishMax = 1024;
inline constexpr std::size_t kGossipControlBudget = 16u << 10;  // bytes of decoded control

struct GossipSubscription {
  bool subscribe = false;
  std::string_view topic;
};

// The message ids of one IHAVE or IWANT, read where they stand.
class GossipIds {
 public:
  GossipIds() = default;
  GossipIds(ByteView element, std::uint32_t key, std::size_t count)
      : element_(element), key_(key), count_(static_cast<std::uint32_t>(count)) {}
  std::size_t count() const { return count_; }
  // Hands out the first `max` ids; fine to call again.
  template <class Each>
  void for_each(std::size_t max, Each&& each) const {
    std::size_t seen = 0;
    // Checked when it was decoded: this walk cannot fail.
    (void)read_message(element_, [&](const Field& field) {
      if (field.key == key_ && seen++ < max) each(field.bytes);
    });
  }

 private:
  ByteView element_;
  std::uint32_t key_ = 0;
  std::uint32_t count_ = 0;
};

struct GossipIHave {
  std::string_view topic;
  GossipIds ids;
};
struct GossipPrune {
  std::string_view topic;
  std::uint64_t backoff = 0;  // seconds; 0: not given. As the peer wrote it: clamp it
};

struct GossipRpc {
  std::vector<GossipSubscription> subscriptions;
  std::vector<ByteView> publish;  // each an encoded message
  std::vector<GossipIHave> ihave;
  std::vector<GossipIds> iwant;
  std::vector<std::string_view> graft;
  std::vector<GossipPrune> prune;
  std::size_t left_out = 0;

  void clear();  // keeps a little capacity, for the next RPC
};

static_assert(kGossipIHavesMax * sizeof(GossipIHave) + kGossipIWantsMax * sizeof(GossipIds) +
                  kGossipGraftsMax * sizeof(std::string_view) +
                  kGossipPrunesMax * sizeof(GossipPrune) <=
              kGossipControlBudget);

// Views into `rpc`, which must outlive `to`. Errors: malformed, truncated, oversized (more than
// kGossipRpcBytesMax); `to` is empty then.
Result<void> decode_gossip_rpc(ByteView rpc, GossipRpc& to);

// The fields of a published message; what is absent is not set, what is there may be empty.
struct GossipMessageFields {
  std::optional<ByteView> from;
  std::optional<ByteView> data;
  std::optional<ByteView> seqno;
  std::optional<std::string_view> topic;
  std::optional<ByteView> signature;
  std::optional<ByteView> key;
};

// Refuses unknown fields: implementations differ in whether a signature covers them.
Result<GossipMessageFields> decode_gossip_message(ByteView message);

// What the signature covers: "libp2p-pubsub:", then the message without signature and key.
Bytes gossip_signed_bytes(const GossipMessageFields& fields);
// An RPC that holds this one message.
Bytes encode_gossip_publish(const GossipMessageFields& fields);
// The same from an encoded message. For a message that is alone in an RPC of the usual encoding
// this is the RPC.
Bytes encode_gossip_publish(ByteView message);

struct GossipIHaveOut {
  std::string_view topic;
  std::vector<ByteView> ids;
};
// What we send beside messages, in one RPC; the caller keeps it below what peers accept.
struct GossipControlOut {
  std::vector<GossipSubscription> subscriptions;
  std::vector<GossipIHaveOut> ihave;
  std::vector<ByteView> iwant;  // one IWANT
  std::vector<std::string_view> graft;
  std::vector<GossipPrune> prune;
};
Bytes encode_gossip_control(const GossipControlOut& control);

}  // namespace kith::libp2p
