// What the DHT's core asks of the world. The attachment carries these out in order, after the call
// that made them has returned.
#pragma once

#include <variant>
#include <vector>

#include "dht/peer_book.hpp"
#include "dht/routing.hpp"
#include "schema/libp2p/kad_message.hpp"

namespace kith::dht {

struct AskTag;
using AskId = Handle<AskTag>;

// Host::connect; the answer is on_connected(request).
struct Connect {
  RequestId request;
  PeerId id;                     // empty: whoever answers at `addrs`
  std::vector<Multiaddr> addrs;  // empty: the peer store's
};
// Host::open with `message` as the first; the stream is told by bind(ask, stream) at once.
struct OpenStream {
  AskId ask;
  host::PeerSlot peer;
  Bytes message;
};
struct SendMessage {
  host::StreamSlot stream;
  Bytes message;
};
struct CloseStream {
  host::StreamSlot stream;
};
struct ResetStream {
  host::StreamSlot stream;
};
// An answer to a request of another peer. Addresses are added from the peer store (ours for our own
// id) by encode_reply, which keeps it below kKadMessageOutMax.
struct Reply {
  host::StreamSlot stream;
  libp2p::KadType type = libp2p::KadType::find_node;
  Bytes key;
  std::optional<libp2p::KadRecord> record;
  std::vector<PeerRef> closer;
  std::vector<PeerRef> providers;
};
// Host::learn_addrs.
struct LearnAddrs {
  PeerId id;
  std::vector<Multiaddr> addrs;
  Duration lifetime{};
};
// Host::keep_addrs.
struct KeepAddrs {
  PeerRef peer;
  Duration lifetime{};
};
// Store: put, or erase where there is no value.
struct Persist {
  Bytes key;
  std::optional<Bytes> value;
};
// As Persist, of a neighbour with the addresses that the peer store has for it.
struct PersistNeighbour {
  PeerRef peer;
  Wall seen{};
};
struct SetServing {
  bool serve = true;
};
struct Progress {
  RequestId request;
  RoutingProgress progress;
};
// The last about `request`. Peers without addresses get those of the peer store.
struct Done {
  RequestId request;
  Result<RoutingAnswer> answer;
};

using Effect =
    std::variant<Connect, OpenStream, SendMessage, CloseStream, ResetStream, Reply, LearnAddrs,
                 KeepAddrs, Persist, PersistNeighbour, SetServing, Progress, Done>;
using Effects = std::vector<Effect>;

}  // namespace kith::dht
