// StreamTable: all streams of the node, over whatever links their peers have.
//
// Rules
// * Commands never call a protocol: what follows is an event in the Turn. A command for a slot that
//   is over does nothing.
// * An inbound stream is announced once its protocol is agreed and its peer is ready; until then
//   what it says is parked with the peer. A stream that ends unannounced leaves no trace.
// * Refused sends: above the protocol's limit on the stream, on_writable follows once half of the
//   queue has gone and the refused message would fit; above the connection's limit, once half of
//   that has gone; after close(), or of a message longer than the protocol allows, never.
// * A negotiation has negotiate_deadline in all. The end of a stream that we opened is sent once
// its
//   protocol is agreed: a js-libp2p peer does not hear an end that comes before its handler runs.
//
// Bounds: streams a link are Yamux's business; inbound streams a peer and protocol are counted
// here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/host/peer_table.hpp"
#include "net/host/protocol_registry.hpp"
#include "net/host/stream.hpp"

namespace kith::host {

class StreamTable {
 public:
  StreamTable(const HostLimits& limits, const ProtocolRegistry& registry, PeerTable& peers,
              ByteBudget& budget, Turn& turn)
      : limits_(limits), registry_(registry), peers_(peers), budget_(budget), turn_(turn) {}

  // The ids that inbound streams may have; after every change of what is served.
  void set_served(std::vector<std::string> served) { served_ = std::move(served); }

  // --- commands
  // On the peer's oldest usable link, with the id that it speaks.
  StreamSlot open(Now now, PeerSlot peer, ProtocolIndex protocol, Bytes first, Priority priority);
  // The host's own protocols open before the peer is ready, on a link of their choice.
  StreamSlot open_on(Now now, Link& link, ProtocolIndex protocol, Bytes first, Priority priority);
  void send(Now now, StreamSlot slot, Bytes message, Priority priority, std::uint64_t tag);
  std::size_t queued_bytes(StreamSlot slot) const;
  void release(StreamSlot slot, std::size_t bytes);
  void close(StreamSlot slot);
  void reset(StreamSlot slot);
  // As reset(), and on_closed says why.
  void kill(Stream& stream, Error error);

  // --- events of a link
  void on_effect(Now now, Link& link, wire::YamuxEffect& effect);
  void on_tick(Now now, Link& link);  // negotiations that took too long
  void on_flushed(Link& link);
  void on_link_lost(Link& link, const Error& error);

  // --- delivery
  Stream* find(StreamSlot slot);
  const Stream* find(StreamSlot slot) const;
  void erase(StreamSlot slot);  // StreamClosed was delivered
  std::size_t size() const { return streams_.size(); }
  bool busy(PeerSlot peer) const;  // see Host::busy

 private:
  Stream& insert(Stream stream);
  Stream* live(StreamSlot slot);  // has a link
  Stream* on_mux(Link& link, wire::YamuxSlot mux);
  void attach(Now now, Stream& stream, Link& link, wire::YamuxSlot mux);
  StreamSlot refuse(PeerSlot peer, ProtocolIndex protocol, Error error);
  StreamSlot start(Now now, Link& link, wire::YamuxSlot mux, ProtocolIndex protocol,
                   std::span<const std::string> id, Bytes first, Priority priority);
  void trim_negotiations(Link& link);
  void write(Now now, Stream& stream, Bytes message, Priority priority);
  void on_data(Now now, Link& link, wire::YamuxSlot mux, Bytes data);
  void on_agreed(Stream& stream, std::size_t chosen);
  bool take_inbound(Stream& stream);
  bool announced(const Stream& stream) const;
  void emit(Stream& stream, HostEvent event);
  void end(Stream& stream, std::optional<Error> error);
  void refuse_send(StreamSlot slot, std::uint64_t tag) { turn_.push(StreamRefused{slot, tag}); }

  const HostLimits& limits_;
  const ProtocolRegistry& registry_;
  PeerTable& peers_;
  ByteBudget& budget_;
  Turn& turn_;
  std::vector<std::string> served_;
  Slots<StreamSlot, std::unique_ptr<Stream>> streams_;
  std::vector<Bytes> parts_;  // scratch
};

}  // namespace kith::host
