// SimHost: streams, windows and the order in which frames leave.
#include <algorithm>

#include "net/base/check.hpp"
#include "net/host/stream.hpp"
#include "simnet/sim_host.hpp"

namespace kith::simnet {

using host::Priority;
using host::StreamSlot;

namespace {
constexpr std::uint32_t kWindowFirst = 256u << 10;  // Yamux
constexpr std::size_t kUnacknowledgedMax = 256;     // streams, as our Yamux has it
std::size_t index_of(Priority priority) { return static_cast<std::size_t>(priority); }
}  // namespace

const host::ProtocolSpec& SimHost::spec_of(const Stream& stream) const {
  return registry_.at(stream.protocol).spec;
}

void SimHost::take_protocol(Stream& stream, host::ProtocolIndex protocol) const {
  const host::ProtocolRegistry::Entry& entry = registry_.at(protocol);
  stream.protocol = protocol;
  stream.handler = entry.handler;
  stream.messages = entry.spec.framing == host::Framing::message;
  stream.message_max =
      static_cast<std::uint32_t>(std::min<std::size_t>(entry.spec.message_bytes_max, UINT32_MAX));
}

// ---- commands

StreamSlot SimHost::open(host::PeerSlot peer_slot, host::ProtocolIndex protocol, Bytes first,
                         Priority priority) {
  Stream made;
  made.peer = peer_slot;
  take_protocol(made, protocol);
  const StreamSlot slot = streams_.insert(std::move(made));
  const Peer* peer = peers_.find(peer_slot);
  const auto refuse = [&](Errc code, const char* why) {
    emit(host::StreamClosed{slot, fail(code, why)});
    return slot;
  };
  if (peer == nullptr || peer->gone || !peer->ready)
    return refuse(Errc::closed, "the peer is gone");
  const std::string* id = registry_.pick(protocol, peer->facts.protocols.all());
  if (id == nullptr) return refuse(Errc::unsupported, "the peer does not speak this protocol");
  const SimLinkRef ref = peer->links.front();
  SimLink::Side& side = *hosts_.find(ref);
  if (side.unacknowledged >= kUnacknowledgedMax)
    return refuse(Errc::exhausted, "too many streams that the peer has not taken yet");
  if (side.streams >= config_.limits.streams_per_connection_max)
    return refuse(Errc::exhausted, "too many streams on this connection");
  Stream& stream = streams_.at(slot);
  stream.id = *id;
  stream.link = ref;
  stream.linked = stream.waiting = true;
  stream.credit = stream.window = kWindowFirst;
  stream.number = side.number_next;
  side.number_next += 2;
  side.numbers.add(stream.number, slot);
  ++side.streams;
  ++side.unacknowledged;
  Frame name;
  name.kind = FrameKind::open;
  name.priority = priority;
  name.eager = !first.empty();
  name.data = hosts_.name(*id);
  hosts_.frames().push(stream.queue, std::move(name));
  if (!first.empty())
    enqueue(slot, stream, std::move(first), priority);
  else
    make_ready(slot, stream);
  return slot;
}

void SimHost::send(StreamSlot slot, Bytes message, Priority priority, std::uint64_t tag) {
  Stream* stream = streams_.find(slot);
  if (stream == nullptr || !stream->linked) return;
  const host::ProtocolSpec& spec = spec_of(*stream);
  const std::size_t size = framed_size(spec.framing, message.size());
  const bool never =
      stream->close_asked || size > spec.send_queue_bytes_max ||
      (spec.framing == host::Framing::message && message.size() > spec.message_bytes_max);
  if (never) return emit(host::StreamRefused{slot, tag});
  if (stream->queued + size > spec.send_queue_bytes_max) {
    emit(host::StreamRefused{slot, tag});
    stream->refused = std::max(stream->refused, static_cast<std::uint32_t>(size));
    return look_for_room(slot, *stream);
  }
  enqueue(slot, *stream, std::move(message), priority);
}

std::size_t SimHost::queued_bytes(StreamSlot slot) const {
  const Stream* stream = streams_.find(slot);
  return stream == nullptr ? 0 : stream->queued;
}

void SimHost::release(StreamSlot slot, std::size_t bytes) {
  Stream* stream = streams_.find(slot);
  if (stream != nullptr && stream->linked && spec_of(*stream).framing == host::Framing::raw)
    consume(*stream, bytes);
}

void SimHost::close(StreamSlot slot) {
  Stream* stream = streams_.find(slot);
  if (stream == nullptr || !stream->linked || stream->close_asked) return;
  stream->close_asked = true;
  Frame end;
  end.kind = FrameKind::end;
  hosts_.frames().push(stream->queue, std::move(end));
  make_ready(slot, *stream);
}

void SimHost::reset(StreamSlot slot) {
  if (const Stream* stream = streams_.find(slot); stream != nullptr && !stream->muted)
    kill(slot, fail(Errc::cancelled, "the stream was reset on this side"));
}

bool SimHost::busy(host::PeerSlot peer) const {
  bool found = false;
  streams_.for_each([&](StreamSlot, const Stream& stream) {
    found = found || (stream.linked && stream.peer == peer && !spec_of(stream).lasting);
  });
  return found;
}

std::optional<host::PeerSlot> SimHost::peer_of(StreamSlot slot) const {
  const Stream* stream = streams_.find(slot);
  if (stream == nullptr) return std::nullopt;
  return stream->peer;
}

void SimHost::prefetch() const {
  __builtin_prefetch(&loop_);
  __builtin_prefetch(&streams_);
  __builtin_prefetch(&events_);
}

// ---- sending

void SimHost::enqueue(StreamSlot slot, Stream& stream, Bytes message, Priority priority) {
  const host::ProtocolSpec& spec = spec_of(stream);
  FramePool& frames = hosts_.frames();
  const std::uint32_t index = frames.make();
  Frame& item = frames.at(index);
  item.raw = !stream.messages;
  item.priority = priority;
  item.whole = static_cast<std::uint32_t>(message.size());
  item.payload = static_cast<std::uint32_t>(framed_size(spec.framing, message.size()));
  item.data = std::move(message);
  stream.queued += item.payload;
  // Above half of its queue a sender is told when it has fallen to it again.
  if (stream.queued > spec.send_queue_bytes_max / 2) stream.refused = std::max(stream.refused, 1u);
  frames.append(stream.queue, index);
  make_ready(slot, stream);
}

void SimHost::make_ready(StreamSlot slot, Stream& stream) {
  if (stream.in_ready || stream.queue.empty()) return;
  const Frame& next = hosts_.frames().at(stream.queue.head);
  if (next.payload > 0 && stream.credit == 0) return;
  stream.in_ready = true;
  stream.ready_as = next.priority;
  stream.next_ready = {};
  SimLink::Ready& ready = hosts_.find(stream.link)->ready[index_of(next.priority)];
  if (ready.head)
    streams_.at(ready.tail).next_ready = slot;
  else
    ready.head = slot;
  ready.tail = slot;
  hosts_.mark_dirty(stream.link);
}

StreamSlot SimHost::pop_ready(SimLink::Ready& ready) {
  const StreamSlot slot = ready.head;
  if (!slot) return slot;
  Stream& stream = streams_.at(slot);
  stream.in_ready = false;
  ready.head = stream.next_ready;
  if (!ready.head) ready.tail = {};
  return slot;
}

void SimHost::forget_ready(StreamSlot slot, Stream& stream) {
  if (!stream.in_ready) return;
  SimLink::Ready& ready = hosts_.find(stream.link)->ready[index_of(stream.ready_as)];
  SimLink::Ready kept;
  while (const StreamSlot other = pop_ready(ready)) {
    if (other == slot) continue;
    Stream& keeps = streams_.at(other);
    keeps.in_ready = true;
    keeps.next_ready = {};
    if (kept.head)
      streams_.at(kept.tail).next_ready = other;
    else
      kept.head = other;
    kept.tail = other;
  }
  ready = kept;
}

std::uint32_t SimHost::next_frame(SimLink::Side& side) {
  for (SimLink::Ready& ready : side.ready) {
    if (!ready.head) continue;
    const StreamSlot slot = pop_ready(ready);
    Stream& stream = streams_.at(slot);
    const std::uint32_t frame = take_frame(slot, stream);
    make_ready(slot, stream);
    finish_if_ended(slot, stream);
    return frame;
  }
  return FramePool::kNone;
}

// What fits leaves as it lies in the queue; of what is longer a slice.
std::uint32_t SimHost::take_frame(StreamSlot slot, Stream& stream) {
  FramePool& frames = hosts_.frames();
  Frame& item = frames.at(stream.queue.head);
  item.stream = stream.number;
  if (item.kind == FrameKind::data) {
    const std::uint32_t slice =
        std::min({item.payload, static_cast<std::uint32_t>(kSliceMax), stream.credit});
    stream.credit -= slice;
    stream.queued -= slice;
    const bool last = slice == item.payload;
    std::uint32_t taken = FramePool::kNone;
    if (last && (!item.raw || slice == item.whole)) {
      taken = frames.detach(stream.queue);
    } else {
      taken = frames.make();
      Frame& frame = frames.at(taken);
      frame.raw = item.raw;
      frame.stream = item.stream;
      frame.whole = item.whole;
      frame.payload = slice;
      frame.last = last;
      if (item.raw) frame.data = item.data.slice(item.whole - item.payload, slice);
      item.payload -= slice;
      if (last) frames.give_back(frames.detach(stream.queue));
    }
    frames.at(taken).bytes = kFrameHead + slice;
    if (stream.refused != 0) look_for_room(slot, stream);
    return taken;
  }
  item.bytes = kFrameHead;
  if (item.kind == FrameKind::open) {
    stream.named = true;
    item.bytes += kNameHead + static_cast<std::uint32_t>(item.data.size());
  } else {
    stream.end_sent = true;
  }
  return frames.detach(stream.queue);
}

void SimHost::look_for_room(StreamSlot slot, Stream& stream) {
  const std::size_t max = spec_of(stream).send_queue_bytes_max;
  if (stream.queued > std::min(max / 2, max - std::min<std::size_t>(max, stream.refused))) return;
  stream.refused = 0;
  emit(host::StreamWritable{slot});
}

void SimHost::send_about(const Stream& stream, FrameKind kind, std::uint32_t payload) {
  Frame frame;
  frame.kind = kind;
  frame.stream = stream.number;
  frame.payload = payload;
  frame.bytes = kFrameHead;
  hosts_.push(stream.link, std::move(frame));
}

// ---- receiving

void SimHost::on_stream_frame(SimLinkRef ref, SimLink::Side& side, Frame& frame) {
  if (frame.kind == FrameKind::open) return on_open(ref, side, frame);
  const StreamSlot slot = side.numbers.find(frame.stream);
  if (!slot) return;  // we reset it
  Stream& stream = streams_.at(slot);
  switch (frame.kind) {
    case FrameKind::opened:
      if (stream.waiting) --side.unacknowledged;
      stream.waiting = false;
      return emit(host::StreamOpened{slot});
    case FrameKind::rejected:
      return unlink(slot, stream, fail(Errc::unsupported, "the peer does not speak this protocol"));
    case FrameKind::reset:
      return unlink(slot, stream, fail(Errc::closed, "the peer reset the stream"));
    case FrameKind::credit:
      stream.credit += frame.payload;
      return make_ready(slot, stream);
    case FrameKind::end:
      stream.end_received = true;
      emit(host::StreamEnded{slot});
      return finish_if_ended(slot, stream);
    default:
      return on_data(slot, stream, frame);
  }
}

void SimHost::on_open(SimLinkRef ref, SimLink::Side& side, const Frame& frame) {
  Stream made;
  made.link = ref;
  made.linked = made.inbound = true;
  made.number = frame.stream;
  made.peer = side.peer;
  made.credit = made.window = kWindowFirst;
  const auto served = registry_.serving(frame.data.text());
  Peer* peer = peers_.find(side.peer);
  if (!served || peer == nullptr)
    return send_about(made, frame.eager ? FrameKind::reset : FrameKind::rejected);
  take_protocol(made, served->index);
  made.id = served->id;
  auto& counts = peer->inbound_streams;
  if (counts.size() <= made.protocol) counts.resize(registry_.size());
  if (counts[made.protocol] >= spec_of(made).inbound_streams_per_peer_max ||
      side.streams >= config_.limits.streams_per_connection_max)
    return send_about(made, FrameKind::reset);
  ++counts[made.protocol];
  ++side.streams;
  const StreamSlot slot = streams_.insert(std::move(made));
  side.numbers.add(frame.stream, slot);
  send_about(streams_.at(slot), FrameKind::opened);
  emit(host::StreamAccepted{slot});
}

void SimHost::on_data(StreamSlot slot, Stream& stream, Frame& frame) {
  const host::ProtocolSpec& spec = spec_of(stream);
  if (spec.framing == host::Framing::raw) {
    if (!frame.raw && frame.last) frame.data = host::frame_message(frame.data);
    if (!frame.data.empty()) emit(host::StreamData{slot, std::move(frame.data)});
    return;  // the window opens by release()
  }
  if (!frame.raw && frame.whole > spec.message_bytes_max)
    return kill(slot, fail(Errc::oversized, "a message longer than the protocol allows"));
  consume(stream, frame.payload);
  if (frame.raw && !stream.assembler)
    stream.assembler = std::make_unique<host::MessageAssembler>(spec.message_bytes_max, budget_);
  if (stream.assembler && !frame.raw) {
    if (frame.last) emit(host::StreamData{slot, host::frame_message(frame.data)});
  } else if (frame.raw || frame.last) {
    emit(host::StreamData{slot, std::move(frame.data)});
  }
}

// Gives room back by halves of the window, which doubles each time: who reads fast gets more.
void SimHost::consume(Stream& stream, std::size_t bytes) {
  stream.consumed += static_cast<std::uint32_t>(bytes);
  if (stream.consumed < stream.window / 2 || stream.end_received) return;
  const auto wider = static_cast<std::uint32_t>(
      std::min<std::size_t>(std::size_t{stream.window} * 2, config_.limits.stream_window_max));
  const std::uint32_t given = stream.consumed + (wider - stream.window);
  stream.window = wider;
  stream.consumed = 0;
  send_about(stream, FrameKind::credit, given);
}

// ---- the end

void SimHost::finish_if_ended(StreamSlot slot, Stream& stream) {
  if (stream.linked && stream.end_sent && stream.end_received) unlink(slot, stream, std::nullopt);
}

void SimHost::kill(StreamSlot slot, Error error) {
  Stream& stream = streams_.at(slot);
  stream.muted = true;
  if (!stream.linked) return;  // on_closed is on its way already
  if (stream.inbound || stream.named) send_about(stream, FrameKind::reset);
  unlink(slot, stream, std::move(error));
}

void SimHost::unlink(StreamSlot slot, Stream& stream, std::optional<Error> error) {
  SimLink::Side& side = *hosts_.find(stream.link);
  forget_ready(slot, stream);
  side.numbers.erase(stream.number);
  --side.streams;
  if (stream.waiting) --side.unacknowledged;
  if (stream.inbound)
    if (Peer* peer = peers_.find(stream.peer)) --peer->inbound_streams[stream.protocol];
  stream.linked = stream.waiting = false;
  hosts_.frames().clear(stream.queue);
  stream.queued = 0;
  emit(host::StreamClosed{slot, std::move(error)});
}

}  // namespace kith::simnet
