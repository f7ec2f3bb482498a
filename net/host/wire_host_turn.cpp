// WireHost's turn: events to protocols, then writes to pipes.
#include "net/base/check.hpp"
#include "net/base/planted.hpp"
#include "net/host/wire_host.hpp"

namespace kith::host {

// An alarm that is due at once: it fires after the event under way, and costs no allocation.
void WireHost::schedule() {
  if (std::exchange(scheduled_, true)) return;
  loop_.arm(turn_alarm_, loop_.now().mono);
}

void WireHost::on_turn_end(Now now) {
  scheduled_ = false;
  deliver(now);
  flushing_.swap(turn_.dirty);
  for (const LinkSlot slot : flushing_) {
    Link* link = find_link(slot);
    if (link == nullptr) continue;
    link->dirty = false;
    if (!link->closing) flush(now, *link);
  }
  flushing_.clear();
  // What the writes led to: streams that are through, room in a queue. What protocols make of it is
  // the next turn's, so that no connection keeps the others waiting.
  deliver(now);
}

void WireHost::deliver(Now now) {
  CHECK(!delivering_);
  delivering_ = true;
  while (turn_.has_event()) {
    HostEvent event = turn_.take();
    deliver_one(now, event);
  }
  delivering_ = false;
  if (!turn_.dirty.empty()) schedule();
}

void WireHost::deliver_one(Now now, HostEvent& event) {
  if (const auto* ready = std::get_if<PeerReady>(&event)) {
    if (const Peer* peer = peers_.find(ready->peer))
      for (Protocol* protocol : listeners_) protocol->on_peer_ready(now, peer->slot, peer->facts);
  } else if (const auto* changed = std::get_if<PeerChanged>(&event)) {
    const Peer* peer = peers_.find(changed->peer);
    if (peer != nullptr && !peer->gone)
      for (Protocol* protocol : listeners_) protocol->on_peer_changed(now, peer->slot, peer->facts);
  } else if (const auto* gone = std::get_if<PeerGone>(&event)) {
    for (Protocol* protocol : listeners_) protocol->on_peer_gone(now, gone->peer);
    peers_.erase(gone->peer);
  } else if (auto* answer = std::get_if<DialAnswer>(&event)) {
    Result<PeerSlot> result = answer->peer;
    if (answer->error) result = std::move(*answer->error);
    registry_.at(answer->to.who).handler->on_connected(now, answer->to.request, std::move(result));
  } else if (auto* data = std::get_if<StreamData>(&event)) {
    deliver_data(now, *data);
  } else {
    deliver_stream(now, event);
  }
}

void WireHost::deliver_data(Now now, StreamData& event) {
  Stream* stream = streams_.find(event.stream);
  if (stream == nullptr || stream->muted) return;
  Protocol& handler = *registry_.at(stream->protocol).handler;
  if (!stream->messages) return handler.on_data(now, event.stream, std::move(event.data));
  const std::size_t size = event.data.size();
  stream->messages->feed(std::move(event.data));
  // The stream cannot end before its StreamClosed is delivered, so the pointer stays good.
  for (Bytes message;;) {
    const auto step = stream->messages->next(message);
    if (step == MessageAssembler::Step::more) break;
    if (step == MessageAssembler::Step::failed)
      return streams_.kill(*stream, stream->messages->error());
    handler.on_message(now, event.stream, std::move(message));
    if (stream->muted) return;
  }
  streams_.release(event.stream, size);
}

void WireHost::deliver_stream(Now now, HostEvent& event) {
  if (const auto* closed = std::get_if<StreamClosed>(&event)) {
    const Stream* stream = streams_.find(closed->stream);
    if (stream == nullptr) return;
    Protocol& handler = *registry_.at(stream->protocol).handler;
    streams_.erase(closed->stream);
    return handler.on_closed(now, closed->stream, closed->error ? &*closed->error : nullptr);
  }
  const StreamSlot slot = std::visit(
      [](const auto& any) -> StreamSlot {
        if constexpr (requires { any.stream; })
          return any.stream;
        else
          return {};
      },
      event);
  Stream* stream = streams_.find(slot);
  if (stream == nullptr || stream->muted) return;
  Protocol& handler = *registry_.at(stream->protocol).handler;
  if (std::holds_alternative<StreamAccepted>(event)) {
    handler.on_stream(now, slot, stream->peer, stream->id);
  } else if (std::holds_alternative<StreamOpened>(event)) {
    handler.on_opened(now, slot, stream->id);
  } else if (std::holds_alternative<StreamWritable>(event)) {
    if (!planted(Planted::wakeup_lost)) handler.on_writable(now, slot);
  } else if (const auto* refused = std::get_if<StreamRefused>(&event)) {
    handler.on_send_refused(now, slot, refused->tag);
  } else if (std::holds_alternative<StreamEnded>(event)) {
    if (stream->messages && !stream->messages->at_boundary())
      return streams_.kill(*stream, fail(Errc::truncated, "the stream ended within a message"));
    handler.on_end(now, slot);
  }
}

}  // namespace kith::host
