// Host: what a protocol sees of the network. Message-oriented: a protocol registers its ids with a
// framing and gets whole messages; bytes under assembly are bounded per stream and node-wide.
// WireHost implements it over a Transport; the simulator's fast fidelity implements it whole. One
// conformance suite (tests/net/host) runs against every implementation.
//
// Rules
// * Host never calls a Protocol from inside a call to Host: everything arrives later, from the
// loop, one event at a time.
// * A peer is `ready` after its identify arrived: its protocols are known. One PeerSlot a peer,
// however many connections.
//   on_peer_ready and on_peer_gone come to every registered Protocol, in the order of registration.
// * open() answers with a StreamSlot at once and sends the protocol's name and the first message in
// one go (no round
//   trip is waited for); refusal comes as on_closed. A stream is valid until its one on_closed.
// * Message framing: uvarint length in front, at most message_bytes_max, else the stream is reset.
// * send() queues. Above send_queue_bytes_max on the stream the message is dropped whole and
// on_send_refused(tag)
//   follows. on_writable comes whenever the queue falls to half of that maximum after having been
//   above the half, refused or not. Priority orders queued frames of different streams of one
//   connection; within a stream order is kept.
// * Raw framing: on_data may come in any cut; the window opens only by release(): what is not
// released stops the sender.
// * close() ends our side; on_end says that the other side ended; when both did, on_closed without
// error. reset() ends both
//   at once; on_closed still follows.
// * Bounds: inbound streams per protocol and peer, streams per connection, connections in all, per
// prefix and before
//   authentication, message sizes, the assembly budget: all in HostLimits or ProtocolSpec.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/multiaddr.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"

namespace kith::host {

struct PeerTag;
struct StreamTag;
using PeerSlot = Handle<PeerTag>;
using StreamSlot = Handle<StreamTag>;
using ProtocolIndex = std::uint16_t;

enum class Framing : std::uint8_t { message, raw };
// Control goes before normal before bulk whenever a connection has room to send.
enum class Priority : std::uint8_t { control, normal, bulk };

struct ProtocolSpec {
  std::vector<std::string> ids;  // in order of preference; all are served
  Framing framing = Framing::message;
  std::size_t message_bytes_max = 64u << 10;
  std::size_t send_queue_bytes_max = 1u << 20;
  std::uint32_t inbound_streams_per_peer_max = 8;
  bool serve = true;  // advertise in identify and accept inbound streams
  // Its streams stay open as long as the peer is connected, and do not make the connection busy.
  bool lasting = false;
};

// Sorted and immutable: what identify says is the same of most peers, and is kept once.
class ProtocolList {
 public:
  ProtocolList() = default;
  ProtocolList(std::vector<std::string> ids) {
    if (ids.empty()) return;
    std::sort(ids.begin(), ids.end());
    ids_ = std::make_shared<const std::vector<std::string>>(std::move(ids));
  }
  ProtocolList(std::initializer_list<std::string> ids)
      : ProtocolList(std::vector<std::string>(ids)) {}
  std::span<const std::string> all() const {
    return ids_ == nullptr ? std::span<const std::string>() : *ids_;
  }
  auto begin() const { return all().begin(); }
  auto end() const { return all().end(); }
  std::size_t size() const { return all().size(); }
  bool empty() const { return ids_ == nullptr; }
  bool has(std::string_view id) const { return std::binary_search(begin(), end(), id); }
  friend bool operator==(const ProtocolList& a, const ProtocolList& b) {
    return a.ids_ == b.ids_ || std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::shared_ptr<const std::vector<std::string>> ids_;
};

struct PeerFacts {
  PeerId id;
  Multiaddr remote;  // of its first connection, with /p2p
  bool outbound = false;
  std::string agent;
  ProtocolList protocols;
  std::vector<Multiaddr> listen_addrs;  // as the peer claims, without /p2p; at most kListenAddrsMax
  bool speaks(std::string_view protocol) const;
};

// What an attachment implements. Every method has an empty default: take what you need.
class Protocol {
 public:
  virtual void on_peer_ready(Now, PeerSlot, const PeerFacts&) {}
  virtual void on_peer_changed(Now, PeerSlot, const PeerFacts&) {}  // identify push
  virtual void on_peer_gone(Now, PeerSlot) {}
  virtual void on_connected(Now, RequestId, Result<PeerSlot>) {}  // the answer to connect()
  virtual void on_stream(Now, StreamSlot, PeerSlot, std::string_view /*protocol*/) {}  // inbound
  // The other side took the stream that we opened. Messages may come before nothing else but this.
  virtual void on_opened(Now, StreamSlot, std::string_view /*protocol*/) {}
  virtual void on_message(Now, StreamSlot, Bytes) {}
  virtual void on_data(Now, StreamSlot, Bytes) {}  // raw
  virtual void on_end(Now, StreamSlot) {}
  virtual void on_closed(Now, StreamSlot, const Error* /*null: both sides ended it*/) {}
  virtual void on_writable(Now, StreamSlot) {}
  virtual void on_send_refused(Now, StreamSlot, std::uint64_t /*tag*/) {}

