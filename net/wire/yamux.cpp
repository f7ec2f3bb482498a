#include "net/wire/yamux.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::wire {
namespace {

// A window that a peer opens by less than this does not count as progress of a stalled stream.
constexpr std::size_t kProgressMin = 16u << 10;

}  // namespace

Yamux::Yamux(YamuxConfig config, Now now) : config_(config), next_id_(config.dialler ? 1 : 2) {
  CHECK(config_.receive_pool_max >= kYamuxWindowInitial);
  CHECK(config_.stream_window_max >= kYamuxWindowInitial);
  if (config_.ping_every != Duration::max()) ping(now);
}

// --- commands

Result<YamuxSlot> Yamux::open(Now now) {
  if (failed_) return kith::fail(Errc::closed, "the connection failed");
  if (local_gone_ || remote_gone_) return kith::fail(Errc::closed, "the connection is going away");
  if (streams_.size() >= config_.streams_max)
    return kith::fail(Errc::exhausted, "too many streams on the connection");
  if (unacked_ >= kYamuxAckBacklogMax)
    return kith::fail(Errc::exhausted, "too many streams that the peer has not accepted yet");
  if (next_id_ > UINT32_MAX - 2) return kith::fail(Errc::exhausted, "stream ids are used up");
  const std::uint32_t id = next_id_;
  next_id_ += 2;
  return add_stream(now, id, false);
}

bool Yamux::write(Now now, YamuxSlot slot, Bytes data, Priority priority) {
  YamuxStream* stream = streams_.find(slot);
  if (stream == nullptr || stream->closing) return false;
  if (data.empty()) return true;
  queued_ += data.size();
  pool_.push(stream->queue, std::move(data), priority);
  note_stall(now, *stream);
  refresh(slot, *stream);
  return true;
}

void Yamux::close(YamuxSlot slot) {
  YamuxStream* stream = streams_.find(slot);
  if (stream == nullptr) return;
  stream->closing = true;
  refresh(slot, *stream);
}

void Yamux::reset(YamuxSlot slot, std::uint32_t code) {
  const YamuxStream* stream = streams_.find(slot);
  if (stream == nullptr) return;
  if (stream->ack_due) ++refused_;
  drop(slot, code);
}

void Yamux::release(YamuxSlot slot, std::size_t bytes) {
  YamuxStream* stream = streams_.find(slot);
  if (stream == nullptr) return;
  CHECK(bytes <= stream->unreleased);
  stream->unreleased -= static_cast<std::uint32_t>(bytes);
  unreleased_ -= bytes;
  // Half a window: frequent enough that the peer never waits, rare enough to cost nothing.
  if (!stream->remote_ended && stream->credit_due() >= stream->window / 2)
    stream->update_due = true;
  refresh(slot, *stream);
}

bool Yamux::notify_below(YamuxSlot slot, std::size_t bytes) {
  YamuxStream* stream = streams_.find(slot);
  if (stream == nullptr || stream->queue.bytes <= bytes) return false;
  stream->notify = true;
  stream->notify_below = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, UINT32_MAX));
  return true;
}

void Yamux::ping(Now now) {
  ping_next_ = later(now.mono, config_.ping_every);
  if (!failed_ && !ping_out_) ping_due_ = true;
}

void Yamux::go_away(YamuxGoAwayCode code) {
  if (local_gone_ || failed_) return;
  local_gone_ = true;
  go_away_due_ = static_cast<std::uint32_t>(code);
}

// --- time

void Yamux::on_tick(Now now, YamuxEffects& out) {
  if (failed_) return;
  if (ping_out_ && now.mono >= later(ping_sent_, kYamuxPingDeadline))
    return fail(Errc::timeout, "no answer to a yamux ping", out);
  if (now.mono >= ping_next_) ping(now);
}

Mono Yamux::next_deadline() const {
  if (failed_) return kNever;
  return ping_out_ ? std::min(ping_next_, later(ping_sent_, kYamuxPingDeadline)) : ping_next_;
}

// --- queries

bool Yamux::has_output() const {
  if (go_away_due_ || ping_due_ || !pongs_.empty() || !resets_.empty() || control_.first)
    return true;
  return std::any_of(ready_.begin(), ready_.end(),
                     [](const List& list) { return static_cast<bool>(list.first); });
}

std::size_t Yamux::queued_bytes(YamuxSlot slot) const {
  const YamuxStream* stream = streams_.find(slot);
  return stream == nullptr ? 0 : stream->queue.bytes;
}

std::uint32_t Yamux::stream_id(YamuxSlot slot) const {
  const YamuxStream* stream = streams_.find(slot);
  return stream == nullptr ? 0 : stream->id;
}

std::optional<YamuxStall> Yamux::stalled() const {
  std::optional<YamuxStall> oldest;
  streams_.for_each([&](YamuxSlot slot, const YamuxStream& stream) {
    if (stream.stalled == kNever) return;
    if (!oldest || stream.stalled < oldest->since) oldest = YamuxStall{slot, stream.stalled};
  });
  return oldest;
}

