#include "net/host/connection.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace kith::host {
namespace {

const std::array<std::string, 1> kSecurity = {std::string(wire::kNoiseProtocol)};
const std::array<std::string, 1> kMuxers = {std::string(wire::kYamuxProtocol)};

}  // namespace

Connection::Connection(Now now, bool dialler, const wire::NoiseStatic& own,
                       const HostLimits& limits, Rng& rng, std::optional<PeerId> expected)
    : dialler_(dialler),
      own_(own),
      limits_(limits),
      rng_(rng),
      now_(now),
      expected_(std::move(expected)),
      deadline_(later(now.mono, limits.handshake_deadline)),
      progress_(now.mono) {
  if (!dialler_) return;
  handshake_ =
      std::make_unique<wire::NoiseHandshake>(wire::NoiseRole::initiator, own_, rng_, expected_);
  const wire::MultistreamDialer dial(kSecurity);
  clear_.push_back(dial.start(handshake_->start()));
  select_ = dial;
}

void Connection::fail_with(Error error, ConnectionEffects& out) {
  if (std::exchange(failed_, true)) return;
  handshake_.reset();
  out.failed = std::move(error);
}

void Connection::on_bytes(Now now, Bytes chunk, ConnectionEffects& out) {
  now_ = now;
  if (failed_) return;
  const std::size_t size = chunk.size();
  switch (state_) {
    case State::select_noise:
      on_select(chunk, out);
      break;
    case State::noise:
      on_noise(chunk, out);
      break;
    case State::select_mux:
    case State::open:
      on_sealed(chunk, out);
      break;
  }
  if (failed_ || cipher_) return;
  pre_auth_bytes_ += size;
  if (pre_auth_bytes_ > limits_.pre_auth_bytes_max)
    fail_with(fail(Errc::oversized, "handshake is longer than any that could succeed"), out);
}

Result<wire::MultistreamStep> Connection::select(const Bytes& chunk) {
  const auto& served = state_ == State::select_noise ? kSecurity : kMuxers;
  if (auto* dial = std::get_if<wire::MultistreamDialer>(&select_)) return dial->on_bytes(chunk);
  return std::get<wire::MultistreamListener>(select_).on_bytes(chunk, served);
}

void Connection::on_select(const Bytes& chunk, ConnectionEffects& out) {
  auto step = select(chunk);
  if (!step) return fail_with(std::move(step).error(), out);
  if (!step->write.empty()) clear_.push_back(std::move(step->write));
  if (!step->agreed) return;
  state_ = State::noise;
  if (!dialler_)
    handshake_ = std::make_unique<wire::NoiseHandshake>(wire::NoiseRole::responder, own_, rng_);
  if (!step->rest.empty()) on_noise(step->rest, out);
}

void Connection::on_noise(const Bytes& chunk, ConnectionEffects& out) {
  auto step = handshake_->on_bytes(chunk);
  if (!step) return fail_with(std::move(step).error(), out);
  if (!step->write.empty()) clear_.push_back(std::move(step->write));
  if (step->session) on_secured(std::move(*step->session), out);
}

void Connection::on_secured(wire::NoiseSession session, ConnectionEffects& out) {
  handshake_.reset();
  remote_ = std::move(session.remote);
  cipher_.emplace(std::move(session.transport));
  if (session.muxer_agreed) {
    state_ = State::open;
    make_mux(out);
  } else {
    state_ = State::select_mux;
    if (dialler_) {
      const wire::MultistreamDialer dial(kMuxers);
      to_seal_.push_back(dial.start());
      select_ = dial;
      make_mux(out);
    } else {
      select_ = wire::MultistreamListener();
    }
  }
  if (!session.rest.empty()) on_sealed(session.rest, out);
}

void Connection::make_mux(ConnectionEffects& out) {
  wire::YamuxConfig config;
  config.dialler = dialler_;
  config.streams_max = static_cast<std::uint32_t>(limits_.streams_per_connection_max);
  config.stream_window_max = static_cast<std::uint32_t>(limits_.stream_window_max);
  config.receive_pool_max = limits_.receive_bytes_per_connection_max;
  config.ping_every = limits_.keepalive_interval;
  mux_ = std::make_unique<wire::Yamux>(config, now_);
  out.opened = true;
}

void Connection::on_sealed(const Bytes& chunk, ConnectionEffects& out) {
  auto plain = cipher_->open(chunk);
  if (!plain) return fail_with(std::move(plain).error(), out);
  if (!plain->empty()) on_plain(std::move(*plain), out);
}

void Connection::on_plain(Bytes plain, ConnectionEffects& out) {
  if (state_ == State::select_mux) {
    auto step = select(plain);
    if (!step) return fail_with(std::move(step).error(), out);
    if (!step->write.empty()) to_seal_.push_back(std::move(step->write));
    if (!step->agreed) return;
    state_ = State::open;
    if (!mux_) make_mux(out);
    plain = std::move(step->rest);
    if (plain.empty()) return;
  }
  mux_->on_bytes(now_, std::move(plain), out.streams);
  for (const auto& effect : out.streams)
    if (const auto* broken = std::get_if<wire::YamuxFailed>(&effect))
      return fail_with(fail(broken->code, std::string(broken->text)), out);
}

void Connection::watch_backlog(Now now, std::size_t backlog) {
  const std::uint64_t taken = pulled_ - backlog;
  if (taken != taken_ || backlog_ == 0) progress_ = now.mono;
  taken_ = taken;
  backlog_ = backlog;
}

void Connection::on_tick(Now now, std::size_t backlog, ConnectionEffects& out) {
  now_ = now;
  if (failed_) return;
  watch_backlog(now, backlog);
  if (backlog_ > 0 && now.mono >= later(progress_, limits_.write_stall))
    return fail_with(fail(Errc::timeout, "the peer stopped reading"), out);
  if (state_ != State::open && now.mono >= deadline_)
    return fail_with(fail(Errc::timeout, "the handshake took too long"), out);
  if (!mux_) return;
  mux_->on_tick(now, out.streams);
  for (const auto& effect : out.streams)
    if (const auto* broken = std::get_if<wire::YamuxFailed>(&effect))
      return fail_with(fail(broken->code, std::string(broken->text)), out);
}

Mono Connection::next_deadline() const {
  if (failed_) return kNever;
  Mono next = backlog_ > 0 ? later(progress_, limits_.write_stall) : kNever;
  if (state_ != State::open) next = std::min(next, deadline_);
  if (mux_) next = std::min(next, mux_->next_deadline());
  return next;
}

bool Connection::has_output() const {
  return !clear_.empty() || !to_seal_.empty() || (mux_ && mux_->has_output());
}

Bytes Connection::pull(Now now, std::size_t budget, ConnectionEffects& out) {
  now_ = now;
  if (!clear_.empty()) {
    Bytes next = std::move(clear_.front());
    clear_.erase(clear_.begin());
    pulled_ += next.size();
    return next;
  }
  if (!cipher_) return {};
  slices_ = std::move(to_seal_);
  to_seal_.clear();
  if (mux_) mux_->pull(now, budget, slices_, out.streams);
  parts_.assign(slices_.begin(), slices_.end());
  auto sealed = cipher_->seal(parts_);
  slices_.clear();
  if (!sealed) {
    fail_with(std::move(sealed).error(), out);
    return {};
  }
  pulled_ += sealed->size();
  return std::move(*sealed);
}

}  // namespace kith::host
