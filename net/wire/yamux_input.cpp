// What the peer's bytes do to the machine (yamux.hpp has the rules).
#include <algorithm>
#include <cstring>

#include "net/wire/yamux.hpp"

namespace kith::wire {
namespace {

constexpr Duration kResetCost = Duration(1s) / kYamuxResetsPerSecond;
constexpr Duration kResetDebtMax = kResetCost * kYamuxResetsBurst;

}  // namespace

void Yamux::on_bytes(Now now, Bytes chunk, YamuxEffects& out) {
  for (; refused_ > 0 && !failed_; --refused_) charge_reset(now, out);
  std::size_t at = 0;
  while (at < chunk.size() && !failed_) {
    const std::size_t left = chunk.size() - at;
    if (in_.body_left > 0) {
      const std::size_t taken = std::min<std::size_t>(in_.body_left, left);
      on_payload(chunk.slice(at, taken), out);
      at += taken;
      continue;
    }
    const std::size_t taken = std::min(kYamuxHeadBytes - in_.head_bytes, left);
    std::memcpy(in_.head.data() + in_.head_bytes, chunk.data() + at, taken);
    in_.head_bytes += taken;
    at += taken;
    if (in_.head_bytes < kYamuxHeadBytes) return;
    in_.head_bytes = 0;
    on_head(now, read_yamux_head(in_.head), out);
  }
}

void Yamux::on_head(Now now, const YamuxHead& head, YamuxEffects& out) {
  if (head.version != 0) return fail(Errc::unsupported, "yamux version is not 0", out);
  switch (head.type) {
    case YamuxType::data:
    case YamuxType::window_update:
      if (head.stream == 0) return fail(Errc::malformed, "stream frame on the session", out);
      return head.type == YamuxType::data ? on_data_head(now, head, out)
                                          : on_window_update(now, head, out);
    case YamuxType::ping:
      if (head.stream != 0) return fail(Errc::malformed, "ping on a stream", out);
      return on_ping(now, head, out);
    case YamuxType::go_away:
      if (head.stream != 0) return fail(Errc::malformed, "go-away on a stream", out);
      remote_gone_ = true;
      out.push_back(YamuxWentAway{head.length});
      return;
  }
  fail(Errc::malformed, "unknown yamux frame type", out);
}

void Yamux::on_data_head(Now now, const YamuxHead& head, YamuxEffects& out) {
  if (head.has(kYamuxSyn) && head.length > kYamuxWindowInitial)
    return fail(Errc::oversized, "first data exceeds the initial window", out);
  const YamuxSlot slot = head.has(kYamuxSyn) ? on_syn(now, head, out) : find_id(head.stream);
  if (failed_) return;
  YamuxStream* stream = streams_.find(slot);
  in_.body_left = head.length;
  in_.body_of = slot;
  in_.fin_after = false;
  if (stream == nullptr) {
    if (head.length > stray_credit_)
      return fail(Errc::oversized, "data for a stream that is gone exceeds its window", out);
    stray_credit_ -= head.length;
    return;
  }
  if (head.length > stream->credit)
    return fail(Errc::oversized, "data exceeds the receive window", out);
  if (head.has(kYamuxRst)) return on_rst(now, slot, 0, out);
  if (stream->remote_ended && head.length > 0) {
    drop(slot, 0);
    out.push_back(YamuxReset{slot, 0, false});
    return;
  }
  on_ack(*stream);
  if (!head.has(kYamuxFin)) return;
  if (head.length == 0) return on_fin(slot, out);
  in_.fin_after = true;
}

void Yamux::on_payload(Bytes part, YamuxEffects& out) {
  const YamuxSlot slot = in_.body_of;
  YamuxStream* stream = streams_.find(slot);
  if (stream != nullptr && unreleased_ + part.size() > config_.receive_pool_max) {
    drop(slot, 0);
    out.push_back(YamuxReset{slot, 0, false});
    stream = nullptr;
  }
  in_.body_left -= static_cast<std::uint32_t>(part.size());
  if (stream == nullptr) return;  // gone before its frame came, or while it was under way
  // Here, not when the header came: an update pulled in between must not grant these bytes twice.
  stream->credit -= static_cast<std::uint32_t>(part.size());
  stream->unreleased += static_cast<std::uint32_t>(part.size());
  unreleased_ += part.size();
  out.push_back(YamuxData{slot, std::move(part)});
  if (in_.body_left == 0 && in_.fin_after) on_fin(slot, out);
}

void Yamux::on_window_update(Now now, const YamuxHead& head, YamuxEffects& out) {
  const YamuxSlot slot = head.has(kYamuxSyn) ? on_syn(now, head, out) : find_id(head.stream);
  YamuxStream* stream = streams_.find(slot);
  if (failed_ || stream == nullptr) return;  // an update that crossed our reset or FIN
  if (head.has(kYamuxRst)) return on_rst(now, slot, head.length, out);
  const std::uint64_t window = std::uint64_t{stream->send_window} + head.length;
  if (window > UINT32_MAX) return fail(Errc::malformed, "send window overflows", out);
  stream->send_window = static_cast<std::uint32_t>(window);
  on_ack(*stream);
  note_stall(now, *stream);
  refresh(slot, *stream);
  if (head.has(kYamuxFin)) on_fin(slot, out);
}

void Yamux::on_ping(Now now, const YamuxHead& head, YamuxEffects& out) {
  if (head.has(kYamuxSyn) == head.has(kYamuxAck))
    return fail(Errc::malformed, "ping is neither request nor answer", out);
  if (head.has(kYamuxSyn)) {
    if (pongs_.size() >= kYamuxPongsMax)
      return fail(Errc::exhausted, "too many pings before their answers could leave", out);
    pongs_.push_back(head.length);
    return;
  }
  if (!ping_out_ || head.length != ping_value_) return;  // harmless to us
  ping_out_ = false;
  ++ping_value_;
  round_trip_ = std::max(now.mono - ping_sent_, Duration(1));
  out.push_back(YamuxPong{round_trip_});
}

YamuxSlot Yamux::on_syn(Now now, const YamuxHead& head, YamuxEffects& out) {
  const bool odd = (head.stream & 1) != 0;
  if (odd == config_.dialler) {
    fail(Errc::malformed, "the peer opened a stream with an id of ours", out);
    return {};
  }
  if (find_id(head.stream)) {
    fail(Errc::malformed, "the peer opened a stream twice", out);
    return {};
  }
  if (local_gone_ || streams_.size() >= config_.streams_max ||
      unacknowledged_ >= kYamuxAckBacklogMax) {
    charge_reset(now, out);
    if (failed_) return {};
    resets_.push_back({head.stream, 0});
    stray_credit_ += kYamuxWindowInitial;
    return {};
  }
  const YamuxSlot slot = add_stream(now, head.stream, true);
  out.push_back(YamuxOpened{slot, head.stream});
  return slot;
}

void Yamux::on_rst(Now now, YamuxSlot slot, std::uint32_t code, YamuxEffects& out) {
  const bool opened_by_peer = streams_.at(slot).opened_by_peer;
  remove_stream(slot);
  out.push_back(YamuxReset{slot, code, true});
  if (opened_by_peer) charge_reset(now, out);
}

void Yamux::on_fin(YamuxSlot slot, YamuxEffects& out) {
  YamuxStream& stream = streams_.at(slot);
  if (stream.remote_ended) return;
  stream.remote_ended = true;
  stream.update_due = false;  // js-libp2p and rust-libp2p forget streams that they have ended
  refresh(slot, stream);
  out.push_back(YamuxEnded{slot});
  if (!stream.fin_sent) return;
  remove_stream(slot);
  out.push_back(YamuxClosed{slot});
}

// Any frame from the peer accepts our stream: rust-libp2p may never set the flag.
void Yamux::on_ack(YamuxStream& stream) {
  if (stream.opened_by_peer || stream.acked) return;
  stream.acked = true;
  --unacked_;
}

void Yamux::charge_reset(Now now, YamuxEffects& out) {
  resets_paid_ = std::max(resets_paid_, now.mono) + kResetCost;
  if (resets_paid_ - now.mono > kResetDebtMax)
    fail(Errc::exhausted, "too many streams opened only to be reset", out);
}

}  // namespace kith::wire
