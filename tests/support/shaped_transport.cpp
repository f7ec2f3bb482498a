#include "tests/support/shaped_transport.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::test {

using host::PipeSlot;

ShapedTransport::ShapedTransport(host::Transport& below, Loop& loop, Shape shape)
    : below_(below), loop_(loop), shape_(shape) {
  CHECK(shape.window > 0 && shape.segment_max > 0);
}

ShapedTransport::~ShapedTransport() { loop_.arm(*this, kNever); }

void ShapedTransport::set_sink(host::TransportSink& sink) {
  sink_ = &sink;
  below_.set_sink(*this);
}

ShapedTransport::Pipe* ShapedTransport::find(PipeSlot slot) {
  Pipe* pipe = pipes_.find(slot);
  return pipe == nullptr || pipe->state == State::over ? nullptr : pipe;
}

std::optional<PipeSlot> ShapedTransport::over(PipeSlot below) const {
  const auto found = by_below_.find(below);
  if (found == by_below_.end()) return std::nullopt;
  return found->second;
}

// --- Time

void ShapedTransport::at(Mono when, Step step) {
  steps_.emplace(when, std::move(step));
  loop_.arm(*this, steps_.begin()->first);
}

void ShapedTransport::on_alarm(Now now) {
  // Steps that are added meanwhile and are due are run too: a chain of them ends, as each needs
  // bytes that are there.
  while (!steps_.empty() && steps_.begin()->first <= now.mono) {
    const Step step = std::move(steps_.begin()->second);
    steps_.erase(steps_.begin());
    step(now);
  }
  loop_.arm(*this, steps_.empty() ? kNever : steps_.begin()->first);
}

// --- Dialling

PipeSlot ShapedTransport::dial(const Multiaddr& to) {
  const PipeSlot slot = pipes_.insert(Pipe{});
  at(later(loop_.now().mono, shape_.latency), [this, slot, to](Now) {
    Pipe* pipe = find(slot);
    if (pipe == nullptr) return;
    pipe->below = below_.dial(to);
    by_below_[pipe->below] = slot;
  });
  return slot;
}

void ShapedTransport::on_accept(Now now, PipeSlot below, const Multiaddr& local,
                                const Multiaddr& remote) {
  Pipe pipe;
  pipe.state = State::open;
  pipe.below = below;
  const PipeSlot slot = pipes_.insert(std::move(pipe));
  by_below_[below] = slot;
  sink_->on_accept(now, slot, local, remote);
}

// The answer is on its way back. Nothing that comes behind it may overtake it.
void ShapedTransport::on_dialed(Now now, PipeSlot below, const Multiaddr& local,
                                const Multiaddr& remote) {
  const std::optional<PipeSlot> slot = over(below);
  if (!slot) return;
  below_.read_paused(below, true);
  at(later(now.mono, shape_.latency), [this, slot = *slot, local, remote](Now then) {
    Pipe* pipe = find(slot);
    if (pipe == nullptr) return;
    pipe->state = State::open;
    pipe->ready = then.mono;
    if (!pipe->reads_paused) below_.read_paused(pipe->below, false);
    schedule_pump(slot, *pipe, then.mono);
    sink_->on_dialed(then, slot, local, remote);
  });
}

void ShapedTransport::on_dial_failed(Now now, PipeSlot below, Error why) {
  const std::optional<PipeSlot> slot = over(below);
  if (!slot) return;
  by_below_.erase(below);
  at(later(now.mono, shape_.latency), [this, slot = *slot, why](Now then) {
    if (find(slot) == nullptr) return;
    pipes_.erase(slot);
    sink_->on_dial_failed(then, slot, why);
  });
}

// --- Sending

void ShapedTransport::write(PipeSlot slot, Bytes data) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr || pipe->close_asked || data.empty()) return;
  if (pipe->backlog == 0) pipe->ready = std::max(pipe->ready, loop_.now().mono);
  pipe->backlog += data.size();
  pipe->queue.push_back(std::move(data));
  if (pipe->backlog > host::kPipeBacklogLow) pipe->above_low = true;
  if (pipe->state == State::open) schedule_pump(slot, *pipe, loop_.now().mono);
}

std::size_t ShapedTransport::backlog(PipeSlot slot) const {
  const Pipe* pipe = const_cast<ShapedTransport*>(this)->find(slot);
  return pipe == nullptr ? 0 : pipe->backlog;
}

void ShapedTransport::schedule_pump(PipeSlot slot, Pipe& pipe, Mono when) {
  if (pipe.pumping) return;
  pipe.pumping = true;
  at(when, [this, slot](Now now) { pump(slot, now.mono); });
}

Bytes ShapedTransport::take(Pipe& pipe, std::size_t size) {
  Bytes& first = pipe.queue.front();
  const std::size_t taken = std::min(size, first.size());
  Bytes part = first.slice(0, taken);
  if (taken == first.size())
    pipe.queue.pop_front();
  else
    first = first.slice(taken, first.size() - taken);
  pipe.backlog -= taken;
  return part;
}

