#include "tests/net/wire/yamux_model.hpp"

#include <algorithm>

namespace kith::wire::testing {

// --- Observer

void Observer::on_sent(const std::vector<Frame>& frames, const Observer& other) {
  for (const Frame& frame : frames) {
    const YamuxHead& head = frame.head;
    flying_.emplace_back(sent_ + kYamuxHeadBytes, head);  // a header counts before its payload
    sent_ += kYamuxHeadBytes + frame.payload;
    require(head.version == 0, "version is 0");
    if (head.type == YamuxType::ping) {
      require(head.stream == 0, "pings are on the session");
      if (head.flags == kYamuxSyn) {
        require(pings_out_ == 0, "one ping is on its way at a time");
        ++pings_out_;
      } else {
        require(head.flags == kYamuxAck && pings_in_ > 0, "a pong answers a ping");
        --pings_in_;
      }
    } else if (head.type == YamuxType::go_away) {
      require(head.stream == 0 && head.flags == 0, "go-away is on the session");
    } else {
      require(head.type == YamuxType::data || head.type == YamuxType::window_update,
              "the type is known");
      check_stream_frame(head, other);
    }
  }
}

void Observer::check_stream_frame(const YamuxHead& head, const Observer& other) {
  require(head.stream != 0, "stream frames are not on the session");
  Stream& mine = streams[head.stream];
  const auto found = other.streams.find(head.stream);
  const Stream theirs = found == other.streams.end() ? Stream{} : found->second;
  require(!mine.rst, "nothing follows a reset");
  require(!theirs.saw_rst || head.flags == kYamuxRst,  // resets may cross
          "nothing goes to a stream that the peer has reset");
  if (head.has(kYamuxSyn)) {
    require(!mine.syn && !theirs.syn, "a stream is opened once");
    mine.syn = true;
  }
  require(mine.syn || theirs.saw_syn, "the stream is known to both");
  if (head.has(kYamuxAck)) {
    require(theirs.saw_syn && !mine.ack, "an open is acknowledged once");
    mine.ack = true;
  } else if (theirs.saw_syn) {
    require(mine.ack || head.has(kYamuxRst), "the first frame back acknowledges");
  }
  if (head.type == YamuxType::data) {
    require(!mine.fin, "no data follows FIN");
    require(!head.has(kYamuxFin) && !head.has(kYamuxRst), "FIN and RST travel alone");
    require(head.length > 0 && head.length <= kYamuxPayloadMax, "frames have a sensible size");
    mine.data += head.length;
    require(mine.data <= kYamuxWindowInitial + theirs.granted, "the window is not exceeded");
  } else if (head.length > 0 && !head.has(kYamuxRst)) {
    require(!theirs.saw_fin, "no credit for a stream that the peer has ended");
  }
  if (head.has(kYamuxFin)) {
    require(!mine.fin, "FIN is sent once");
    mine.fin = true;
  }
  if (head.has(kYamuxRst)) mine.rst = true;
}

void Observer::on_arrived(std::size_t bytes) {
  arrived_ += bytes;
  while (!flying_.empty() && flying_.front().first <= arrived_) {
    const YamuxHead head = flying_.front().second;
    flying_.pop_front();
    if (head.stream == 0) continue;
    Stream& stream = streams[head.stream];
    stream.saw_syn |= head.has(kYamuxSyn);
    stream.saw_fin |= head.has(kYamuxFin);
    stream.saw_rst |= head.has(kYamuxRst);
    if (head.type == YamuxType::window_update && !head.has(kYamuxRst))
      stream.granted += head.length;
  }
}

// --- commands

void TwoEnds::step(Choices& choices) {
  const std::size_t end = choices.below(2);
  const std::uint32_t what = choices.below(20);
  if (what < 2) return open(end);
  if (what < 6) {  // often, so that pipes fill and empty
    const std::uint32_t scale = choices.below(3);
    return pull(end, scale == 0 ? 13 + choices.below(200) : 1 + choices.below(200'000));
  }
  if (what < 12) {
    const std::uint32_t scale = choices.below(3);
    return deliver(end, scale == 0 ? 1 + choices.below(30) : 1 + choices.below(150'000));
  }
  if (what == 12) {
    now_.mono += 1ms * choices.below(200);
    return ends_[end].machine.ping(now_);
  }
  Side* side = pick(choices, end);
  if (side == nullptr) return;
  if (what < 16) {
    const auto priority = static_cast<Priority>(choices.below(3));
    const std::uint32_t scale = choices.below(4);
    const std::size_t size = 1 + choices.below(scale == 0 ? 400'000 : 2000);
    if (ends_[end].machine.queued_bytes(side->slot) < (1u << 20)) write(end, *side, size, priority);
  } else if (what < 18) {
    if (side->held > 0)
      release(end, *side, 1 + choices.below(static_cast<std::uint32_t>(side->held)));
  } else if (what == 18) {
    side->closing = true;
    ends_[end].machine.close(side->slot);
  } else if (choices.below(4) == 0) {
    reset(end, *side);
  }
}

TwoEnds::Side* TwoEnds::pick(Choices& choices, std::size_t end) {
  std::vector<Side*> live;
  for (auto& [id, stream] : streams_)
    if (stream.sides[end].known && !stream.sides[end].gone) live.push_back(&stream.sides[end]);
  if (live.empty()) return nullptr;
  return live[choices.below(static_cast<std::uint32_t>(live.size()))];
}

void TwoEnds::open(std::size_t end) {
  Yamux& machine = ends_[end].machine;
  const auto opened = machine.open(now_);
  if (!opened) return;
  const std::uint32_t id = machine.stream_id(*opened);
  require(id % 2 == (end == 0 ? 1u : 0u), "ids have the parity of the role");
  require(!streams_.contains(id), "ids are not used twice");
  Side& side = streams_[id].sides[end];
  side.slot = *opened;
  side.known = true;
  ends_[end].ids[*opened] = id;
}

ByteView TwoEnds::pattern(std::uint32_t id, std::size_t side, std::uint64_t offset,
                          std::size_t size_max) {
  constexpr std::size_t kPeriod = 65521;  // prime: no frame or window is a multiple of it
  static const std::vector<std::uint8_t> table = [] {
    std::vector<std::uint8_t> made(kPeriod);
    std::uint32_t state = 1;
    for (std::uint8_t& byte : made)
      byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    return made;
  }();
  const auto start = static_cast<std::size_t>((offset + id * 977 + side * 31'337) % kPeriod);
  return ByteView(table).subspan(start, std::min(size_max, kPeriod - start));
}

void TwoEnds::write(std::size_t end, Side& side, std::size_t size, Priority priority) {
  const std::uint32_t id = id_of(end, side);
  const Bytes bytes = Bytes::make(size, [&](std::span<std::uint8_t> to) {
    for (std::size_t done = 0; done < size;) {
      const ByteView part = pattern(id, end, side.written + done, size - done);
      std::copy(part.begin(), part.end(), to.begin() + static_cast<std::ptrdiff_t>(done));
      done += part.size();
    }
  });
  const bool taken = ends_[end].machine.write(now_, side.slot, bytes, priority);
  require(taken == !side.closing, "a stream takes writes until it is closed");
  if (taken) side.written += size;
}

void TwoEnds::reset(std::size_t end, Side& side) {
  ends_[end].machine.reset(side.slot);
  side.gone = side.reset = true;
  side.held = 0;
}

void TwoEnds::release(std::size_t end, Side& side, std::uint64_t bytes) {
  ends_[end].machine.release(side.slot, static_cast<std::size_t>(bytes));
  side.held -= bytes;
}

// --- the pipes

void TwoEnds::count_credit(std::size_t end, const std::vector<Frame>& frames) {
  for (const auto& [head, payload] : frames) {
    if (head.type != YamuxType::window_update || head.flags == kYamuxRst || head.length == 0)
      continue;
    Side& side = streams_.at(head.stream).sides[end];
    side.granted += head.length;
    require(side.granted <= side.delivered - side.held + ends_[end].growth_max,
            "credit is what was released, and growth");
  }
}

void TwoEnds::pull(std::size_t end, std::size_t budget) {
  End& from = ends_[end];
  std::vector<Bytes> slices;
  YamuxEffects effects;
  const bool had_output = from.machine.has_output();
  const std::size_t pulled = from.machine.pull(now_, budget, slices, effects);
  const Bytes bytes = Bytes::adopt(join(slices));
  require(pulled == bytes.size() && pulled <= budget, "pull keeps to its budget");
  require(had_output || pulled == 0, "has_output tells what pull will do");
  require(!had_output || pulled > 0 || budget <= kYamuxHeadBytes, "pull makes progress");
  const std::vector<Frame> frames = parse_frames(bytes);
  from.observer.on_sent(frames, ends_[1 - end].observer);
  count_credit(end, frames);
  if (!bytes.empty()) from.pipe.push_back(bytes);
  take_effects(end, effects);
}

void TwoEnds::deliver(std::size_t from, std::size_t bytes) {
  End& sender = ends_[from];
  End& receiver = ends_[1 - from];
  if (sender.pipe.empty()) return;
  const Bytes chunk = sender.pipe.front().slice(0, bytes);
  bytes = chunk.size();
  sender.pipe.front() = sender.pipe.front().slice(bytes);
  if (sender.pipe.front().empty()) sender.pipe.pop_front();
  const std::uint64_t whole = sender.observer.flying_.size();
  for (std::uint64_t i = 0; i < whole; ++i) {
    const auto& [offset, head] = sender.observer.flying_[i];
    if (offset > sender.observer.arrived_ + bytes) break;
    if (head.type != YamuxType::ping) continue;
    if (head.flags == kYamuxSyn) ++receiver.observer.pings_in_;
    if (head.flags == kYamuxAck) --receiver.observer.pings_out_;
  }
  sender.observer.on_arrived(bytes);
  YamuxEffects effects;
  receiver.machine.on_bytes(now_, chunk, effects);
  take_effects(1 - from, effects);
}

// --- effects against the model

void TwoEnds::take_effects(std::size_t end, const YamuxEffects& effects) {
  for (const YamuxEffect& effect : effects)
    std::visit([&](const auto& one) { take(end, one); }, effect);
}

TwoEnds::Side& TwoEnds::side_of(std::size_t end, YamuxSlot slot) {
  const auto id = ends_[end].ids.find(slot);
  require(id != ends_[end].ids.end(), "effects name streams that exist");
  Side& side = streams_.at(id->second).sides[end];
  require(!side.gone, "no effect follows the end of a stream");
  return side;
}

void TwoEnds::take(std::size_t end, const YamuxOpened& effect) {
  const auto stream = streams_.find(effect.id);
  require(stream != streams_.end(), "only the other end opens streams");
  Side& side = stream->second.sides[end];
  require(!side.known, "a stream is opened once");
  side.slot = effect.stream;
  side.known = true;
  ends_[end].ids[effect.stream] = effect.id;
}

void TwoEnds::take(std::size_t end, const YamuxData& effect) {
  Side& side = side_of(end, effect.stream);
  const std::uint32_t id = ends_[end].ids.at(effect.stream);
  const Side& sender = streams_.at(id).sides[1 - end];
  require(!side.ended, "no data follows the end");
  require(!effect.data.empty(), "data is not empty");
  for (ByteView left = effect.data; !left.empty();) {
    const ByteView expected = pattern(id, 1 - end, side.delivered, left.size());
    require(equal(left.first(expected.size()), expected), "bytes arrive once and in order");
    side.delivered += expected.size();
    left = left.subspan(expected.size());
  }
  require(side.delivered <= sender.written, "only what was written arrives");
  side.held += effect.data.size();
  bytes_delivered_ += effect.data.size();
}

void TwoEnds::take(std::size_t end, const YamuxEnded& effect) {
  Side& side = side_of(end, effect.stream);
  const Side& sender = streams_.at(ends_[end].ids.at(effect.stream)).sides[1 - end];
  require(!side.ended && sender.closing, "the end is told once, after the other side closed");
  require(side.delivered == sender.written, "the end comes after all bytes");
  side.ended = true;
}

void TwoEnds::take(std::size_t end, const YamuxClosed& effect) {
  Side& side = side_of(end, effect.stream);
  require(side.ended && side.closing, "a stream is closed when both sides ended");
  side.gone = true;
  side.held = 0;
}

void TwoEnds::take(std::size_t end, const YamuxReset& effect) {
  Side& side = side_of(end, effect.stream);
  if (effect.by_peer) {
    const Side& sender = streams_.at(ends_[end].ids.at(effect.stream)).sides[1 - end];
    require(sender.reset || !sender.known, "a reset was asked for, or the open refused");
  }
  side.gone = side.reset = true;
  side.held = 0;
}

// --- the end

void TwoEnds::finish() {
  for (auto& [id, stream] : streams_) {
    for (std::size_t end = 0; end < 2; ++end) {
      Side& side = stream.sides[end];
      if (!side.known || side.gone) continue;
      side.closing = true;
      ends_[end].machine.close(side.slot);
    }
  }
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t end = 0; end < 2; ++end) {
      moved |= ends_[end].machine.has_output() || !ends_[end].pipe.empty();
      pull(end, SIZE_MAX);
      deliver(end, SIZE_MAX);
      for (auto& [id, stream] : streams_) {
        Side& side = stream.sides[1 - end];
        if (!side.known || side.gone) continue;
        if (side.held > 0) release(1 - end, side, side.held);
        if (!side.closing) {
          side.closing = true;
          ends_[1 - end].machine.close(side.slot);
        }
      }
    }
  }
  for (const auto& [id, stream] : streams_) {
    const bool reset = stream.sides[0].reset || stream.sides[1].reset;
    for (std::size_t end = 0; end < 2; ++end) {
      const Side& side = stream.sides[end];
      require(side.gone || (!side.known && reset), "every stream comes to its end");
      if (!reset) require(side.delivered == stream.sides[1 - end].written, "all bytes arrive");
    }
  }
  for (const End& end : ends_) {
    require(end.machine.stream_count() == 0, "no stream is left");
    require(end.machine.queued_bytes() == 0 && end.machine.unreleased_bytes() == 0,
            "no byte is left");
    require(end.machine.queued_slices() == 0, "no slice is kept");
    require(!end.machine.has_output() && !end.machine.stalled(), "nothing waits");
  }
}

}  // namespace kith::wire::testing
