#include "net/wire/ping.hpp"

#include <algorithm>
#include <cstring>

namespace kith::wire {

void PingDialler::ping(Now now, PingEffects& out) {
  if (state_ != State::idle) return;
  rng_.fill(sent_);
  matched_ = 0;
  sent_at_ = now.mono;
  state_ = State::waiting;
  out.push_back(PingSend{Bytes::copy(sent_)});
}

void PingDialler::close(PingEffects& out) {
  if (state_ == State::over) return;
  if (state_ == State::waiting) return fail(Errc::cancelled, "ping abandoned", out);
  state_ = State::over;
  out.push_back(PingClose{});
}

void PingDialler::on_data(Now now, ByteView data, PingEffects& out) {
  if (state_ == State::over || data.empty()) return;
  if (state_ == State::idle) return fail(Errc::malformed, "echo of a ping that was not sent", out);
  if (data.size() > kPingBytes - matched_ ||
      std::memcmp(sent_.data() + matched_, data.data(), data.size()) != 0)
    return fail(Errc::malformed, "echo differs from the ping", out);
  matched_ += data.size();
  if (matched_ < kPingBytes) return;
  state_ = State::idle;
  out.push_back(PingAnswered{now.mono - sent_at_});
}

void PingDialler::on_end(PingEffects& out) {
  if (state_ != State::over) fail(Errc::closed, "the peer ended the ping stream", out);
}

void PingDialler::on_tick(Now now, PingEffects& out) {
  if (now.mono >= next_deadline()) fail(Errc::timeout, "no echo within the deadline", out);
}

Mono PingDialler::next_deadline() const {
  return state_ == State::waiting ? later(sent_at_, kPingDeadline) : kNever;
}

void PingDialler::fail(Errc code, std::string_view text, PingEffects& out) {
  state_ = State::over;
  out.push_back(PingFailed{code, text});
}

void PingEcho::on_data(Now now, ByteView data, std::size_t queued, PingEffects& out) {
  if (over_ || data.empty()) return;
  heard_ = now.mono;
  const std::size_t whole = (part_bytes_ + data.size()) / kPingBytes * kPingBytes;
  if (queued + whole > kPingEchoQueueMax)
    return fail(Errc::exhausted, "pings faster than their echoes are read", out);
  const std::size_t from_data = whole == 0 ? 0 : whole - part_bytes_;
  if (whole > 0) {
    out.push_back(PingSend{Bytes::make(whole, [&](std::span<std::uint8_t> to) {
      std::memcpy(to.data(), part_.data(), part_bytes_);
      std::memcpy(to.data() + part_bytes_, data.data(), from_data);
    })});
    part_bytes_ = 0;
  }
  const ByteView rest = data.subspan(from_data);
  std::copy(rest.begin(), rest.end(), part_.begin() + static_cast<std::ptrdiff_t>(part_bytes_));
  part_bytes_ += rest.size();
}

void PingEcho::on_end(PingEffects& out) {
  if (over_) return;
  if (part_bytes_ > 0) return fail(Errc::truncated, "the stream ended inside a ping", out);
  over_ = true;
  out.push_back(PingClose{});
}

void PingEcho::on_tick(Now now, PingEffects& out) {
  if (now.mono >= next_deadline()) fail(Errc::timeout, "no ping for too long", out);
}

Mono PingEcho::next_deadline() const { return over_ ? kNever : later(heard_, kPingIdleMax); }

void PingEcho::fail(Errc code, std::string_view text, PingEffects& out) {
  over_ = true;
  out.push_back(PingFailed{code, text});
}

}  // namespace kith::wire