void ShapedTransport::pump(PipeSlot slot, Mono now) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr) return;
  pipe->pumping = false;
  if (pipe->state != State::open) return;
  while (pipe->backlog > 0 && pipe->unacknowledged < shape_.window) {
    if (pipe->uplink_until > now) {
      schedule_pump(slot, *pipe, pipe->uplink_until);
      break;
    }
    const std::size_t room = shape_.window - pipe->unacknowledged;
    Segment segment{take(*pipe, std::min(room, shape_.segment_max)), false, {}};
    depart(slot, *pipe, std::move(segment), pipe->ready);
  }
  if (pipe->backlog == 0 && pipe->close_asked && !pipe->fin_left) {
    pipe->fin_left = true;
    depart(slot, *pipe, Segment{{}, true, {}}, now);
  }
  if (!pipe->above_low || pipe->backlog > host::kPipeBacklogLow || pipe->writable_due) return;
  pipe->writable_due = true;
  at(now, [this, slot](Now then) {
    Pipe* open = find(slot);
    if (open == nullptr) return;
    open->writable_due = false;
    if (open->backlog > host::kPipeBacklogLow) return;  // still above it
    open->above_low = false;
    sink_->on_writable(then, slot);
  });
}

// `from`: when it could have left, had the alarm come in time.
void ShapedTransport::depart(PipeSlot slot, Pipe& pipe, Segment segment, Mono from) {
  const std::size_t size = segment.data.size();
  if (shape_.up_bytes_per_second != 0) {
    const std::uint64_t nanos = size * std::uint64_t{1'000'000'000} / shape_.up_bytes_per_second;
    up_free_ = std::max(up_free_, from) + Duration(static_cast<std::int64_t>(nanos));
    pipe.uplink_until = up_free_;
    from = up_free_;
  }
  pipe.unacknowledged += size;
  segment.at = later(from, shape_.latency);
  if (!pipe.flight.empty()) segment.at = std::max(segment.at, pipe.flight.back().at);
  at(segment.at, [this, slot](Now now) { arrive(slot, now); });
  pipe.flight.push_back(std::move(segment));
}

// Hands over what has arrived, while the transport below gets rid of it.
void ShapedTransport::arrive(PipeSlot slot, Now now) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr) return;
  while (!pipe->flight.empty() && pipe->flight.front().at <= now.mono) {
    if (below_.backlog(pipe->below) > host::kPipeBacklogLow) return;  // on_writable goes on
    const Segment segment = std::move(pipe->flight.front());
    pipe->flight.pop_front();
    if (segment.fin) {
      below_.close(pipe->below);
      return;
    }
    below_.write(pipe->below, segment.data);
    const Mono acknowledged = later(segment.at, shape_.latency);
    const std::size_t size = segment.data.size();
    at(acknowledged, [this, slot, acknowledged, size](Now then) {
      Pipe* open = find(slot);
      if (open == nullptr) return;
      if (open->unacknowledged >= shape_.window) open->ready = acknowledged;
      open->unacknowledged -= size;
      if (open->backlog > 0) schedule_pump(slot, *open, then.mono);
    });
  }
}

void ShapedTransport::on_writable(Now now, PipeSlot below) {
  const std::optional<PipeSlot> slot = over(below);
  if (!slot) return;
  // What had to wait for the reader is acknowledged from now on.
  if (Pipe* pipe = find(*slot))
    for (Segment& segment : pipe->flight) segment.at = std::max(segment.at, now.mono);
  arrive(*slot, now);
}

// --- Receiving

void ShapedTransport::read_paused(PipeSlot slot, bool paused) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr) return;
  pipe->reads_paused = paused;
  if (pipe->state == State::open) below_.read_paused(pipe->below, paused);
}

void ShapedTransport::on_data(Now now, PipeSlot below, Bytes data) {
  if (const auto slot = over(below)) sink_->on_data(now, *slot, std::move(data));
}

void ShapedTransport::on_end(Now now, PipeSlot below) {
  if (const auto slot = over(below)) sink_->on_end(now, *slot);
}

// --- Ending

void ShapedTransport::close(PipeSlot slot) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr || pipe->close_asked) return;
  pipe->close_asked = true;
  at(later(loop_.now().mono, host::kPipeLingerMax), [this, slot](Now) {
    if (Pipe* open = find(slot))
      end_pipe(slot, *open, fail(Errc::timeout, "the other side did not end it in time"));
  });
  if (pipe->state == State::open) schedule_pump(slot, *pipe, loop_.now().mono);
}

void ShapedTransport::abort(PipeSlot slot) {
  if (Pipe* pipe = find(slot)) end_pipe(slot, *pipe, fail(Errc::cancelled, "aborted by us"));
}

// We hear of it at once, the other side a latency later.
void ShapedTransport::end_pipe(PipeSlot slot, Pipe& pipe, Error why) {
  const bool dialing = pipe.state == State::dialing;
  const Mono now = loop_.now().mono;
  if (pipe.below) {
    by_below_.erase(pipe.below);
    below_.read_paused(pipe.below, true);
    at(later(now, shape_.latency), [this, below = pipe.below](Now) { below_.abort(below); });
  }
  pipe.state = State::over;
  pipe.why = std::move(why);
  at(now, [this, slot, dialing](Now then) {
    Pipe* gone = pipes_.find(slot);
    if (gone == nullptr) return;
    const Error last = std::move(gone->why);
    pipes_.erase(slot);
    if (dialing)
      sink_->on_dial_failed(then, slot, last);
    else
      sink_->on_closed(then, slot, last);
  });
}

void ShapedTransport::on_closed(Now now, PipeSlot below, Error why) {
  const std::optional<PipeSlot> slot = over(below);
  if (!slot) return;
  by_below_.erase(below);
  Pipe* pipe = find(*slot);
  if (pipe == nullptr) return;
  const bool dialing = pipe->state == State::dialing;  // reset before we heard of the accept
  pipes_.erase(*slot);
  if (dialing)
    sink_->on_dial_failed(now, *slot, std::move(why));
  else
    sink_->on_closed(now, *slot, std::move(why));
}

}  // namespace kith::test
