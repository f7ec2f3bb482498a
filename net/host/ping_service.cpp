#include "net/host/ping_service.hpp"

#include <algorithm>

namespace kith::host {
namespace {

ProtocolSpec ping_spec() {
  ProtocolSpec spec;
  spec.ids = {std::string(wire::kPingProtocol)};
  spec.framing = Framing::raw;
  spec.send_queue_bytes_max = 2 * wire::kPingEchoQueueMax;
  spec.inbound_streams_per_peer_max = wire::kPingInboundMax;
  return spec;
}

}  // namespace

PingService::PingService(Host& host, Loop& loop, Rng rng, Duration interval)
    : host_(host),
      loop_(loop),
      rng_(std::move(rng)),
      interval_(interval),
      protocol_(host.add_protocol(ping_spec(), *this)) {}

PingService::~PingService() { loop_.arm(*this, kNever); }

void PingService::ping(RequestId request, PeerSlot peer, std::uint32_t rounds, PingSink& sink) {
  const Now now = loop_.now();
  const Wanted wanted{request, std::clamp(rounds, 1u, kPingRoundsMax), 0, &sink};
  ++requests_;
  if (requests_ > kPingRequestsMax)
    return finish_later(now, wanted, fail(Errc::exhausted, "too many pings are under way"));
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return open(now, peer, wanted);
  sessions_.at(found->second).wanted.push_back(wanted);
}

void PingService::open(Now now, PeerSlot peer, Wanted wanted) {
  Session session{
      peer, wire::PingDialler(rng_.fork("ping", sessions_made_++)), {wanted}, kNever, {}};
  wire::PingEffects effects;
  session.machine.ping(now, effects);
  Bytes first = std::get<wire::PingSend>(effects.front()).data;
  const StreamSlot stream = host_.open(peer, protocol_, std::move(first), Priority::control);
  by_peer_[peer] = stream;
  sessions_.emplace(stream, std::move(session));
  arm(now);
}

void PingService::cancel(RequestId request) {
  const Now now = loop_.now();
  for (auto& [stream, session] : sessions_) {
    auto& wanted = session.wanted;
    const auto found = std::find_if(wanted.begin(), wanted.end(),
                                    [&](const Wanted& one) { return one.request == request; });
    if (found == wanted.end()) continue;
    finish_later(now, *found, fail(Errc::cancelled, "the ping was cancelled"));
    // The first one's round may be on its way: its answer is nobody's.
    if (found == wanted.begin() && session.machine.waiting()) {
      found->sink = nullptr;
      return;
    }
    wanted.erase(found);
    wire::PingEffects effects;
    if (wanted.empty()) close_idle(session, effects);
    return carry_out(now, stream, effects);
  }
}

void PingService::close_idle(Session& session, wire::PingEffects& effects) {
  session.next_round = kNever;
  by_peer_.erase(session.peer);
  session.machine.close(effects);
}

void PingService::finish_later(Now now, Wanted wanted, Error error) {
  finished_.push_back({wanted, std::move(error)});
  arm(now);
}

void PingService::answered(Now now, StreamSlot stream, Duration round_trip) {
  Session& session = sessions_.at(stream);
  const std::uint32_t number = ++session.wanted.front().answered;
  const Wanted wanted = session.wanted.front();
  const bool last = wanted.sink == nullptr || number == wanted.rounds;
  if (last) session.wanted.pop_front();
  wire::PingEffects effects;
  if (session.wanted.empty())
    close_idle(session, effects);
  else
    session.next_round = last ? now.mono : later(now.mono, interval_);
  carry_out(now, stream, effects);
  if (wanted.sink == nullptr) return;
  if (last) --requests_;
  wanted.sink->on_ping(now, wanted.request, number, round_trip);
  if (last) wanted.sink->on_ping_done(now, wanted.request, {});
}

void PingService::carry_out(Now now, StreamSlot stream, wire::PingEffects& effects) {
  for (wire::PingEffect& effect : effects) {
    if (auto* send = std::get_if<wire::PingSend>(&effect))
      host_.send(stream, std::move(send->data), Priority::control, 0);
    else if (const auto* answer = std::get_if<wire::PingAnswered>(&effect))
      answered(now, stream, answer->round_trip);
    else if (std::holds_alternative<wire::PingClose>(effect))
      host_.close(stream);
    else
      fail_stream(stream, std::get<wire::PingFailed>(effect));
  }
  arm(now);
}

void PingService::fail_stream(StreamSlot stream, const wire::PingFailed& failed) {
  if (const auto session = sessions_.find(stream); session != sessions_.end())
    session->second.failure = fail(failed.code, std::string(failed.text));
  host_.reset(stream);
}

void PingService::arm(Now now) {
  Mono next = finished_.empty() ? kNever : now.mono;
  for (const auto& [stream, session] : sessions_)
    next = std::min({next, session.next_round, session.machine.next_deadline()});
  for (const auto& [stream, echo] : echoes_) next = std::min(next, echo.next_deadline());
  loop_.arm(*this, next);
}

void PingService::on_alarm(Now now) {
  for (Finished& done : std::exchange(finished_, {})) {
    --requests_;
    done.wanted.sink->on_ping_done(now, done.wanted.request, std::move(done.error));
  }
  std::vector<StreamSlot> due;
  for (const auto& [stream, session] : sessions_)
    if (std::min(session.next_round, session.machine.next_deadline()) <= now.mono)
      due.push_back(stream);
  wire::PingEffects effects;
  for (const StreamSlot stream : due) {
    Session& session = sessions_.at(stream);
    effects.clear();
    session.machine.on_tick(now, effects);
    if (std::exchange(session.next_round, kNever) <= now.mono) session.machine.ping(now, effects);
    carry_out(now, stream, effects);
  }
  for (auto& [stream, echo] : echoes_) {
    effects.clear();
    echo.on_tick(now, effects);
    carry_out(now, stream, effects);
  }
  arm(now);
}

void PingService::on_stream(Now now, StreamSlot stream, PeerSlot, std::string_view) {
  echoes_.emplace(stream, wire::PingEcho(now));
  arm(now);
}

void PingService::on_data(Now now, StreamSlot stream, Bytes data) {
  host_.release(stream, data.size());
  wire::PingEffects effects;
  if (const auto echo = echoes_.find(stream); echo != echoes_.end())
    echo->second.on_data(now, data, host_.queued_bytes(stream), effects);
  else if (const auto session = sessions_.find(stream); session != sessions_.end())
    session->second.machine.on_data(now, data, effects);
  carry_out(now, stream, effects);
}

void PingService::on_end(Now now, StreamSlot stream) {
  wire::PingEffects effects;
  if (const auto echo = echoes_.find(stream); echo != echoes_.end())
    echo->second.on_end(effects);
  else if (const auto session = sessions_.find(stream); session != sessions_.end())
    session->second.machine.on_end(effects);
  carry_out(now, stream, effects);
}

void PingService::on_closed(Now now, StreamSlot stream, const Error* error) {
  echoes_.erase(stream);
  const auto found = sessions_.find(stream);
  if (found != sessions_.end()) {
    Session session = std::move(found->second);
    sessions_.erase(found);
    if (const auto peer = by_peer_.find(session.peer);
        peer != by_peer_.end() && peer->second == stream)
      by_peer_.erase(peer);
    const Error why = session.failure    ? *session.failure
                      : error != nullptr ? *error
                                         : fail(Errc::closed, "the peer ended the ping");
    for (const Wanted& wanted : session.wanted)
      if (wanted.sink != nullptr) finish_later(now, wanted, why);
  }
  arm(now);
}

}  // namespace kith::host