// --- streams and their places in the lists

YamuxSlot Yamux::add_stream(Now now, std::uint32_t id, bool opened_by_peer) {
  YamuxStream made;
  made.id = id;
  made.opened_by_peer = opened_by_peer;
  made.syn_due = !opened_by_peer;
  made.ack_due = opened_by_peer;
  made.updated = now.mono;
  const YamuxSlot slot = streams_.insert(made);
  const auto place = known_.begin() + static_cast<std::ptrdiff_t>(place_of(id));
  known_.insert(place, {id, slot});
  ++(opened_by_peer ? unacknowledged_ : unacked_);
  windows_ += kYamuxWindowInitial;
  refresh(slot, streams_.at(slot));
  return slot;
}

void Yamux::remove_stream(YamuxSlot slot) {
  YamuxStream& stream = streams_.at(slot);
  queued_ -= stream.queue.bytes;
  pool_.clear(stream.queue);
  unreleased_ -= stream.unreleased;
  windows_ -= stream.window;
  if (stream.opened_by_peer ? stream.ack_due : !stream.acked)
    --(stream.opened_by_peer ? unacknowledged_ : unacked_);
  if (stream.in_control) unlink(control_, &YamuxStream::control, slot);
  if (stream.ready_in < kPriorities) unlink(ready_[stream.ready_in], &YamuxStream::ready, slot);
  known_.erase(known_.begin() + static_cast<std::ptrdiff_t>(place_of(stream.id)));
  streams_.erase(slot);
}

std::size_t Yamux::place_of(std::uint32_t id) const {
  if (known_.empty() || known_.back().id < id) return known_.size();
  const auto place =
      std::lower_bound(known_.begin(), known_.end(), id,
                       [](const Known& known, std::uint32_t i) { return known.id < i; });
  return static_cast<std::size_t>(place - known_.begin());
}

YamuxSlot Yamux::find_id(std::uint32_t id) const {
  const std::size_t place = place_of(id);
  return place < known_.size() && known_[place].id == id ? known_[place].slot : YamuxSlot{};
}

void Yamux::refresh(YamuxSlot slot, YamuxStream& stream) {
  const bool sendable = !stream.queue.empty() && stream.send_window > 0;
  const auto ready_in = static_cast<std::uint8_t>(
      sendable ? static_cast<std::size_t>(stream.queue.priority()) : kPriorities);
  if (ready_in != stream.ready_in) {
    if (stream.ready_in < kPriorities) unlink(ready_[stream.ready_in], &YamuxStream::ready, slot);
    if (ready_in < kPriorities) link(ready_[ready_in], &YamuxStream::ready, slot);
    stream.ready_in = ready_in;
  }
  // SYN and ACK ride on data where there is some to send.
  const bool control =
      stream.update_due || stream.fin_due() || ((stream.syn_due || stream.ack_due) && !sendable);
  if (control == stream.in_control) return;
  if (control) {
    link(control_, &YamuxStream::control, slot);
  } else {
    unlink(control_, &YamuxStream::control, slot);
  }
  stream.in_control = control;
}

void Yamux::note_stall(Now now, YamuxStream& stream) {
  if (stream.send_window >= std::min(stream.queue.bytes, kProgressMin)) {
    stream.stalled = kNever;
  } else if (stream.send_window == 0 && stream.stalled == kNever) {
    stream.stalled = now.mono;
  }
}

void Yamux::link(List& list, YamuxLinks YamuxStream::*links, YamuxSlot slot) {
  (streams_.at(slot).*links) = {list.last, YamuxSlot{}};
  if (list.last) {
    (streams_.at(list.last).*links).after = slot;
  } else {
    list.first = slot;
  }
  list.last = slot;
}

void Yamux::unlink(List& list, YamuxLinks YamuxStream::*links, YamuxSlot slot) {
  const YamuxLinks at = streams_.at(slot).*links;
  if (at.before) {
    (streams_.at(at.before).*links).after = at.after;
  } else {
    list.first = at.after;
  }
  if (at.after) {
    (streams_.at(at.after).*links).before = at.before;
  } else {
    list.last = at.before;
  }
}

void Yamux::drop(YamuxSlot slot, std::uint32_t code) {
  const YamuxStream& stream = streams_.at(slot);
  if (!stream.syn_due) {  // otherwise the peer never heard of it
    resets_.push_back({stream.id, code});
    const std::uint32_t under_way = in_.body_of == slot ? in_.body_left : 0;  // charged already
    if (!stream.remote_ended) stray_credit_ += stream.credit - under_way;
  }
  remove_stream(slot);
}

void Yamux::fail(Errc code, std::string_view text, YamuxEffects& out) {
  while (!known_.empty()) remove_stream(known_.back().slot);
  pongs_.clear();
  resets_.clear();
  ping_due_ = ping_out_ = false;
  failed_ = true;
  go_away_due_ = static_cast<std::uint32_t>(YamuxGoAwayCode::protocol_error);
  out.push_back(YamuxFailed{code, text});
}

}  // namespace kith::wire