 protected:
  ~Protocol() = default;
};

// What a connection looks like to a person (`kith peer ls`).
struct PeerStatus {
  PeerSlot slot;
  PeerFacts facts;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  Duration round_trip{};  // 0: not measured yet
  Mono since{};
};

class Host {
 public:
  virtual ~Host() = default;

  virtual const PeerId& self() const = 0;
  // Where others may reach us, without /p2p.
  virtual std::vector<Multiaddr> listen_addrs() const = 0;

  // Before the first event. The Protocol outlives the Host.
  virtual ProtocolIndex add_protocol(ProtocolSpec spec, Protocol& protocol) = 0;
  // Client or server mode: whether inbound streams are taken and the ids advertised; tells ready
  // peers by push.
  virtual void set_serving(ProtocolIndex protocol, bool serve) = 0;
  virtual std::vector<std::string> served_protocols() const = 0;

  // Asks for a ready connection to `id` at `addrs` or, when none are given, at what the peer store
  // knows. Exactly one on_connected(request) to the protocol `who`; at once satisfied when the peer
  // is ready. An empty id takes whoever answers. Dials at most kDialsParallel addresses at once;
  // the total deadline is HostLimits::connect_deadline.
  virtual void connect(ProtocolIndex who, RequestId request, const PeerId& id,
                       std::span<const Multiaddr> addrs) = 0;
  virtual void disconnect(PeerSlot peer) = 0;
  // Whether a stream is open to it, of a protocol whose streams do not stay open anyway.
  virtual bool busy(PeerSlot peer) const = 0;
  virtual std::optional<PeerSlot> find_peer(const PeerId& id) const = 0;  // ready ones
  virtual const PeerFacts* facts(PeerSlot peer) const = 0;                // null: gone
  virtual std::vector<PeerStatus> peers() const = 0;  // ready ones, in slot order

  // The peer store: addresses that were heard of, bounded per peer and in all, oldest dropped
  // first.
  virtual void learn_addrs(const PeerId& id, std::span<const Multiaddr> addrs,
                           Duration lifetime) = 0;
  // What the last connection to it showed of it is known for so long, at least.
  virtual void keep_addrs(const PeerId& id, Duration lifetime) = 0;
  virtual std::vector<Multiaddr> known_addrs(const PeerId& id) const = 0;

  virtual StreamSlot open(PeerSlot peer, ProtocolIndex protocol, Bytes first,
                          Priority priority = Priority::normal) = 0;
  virtual void send(StreamSlot stream, Bytes message, Priority priority = Priority::normal,
                    std::uint64_t tag = 0) = 0;
  virtual std::size_t queued_bytes(StreamSlot stream) const = 0;
  virtual void release(StreamSlot stream, std::size_t bytes) = 0;  // raw framing
  virtual void close(StreamSlot stream) = 0;
  virtual void reset(StreamSlot stream) = 0;
  virtual std::optional<PeerSlot> peer_of(StreamSlot stream) const = 0;
};

inline constexpr std::size_t kListenAddrsMax = 64;
inline constexpr std::size_t kDialsParallel = 4;

}  // namespace kith::host
