#include "dht/asks.hpp"

#include <algorithm>

namespace kith::dht {

using libp2p::KadMessage;

Duration AnswerTimes::late_after() const {
  if (mean_ == Duration{}) return kLateFirst;
  return std::clamp(mean_ + deviation_, kLateMin, kLateMax);
}

Duration AnswerTimes::overdue_after() const {
  if (mean_ == Duration{}) return kOverdueFirst;
  return std::clamp(mean_ + 4 * deviation_, kOverdueMin, kOverdueMax);
}

// RFC 6298, with its gains of 1/8 and 1/4.
void AnswerTimes::add(Duration took) {
  if (mean_ == Duration{}) {
    mean_ = std::max(took, Duration(1));
    deviation_ = took / 2;
    return;
  }
  const Duration off = took > mean_ ? took - mean_ : mean_ - took;
  deviation_ += (off - deviation_) / 4;
  mean_ += (took - mean_) / 8;
  mean_ = std::max(mean_, Duration(1));
}

void Asks::ask(Now now, Ask ask, std::optional<host::PeerSlot> slot, std::vector<Multiaddr> addrs,
               Effects& out, Outcomes& outcomes) {
  if (asks_.size() >= kAsksInFlightMax) {
    outcomes.push_back({Outcome::Kind::failed,
                        std::move(ask),
                        slot.value_or(host::PeerSlot{}),
                        {},
                        fail(Errc::exhausted, "too many requests of ours are under way")});
    return;
  }
  Pending pending;
  pending.ask = std::move(ask);
  pending.started = now.mono;
  pending.deadline = later(now.mono, kAskDeadline);
  pending.timer = later(now.mono, times(!slot).late_after());
  pending.dialled = !slot;
  const PeerId id = pending.ask.peer.id();
  const Mono timer = pending.timer;
  const AskId made = asks_.insert(std::move(pending));
  timers_.insert({timer, made});
  Pending& kept = asks_.at(made);
  if (slot) {
    kept.slot = *slot;
    open(made, kept, out, outcomes);
    return;
  }
  kept.connecting = RequestId{requests_++};
  connecting_[kept.connecting] = made;
  out.push_back(Connect{kept.connecting, id, std::move(addrs)});
}

bool Asks::awaits_answer(const PeerRef& peer) const {
  bool found = false;
  asks_.for_each([&](AskId, const Pending& pending) {
    found = found || (pending.ask.peer == peer && pending.ask.expect == Expect::answer);
  });
  return found;
}

void Asks::open(AskId id, Pending& pending, Effects& out, Outcomes& outcomes) {
  if (pending.ask.expect == Expect::connection) {
    finish(id, Outcome::Kind::connected, {}, {}, outcomes);
    return;
  }
  const Idle* idle = idle_.find(pending.slot);
  // What is not answered goes on a stream of its own: that it was opened is all that we learn.
  const bool fresh = pending.reused || pending.ask.expect == Expect::delivery;
  if (idle == nullptr || fresh) {
    pending.reused = false;
    out.push_back(OpenStream{id, pending.slot, pending.ask.message});
    return;
  }
  pending.stream = idle->stream;
  pending.reused = true;
  idle_.erase(pending.slot);
  streams_.at(pending.stream).ask = id;
  out.push_back(SendMessage{pending.stream, pending.ask.message});
}

bool Asks::bind(AskId ask, host::StreamSlot stream) {
  Pending* pending = asks_.find(ask);
  if (pending == nullptr) return false;
  pending->stream = stream;
  streams_.set(stream, {ask, pending->slot});
  return true;
}

void Asks::finish(AskId id, Outcome::Kind kind, KadMessage answer, Error error,
                  Outcomes& outcomes) {
  Pending& pending = asks_.at(id);
  timers_.erase({pending.timer, id});
  if (pending.connecting.value != 0) connecting_.erase(pending.connecting);
  outcomes.push_back(
      {kind, std::move(pending.ask), pending.slot, std::move(answer), std::move(error)});
  asks_.erase(id);
}

// Keeps a stream whose ask has ended for the next one, or closes it where there is no room.
void Asks::set_idle(Now now, host::StreamSlot stream, Stream& state, Effects& out) {
  state.ask = {};
  if (idle_.size() < kIdleStreamsMax && !idle_.contains(state.peer)) {
    const Mono until = later(now.mono, kIdleStream);
    idle_.set(state.peer, {stream, until});
    idle_next_ = std::min(idle_next_, until);
    return;
  }
  out.push_back(CloseStream{stream});
  streams_.erase(stream);
}

void Asks::forget_idle(host::StreamSlot stream, const Stream& state) {
  const Idle* idle = idle_.find(state.peer);
  if (idle != nullptr && idle->stream == stream) idle_.erase(state.peer);
}

bool Asks::on_connected(Now, RequestId request, const Result<host::PeerSlot>& peer, Effects& out,
                        Outcomes& outcomes) {
  if (request.value < kFirstRequest) return false;
  const auto found = connecting_.find(request);
  if (found == connecting_.end()) return true;  // its deadline passed
  const AskId id = found->second;
  connecting_.erase(found);
  Pending& pending = asks_.at(id);
  pending.connecting = {};
  if (!peer) {
    finish(id, Outcome::Kind::failed, {}, peer.error(), outcomes);
    return true;
  }
  pending.slot = *peer;
  open(id, pending, out, outcomes);
  return true;
}

bool Asks::on_opened(Now, host::StreamSlot stream, Effects& out, Outcomes& outcomes) {
  const Stream* found = streams_.find(stream);
  if (found == nullptr) return false;
  const AskId id = found->ask;
  const Pending* pending = asks_.find(id);
  if (pending == nullptr || pending->ask.expect != Expect::delivery) return true;
  finish(id, Outcome::Kind::delivered, {}, {}, outcomes);
  out.push_back(CloseStream{stream});
  streams_.erase(stream);
  return true;
}

bool Asks::on_message(Now now, host::StreamSlot stream, const Bytes& message, Effects& out,
                      Outcomes& outcomes) {
  Stream* found = streams_.find(stream);
  if (found == nullptr) return false;
  const AskId id = found->ask;
  const Pending* pending = asks_.find(id);
  const auto refuse = [&](Error error) {
    out.push_back(ResetStream{stream});
    forget_idle(stream, *found);
    streams_.erase(stream);
    if (pending != nullptr) finish(id, Outcome::Kind::failed, {}, std::move(error), outcomes);
    return true;
  };
  if (pending == nullptr || pending->ask.expect != Expect::answer)
    return refuse(fail(Errc::malformed, "an answer to nothing"));
  Result<KadMessage> answer = libp2p::decode_kad(message);
  if (!answer) return refuse(answer.error());
  if (answer->type != pending->ask.type ||
      (!answer->key.empty() && answer->key != pending->ask.key))
    return refuse(fail(Errc::malformed, "an answer to another request"));
  (pending->dialled ? dialled_ : connected_).add(now.mono - pending->started);
  finish(id, Outcome::Kind::answered, std::move(*answer), {}, outcomes);
  set_idle(now, stream, *found, out);
  return true;
}

// The other side will not answer on it any more: what is still awaited fails with on_closed, which
// comes when we have ended it too.
bool Asks::on_ended(Now, host::StreamSlot stream, Effects& out) {
  const Stream* found = streams_.find(stream);
  if (found == nullptr) return false;
  forget_idle(stream, *found);
  out.push_back(CloseStream{stream});
  if (!asks_.find(found->ask)) streams_.erase(stream);
  return true;
}

bool Asks::on_closed(Now, host::StreamSlot stream, const Error* error, Effects& out,
                     Outcomes& outcomes) {
  const Stream* found = streams_.find(stream);
  if (found == nullptr) return false;
  forget_idle(stream, *found);
  const AskId id = found->ask;
  streams_.erase(stream);
  Pending* pending = asks_.find(id);
  if (pending == nullptr) return true;
  pending->stream = {};
  if (pending->reused) {
    open(id, *pending, out, outcomes);
  } else if (pending->ask.expect == Expect::delivery && error == nullptr) {
    finish(id, Outcome::Kind::delivered, {}, {}, outcomes);
  } else {
    finish(id, Outcome::Kind::failed, {},
           error != nullptr ? *error : fail(Errc::closed, "the peer ended without an answer"),
           outcomes);
  }
  return true;
}

void Asks::on_timer(Now now, AskId id, Effects& out, Outcomes& outcomes) {
  Pending& pending = asks_.at(id);
  timers_.erase({pending.timer, id});
  if (pending.deadline > now.mono) {
    const bool late = pending.stage == Stage::fresh;
    pending.stage = late ? Stage::late : Stage::overdue;
    const Mono overdue = later(pending.started, times(pending.dialled).overdue_after());
    pending.timer = late ? std::clamp(overdue, now.mono, pending.deadline) : pending.deadline;
    timers_.insert({pending.timer, id});
    const auto kind = late ? Outcome::Kind::late : Outcome::Kind::overdue;
    outcomes.push_back({kind, pending.ask, pending.slot, {}, {}});
    return;
  }
  if (pending.stream) {
    out.push_back(ResetStream{pending.stream});
    streams_.erase(pending.stream);
  }
  finish(id, Outcome::Kind::failed, {}, fail(Errc::timeout, "no answer within 10 s"), outcomes);
}

void Asks::on_tick(Now now, Effects& out, Outcomes& outcomes) {
  while (!timers_.empty() && timers_.begin()->first <= now.mono)
    on_timer(now, timers_.begin()->second, out, outcomes);
  if (now.mono < idle_next_) return;
  std::vector<host::PeerSlot> over;
  idle_next_ = kNever;
  idle_.for_each([&](host::PeerSlot peer, const Idle& idle) {
    if (idle.until <= now.mono)
      over.push_back(peer);
    else
      idle_next_ = std::min(idle_next_, idle.until);
  });
  for (const host::PeerSlot peer : over) {
    const host::StreamSlot stream = idle_.at(peer).stream;
    out.push_back(CloseStream{stream});
    streams_.erase(stream);
    idle_.erase(peer);
  }
}

Mono Asks::next_deadline() const {
  return std::min(timers_.empty() ? kNever : timers_.begin()->first,
                  idle_.empty() ? kNever : idle_next_);
}

}  // namespace kith::dht
