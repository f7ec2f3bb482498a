// Outlines: RPCs of one message alone, decoded once for all who get the same buffer. In a
// simulation a message reaches thousands of routers of one thread as one shared buffer; over
// sockets each copy comes in a buffer of its own, and nobody asks here.
//
// Rules
// * Known by the place and size of the bytes, which cannot change hands: an entry keeps its buffer
//   alive, and the bytes of a buffer never change.
// * What is remembered is a function of the bytes. So it changes what a run costs and nothing else.
// * Bounds: kOutlinesMax entries, each of an RPC of at most kCopyBytesMax; a newer one takes the
//   place of an older one.
#pragma once

#include <memory>
#include <vector>

#include "gossip/message.hpp"

namespace kith::gossip {

inline constexpr std::size_t kOutlinesMax = 256;

struct Outline {
  libp2p::GossipMessageFields fields;  // views into received.message.rpc, which is the whole RPC
  Received received;
};

class Outlines {
 public:
  // Null: not known, and not an RPC of one well-formed message alone. Valid until the next call.
  const Outline* find(const Bytes& rpc);

 private:
  static bool read(const Bytes& rpc, Outline& to);
  std::vector<std::unique_ptr<Outline>> known_;
};

}  // namespace kith::gossip
