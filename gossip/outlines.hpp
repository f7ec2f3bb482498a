// Outlines: RPCs read, and their messages verified, once for all who get the same buffer. In a
// simulation a message, or an offer, reaches many routers of one thread as one shared buffer; over
// sockets each copy comes in a buffer of its own, and a node has none of this.
//
// Rules
// * One object, shared by all routers of a simulation, not thread-safe. It holds the secret that
//   their tables are hashed under: then the keys in an outline are right for each of them.
// * Known by the place and size of the bytes, which cannot change hands: an entry keeps its buffer
//   alive, and the bytes of a buffer never change.
// * What is remembered is a function of the bytes and the secret: it changes what a run costs, and
//   nothing else.
// * Bounds: kOutlinesMax entries, each of an RPC of at most kCopyBytesMax (64 MiB in all, for the
//   whole simulation); a newer one takes the place of an older one.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "gossip/message.hpp"
#include "net/crypto/siphash.hpp"

namespace kith::gossip {

inline constexpr std::size_t kOutlinesMax = 4096;

// An RPC of one well-formed message alone.
struct MessageOutline {
  Message message;          // with its keys; its `rpc` is the whole RPC
  ByteView from;            // as it stands there, a peer id or not
  std::uint64_t topic = 0;  // keyed hash of the topic's name
  bool valid = false;       // its signature
};

// An RPC of one IHAVE alone, all of whose ids are within bounds.
struct OfferOutline {
  libp2p::GossipIHave offer;        // views into the RPC
  std::vector<std::uint64_t> keys;  // keyed hashes of its ids
};

struct Outline {
  Bytes rpc;
  std::variant<MessageOutline, OfferOutline> what;
};

class Outlines {
 public:
  // `signatures` outlives this.
  Outlines(Rng rng, crypto::Signatures& signatures) : hash_(rng), signatures_(signatures) {}

  const crypto::SipHash& hash() const { return hash_; }
  // Null: not known, and neither of the two. Valid until the next call.
  const Outline* find(const Bytes& rpc);

 private:
  bool read(const Bytes& rpc, Outline& to) const;
  bool read_message(const Bytes& rpc, ByteView encoded, MessageOutline& to) const;
  bool read_offer(const libp2p::GossipIHave& offer, OfferOutline& to) const;

  crypto::SipHash hash_;
  crypto::Signatures& signatures_;
  std::vector<std::unique_ptr<Outline>> known_;
};

}  // namespace kith::gossip
