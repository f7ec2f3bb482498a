// Turn: what the host still owes before its turn of the loop ends: events to protocols, in the one
// order in which they happened, and writes to pipes, once each however much was said meanwhile.
//
// Stale by design: an event names its peer or stream by slot. Whoever delivers looks the slot up
// then, and drops what is over; so a protocol that resets a stream hears nothing more from it but
// on_closed, whatever was queued.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "net/host/dialer.hpp"
#include "net/host/host.hpp"

namespace kith::host {

struct LinkTag;
using LinkSlot = Handle<LinkTag>;

struct PeerReady {
  PeerSlot peer;
};
struct PeerChanged {
  PeerSlot peer;
};
struct PeerGone {  // the slot ends with its delivery
  PeerSlot peer;
};
struct StreamAccepted {
  StreamSlot stream;
};
struct StreamOpened {
  StreamSlot stream;
};
struct StreamData {  // negotiated, not yet cut into messages
  StreamSlot stream;
  Bytes data;
};
struct StreamEnded {
  StreamSlot stream;
};
struct StreamClosed {  // the slot ends with its delivery
  StreamSlot stream;
  std::optional<Error> error;
};
struct StreamWritable {
  StreamSlot stream;
};
struct StreamRefused {
  StreamSlot stream;
  std::uint64_t tag = 0;
};
using HostEvent =
    std::variant<PeerReady, PeerChanged, PeerGone, DialAnswer, StreamAccepted, StreamOpened,
                 StreamData, StreamEnded, StreamClosed, StreamWritable, StreamRefused>;

class Turn {
 public:
  void push(HostEvent event) { events_.push_back(std::move(event)); }
  bool has_event() const { return next_ < events_.size(); }
  // The oldest. What it leads to may be pushed meanwhile; the memory is kept for the next turn.
  HostEvent take() {
    HostEvent event = std::move(events_[next_++]);
    if (next_ == events_.size()) {
      events_.clear();
      next_ = 0;
    }
    return event;
  }
  std::size_t events() const { return events_.size() - next_; }

  // Links that have something to write, each once (Link::dirty).
  std::vector<LinkSlot> dirty;

 private:
  std::vector<HostEvent> events_;
  std::size_t next_ = 0;
};

}  // namespace kith::host
