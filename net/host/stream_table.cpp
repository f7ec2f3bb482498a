#include "net/host/stream_table.hpp"

#include <algorithm>

namespace kith::host {
namespace {

wire::Priority to_wire(Priority priority) { return static_cast<wire::Priority>(priority); }

Error not_spoken() { return fail(Errc::unsupported, "the peer does not speak this protocol"); }

}  // namespace

Stream* StreamTable::find(StreamSlot slot) {
  auto* found = streams_.find(slot);
  return found == nullptr ? nullptr : found->get();
}
const Stream* StreamTable::find(StreamSlot slot) const {
  const auto* found = streams_.find(slot);
  return found == nullptr ? nullptr : found->get();
}

Stream* StreamTable::live(StreamSlot slot) {
  Stream* found = find(slot);
  return found == nullptr || found->link == nullptr ? nullptr : found;
}

Stream* StreamTable::on_mux(Link& link, wire::YamuxSlot mux) {
  if (mux.index >= link.streams.size()) return nullptr;
  Stream* found = live(link.streams[mux.index]);
  return found == nullptr || found->link != &link || found->mux != mux ? nullptr : found;
}

Stream& StreamTable::insert(Stream stream) {
  const StreamSlot slot = streams_.insert(std::make_unique<Stream>(std::move(stream)));
  Stream& made = *streams_.at(slot);
  made.slot = slot;
  return made;
}

void StreamTable::erase(StreamSlot slot) { streams_.erase(slot); }

void StreamTable::attach(Now now, Stream& stream, Link& link, wire::YamuxSlot mux) {
  stream.link = &link;
  stream.mux = mux;
  stream.peer = link.peer;
  if (mux.index >= link.streams.size()) link.streams.resize(mux.index + 1);
  link.streams[mux.index] = stream.slot;
  trim_negotiations(link);
  link.negotiations.emplace_back(later(now.mono, limits_.negotiate_deadline), stream.slot);
}

// Those at the front that are through, so that the queue is as long as what is under way.
void StreamTable::trim_negotiations(Link& link) {
  auto& waiting = link.negotiations;
  while (!waiting.empty()) {
    const Stream* front = live(waiting.front().second);
    if (front != nullptr && !front->negotiated) return;
    waiting.pop_front();
  }
}

// --- commands

StreamSlot StreamTable::refuse(PeerSlot peer, ProtocolIndex protocol, Error error) {
  Stream stream;
  stream.peer = peer;
  stream.protocol = protocol;
  const StreamSlot slot = insert(std::move(stream)).slot;
  turn_.push(StreamClosed{slot, std::move(error)});
  return slot;
}

StreamSlot StreamTable::open(Now now, PeerSlot peer, ProtocolIndex protocol, Bytes first,
                             Priority priority) {
  const Peer* found = peers_.find(peer);
  if (found == nullptr || found->gone || !found->ready)
    return refuse(peer, protocol, fail(Errc::closed, "the peer is gone"));
  const std::string* id = registry_.pick(protocol, found->facts.protocols.all());
  if (id == nullptr) return refuse(peer, protocol, not_spoken());
  Error last = fail(Errc::closed, "no connection to the peer takes streams");
  for (Link* link : found->links) {
    if (!link->usable()) continue;
    auto mux = link->connection->mux().open(now);
    if (mux) return start(now, *link, *mux, protocol, {id, 1}, std::move(first), priority);
    last = std::move(mux).error();
  }
  return refuse(peer, protocol, std::move(last));
}

StreamSlot StreamTable::open_on(Now now, Link& link, ProtocolIndex protocol, Bytes first,
                                Priority priority) {
  auto mux = link.connection->mux().open(now);
  if (!mux) return refuse(link.peer, protocol, std::move(mux).error());
  const std::span<const std::string> ids = registry_.at(protocol).spec.ids;
  return start(now, link, *mux, protocol, ids.first(1), std::move(first), priority);
}

StreamSlot StreamTable::start(Now now, Link& link, wire::YamuxSlot mux, ProtocolIndex protocol,
                              std::span<const std::string> id, Bytes first, Priority priority) {
  Stream& stream = insert(Stream::outbound(protocol, id));
  attach(now, stream, link, mux);
  stream.take_framing(registry_.at(protocol).spec, budget_);
  // The header and the proposal go before the first message, in the same frame.
  const Bytes opening = std::get<wire::MultistreamDialer>(stream.select).start();
  link.connection->mux().write(now, mux, opening, to_wire(priority));
  if (!first.empty()) write(now, stream, std::move(first), priority);
  link.touch(turn_);
  return stream.slot;
}

void StreamTable::write(Now now, Stream& stream, Bytes message, Priority priority) {
  parts_.clear();
  append_framed(registry_.at(stream.protocol).spec.framing, std::move(message), parts_);
  for (Bytes& part : parts_)
    stream.link->connection->mux().write(now, stream.mux, std::move(part), to_wire(priority));
  parts_.clear();
  // Above the half of its queue a sender is told when it has fallen to it again.
  wire::Yamux& mux = stream.link->connection->mux();
  const std::size_t half = registry_.at(stream.protocol).spec.send_queue_bytes_max / 2;
  if (mux.queued_bytes(stream.mux) > half) (void)mux.notify_below(stream.mux, half);
  stream.link->touch(turn_);
}

void StreamTable::send(Now now, StreamSlot slot, Bytes message, Priority priority,
                       std::uint64_t tag) {
  Stream* stream = live(slot);
  if (stream == nullptr) return;
  const ProtocolSpec& spec = registry_.at(stream->protocol).spec;
  const std::size_t size = framed_size(spec.framing, message.size());
  const std::size_t stream_max = spec.send_queue_bytes_max;
  if (stream->send_ended || size > stream_max ||
      (spec.framing == Framing::message && message.size() > spec.message_bytes_max))
    return refuse_send(slot, tag);
  wire::Yamux& mux = stream->link->connection->mux();
  if (mux.queued_bytes(stream->mux) + size > stream_max) {
    refuse_send(slot, tag);
    if (!mux.notify_below(stream->mux, std::min(stream_max / 2, stream_max - size)))
      emit(*stream, StreamWritable{slot});
    return;
  }
  if (mux.queued_bytes() + size > limits_.send_bytes_per_connection_max) {
    auto& starved = stream->link->starved;
    if (std::find(starved.begin(), starved.end(), slot) == starved.end()) starved.push_back(slot);
    return refuse_send(slot, tag);
  }
  write(now, *stream, std::move(message), priority);
}

std::size_t StreamTable::queued_bytes(StreamSlot slot) const {
  const Stream* stream = find(slot);
  if (stream == nullptr || stream->link == nullptr) return 0;
  return stream->link->connection->mux().queued_bytes(stream->mux);
}

void StreamTable::release(StreamSlot slot, std::size_t bytes) {
  Stream* stream = live(slot);
  if (stream == nullptr) return;
  stream->link->connection->mux().release(stream->mux, bytes);
  stream->link->touch(turn_);
}

void StreamTable::close(StreamSlot slot) {
  Stream* stream = live(slot);
  if (stream == nullptr || std::exchange(stream->send_ended, true)) return;
  if (!stream->is_inbound && !stream->negotiated) return;  // on_agreed() ends it
  stream->link->connection->mux().close(stream->mux);
  stream->link->touch(turn_);
}

void StreamTable::reset(StreamSlot slot) {
  if (Stream* stream = find(slot); stream != nullptr && !stream->muted)
    kill(*stream, fail(Errc::cancelled, "the stream was reset on this side"));
}

void StreamTable::kill(Stream& stream, Error error) {
  stream.muted = true;
  if (stream.link == nullptr) return;  // on_closed is on its way already
  stream.link->connection->mux().reset(stream.mux);
  stream.link->touch(turn_);
  end(stream, std::move(error));
}

// --- events of a link

void StreamTable::on_effect(Now now, Link& link, wire::YamuxEffect& effect) {
  if (const auto* opened = std::get_if<wire::YamuxOpened>(&effect)) {
    attach(now, insert(Stream::inbound()), link, opened->stream);
  } else if (auto* data = std::get_if<wire::YamuxData>(&effect)) {
    on_data(now, link, data->stream, std::move(data->data));
  } else if (const auto* ended = std::get_if<wire::YamuxEnded>(&effect)) {
    Stream* stream = on_mux(link, ended->stream);
    if (stream == nullptr) return;
    if (stream->negotiated) return emit(*stream, StreamEnded{stream->slot});
    kill(*stream, fail(Errc::closed, "the peer ended the stream before it was agreed"));
  } else if (const auto* closed = std::get_if<wire::YamuxClosed>(&effect)) {
    if (Stream* stream = on_mux(link, closed->stream)) end(*stream, std::nullopt);
  } else if (const auto* reset = std::get_if<wire::YamuxReset>(&effect)) {
    Stream* stream = on_mux(link, reset->stream);
    if (stream == nullptr) return;
    end(*stream, reset->by_peer
                     ? fail(Errc::closed, "the peer reset the stream",
                            reset->code == 0 ? "" : "code " + std::to_string(reset->code))
                     : fail(Errc::exhausted, "too much was received and not consumed"));
  } else if (const auto* writable = std::get_if<wire::YamuxWritable>(&effect)) {
    if (Stream* stream = on_mux(link, writable->stream))
      emit(*stream, StreamWritable{stream->slot});
  }
}

void StreamTable::on_data(Now now, Link& link, wire::YamuxSlot mux, Bytes data) {
  Stream* stream = on_mux(link, mux);
  if (stream == nullptr) return;
  if (!stream->negotiated) {
    auto step = stream->negotiate(data, served_);
    if (!step) return kill(*stream, std::move(step).error());
    if (!step->write.empty())
      link.connection->mux().write(now, mux, std::move(step->write), wire::Priority::control);
    link.connection->mux().release(mux, data.size() - step->rest.size());
    link.touch(turn_);
    if (!step->agreed) return;
    on_agreed(*stream, step->chosen);
    // What the agreement led to may have been a refusal.
    if (stream = on_mux(link, mux); stream == nullptr || step->rest.empty()) return;
    data = std::move(step->rest);
  }
  emit(*stream, StreamData{stream->slot, std::move(data)});
}

void StreamTable::on_agreed(Stream& stream, std::size_t chosen) {
  stream.negotiated = true;
  if (!stream.is_inbound) {
    if (stream.send_ended) stream.link->connection->mux().close(stream.mux);
    return emit(stream, StreamOpened{stream.slot});
  }
  const auto protocol = registry_.serving(served_[chosen]);
  stream.protocol = protocol->index;
  stream.id = protocol->id;
  if (!take_inbound(stream))
    return kill(stream, fail(Errc::refused, "too many streams of this protocol"));
  stream.take_framing(registry_.at(stream.protocol).spec, budget_);
  emit(stream, StreamAccepted{stream.slot});
}

bool StreamTable::take_inbound(Stream& stream) {
  Peer* peer = peers_.find(stream.peer);
  if (peer == nullptr) return false;
  auto& counts = peer->inbound_streams;
  if (counts.size() <= stream.protocol) counts.resize(registry_.size());
  if (counts[stream.protocol] >= registry_.at(stream.protocol).spec.inbound_streams_per_peer_max)
    return false;
  ++counts[stream.protocol];
  stream.counted = true;
  return true;
}

// Whether the protocol has heard of it or will: then it must hear of its end.
bool StreamTable::announced(const Stream& stream) const {
  if (!stream.is_inbound) return true;
  if (!stream.counted) return false;
  if (registry_.at(stream.protocol).internal) return true;
  const Peer* peer = peers_.find(stream.peer);
  return peer != nullptr && peer->ready;
}

void StreamTable::emit(Stream& stream, HostEvent event) {
  if (announced(stream)) return turn_.push(std::move(event));
  Peer* peer = peers_.find(stream.peer);
  if (peer == nullptr) return;
  if (const auto* data = std::get_if<StreamData>(&event)) {
    if (!budget_.take(data->data.size()))
      return kill(stream, fail(Errc::exhausted, "no room for what came too early"));
    peer->parked_bytes += data->data.size();
  }
  peer->parked.push_back(std::move(event));
}

void StreamTable::end(Stream& stream, std::optional<Error> error) {
  const bool tell = announced(stream);
  stream.link->streams[stream.mux.index] = {};
  stream.link = nullptr;
  if (stream.counted)
    if (Peer* peer = peers_.find(stream.peer)) --peer->inbound_streams[stream.protocol];
  if (!tell) return erase(stream.slot);
  turn_.push(StreamClosed{stream.slot, std::move(error)});
}

void StreamTable::on_tick(Now now, Link& link) {
  for (;;) {
    trim_negotiations(link);
    if (link.negotiations.empty() || link.negotiations.front().first > now.mono) return;
    kill(*live(link.negotiations.front().second),
         fail(Errc::timeout, "the stream was not agreed in time"));
  }
}

void StreamTable::on_flushed(Link& link) {
  if (link.starved.empty()) return;
  const std::size_t half = limits_.send_bytes_per_connection_max / 2;
  if (link.connection->mux().queued_bytes() > half) return;
  for (const StreamSlot slot : std::exchange(link.starved, {}))
    if (Stream* stream = live(slot)) emit(*stream, StreamWritable{slot});
}

void StreamTable::on_link_lost(Link& link, const Error& error) {
  const auto streams = link.streams;
  for (const StreamSlot slot : streams)
    if (Stream* stream = live(slot)) end(*stream, error);
  link.streams.clear();
  link.negotiations.clear();
  link.starved.clear();
}

bool StreamTable::busy(PeerSlot peer) const {
  bool found = false;
  streams_.for_each([&](StreamSlot, const std::unique_ptr<Stream>& stream) {
    found = found || (stream->link != nullptr && stream->peer == peer &&
                      !(stream->negotiated && registry_.at(stream->protocol).spec.lasting));
  });
  return found;
}

}  // namespace kith::host
