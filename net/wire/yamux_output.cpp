// What leaves the machine, and in which order (yamux.hpp has the rules).
#include <algorithm>

#include "net/wire/yamux.hpp"

namespace kith::wire {
namespace {

// A data frame is not begun in less room than this: it would be mostly header.
constexpr std::size_t kFrameRoomMin = 1024;
// The window doubles when half of it was used up within this many round trips, as go and js do.
constexpr int kGrowRoundTrips = 4;
// Below this, round trips say more about the loop that measured them than about the network.
constexpr Duration kRoundTripMin = 1ms;

}  // namespace

std::size_t Yamux::pull(Now now, std::size_t budget, std::vector<Bytes>& slices,
                        YamuxEffects& out) {
  writer_.begin(budget, slices);
  while (writer_.room() >= kYamuxHeadBytes) {
    if (!pull_session(now) && !pull_control(now, out) && !pull_data(now, out)) break;
  }
  return writer_.finish();
}

bool Yamux::pull_session(Now now) {
  if (!pongs_.empty()) {
    writer_.head({0, YamuxType::ping, kYamuxAck, 0, pongs_.front()});
    pongs_.erase(pongs_.begin());
    return true;
  }
  if (ping_due_) {
    writer_.head({0, YamuxType::ping, kYamuxSyn, 0, ping_value_});
    ping_due_ = false;
    ping_out_ = true;
    ping_sent_ = now.mono;
    return true;
  }
  if (!resets_.empty()) {
    writer_.head({0, YamuxType::window_update, kYamuxRst, resets_.back().id, resets_.back().code});
    resets_.pop_back();
    return true;
  }
  if (!go_away_due_) return false;
  writer_.head({0, YamuxType::go_away, 0, 0, *go_away_due_});
  go_away_due_.reset();
  return true;
}

bool Yamux::pull_control(Now now, YamuxEffects& out) {
  const YamuxSlot slot = control_.first;
  if (!slot) return false;
  YamuxStream& stream = streams_.at(slot);
  if (stream.update_due || stream.syn_due || stream.ack_due) {
    put_update(now, stream);
  } else {
    writer_.head({0, YamuxType::window_update, kYamuxFin, stream.id, 0});
    stream.fin_sent = true;
  }
  refresh(slot, stream);
  if (stream.fin_sent && stream.remote_ended) {
    remove_stream(slot);
    out.push_back(YamuxClosed{slot});
  }
  return true;
}

bool Yamux::pull_data(Now now, YamuxEffects& out) {
  const auto list = std::find_if(ready_.begin(), ready_.end(),
                                 [](const List& each) { return static_cast<bool>(each.first); });
  if (list == ready_.end()) return false;
  const YamuxSlot slot = list->first;
  YamuxStream& stream = streams_.at(slot);
  const std::size_t room = writer_.room() - kYamuxHeadBytes;
  std::size_t size =
      std::min<std::size_t>({stream.queue.bytes, stream.send_window, kYamuxPayloadMax});
  if (size > room) {
    if (room == 0 || (room < kFrameRoomMin && writer_.size() > 0)) return false;
    size = room;
  }
  writer_.head(
      {0, YamuxType::data, take_flags(stream), stream.id, static_cast<std::uint32_t>(size)});
  pool_.take(stream.queue, size, writer_.payload(size));
  queued_ -= size;
  stream.send_window -= static_cast<std::uint32_t>(size);
  note_stall(now, stream);
  unlink(*list, &YamuxStream::ready, slot);  // to the back: round-robin
  stream.ready_in = kPriorities;
  refresh(slot, stream);
  if (stream.notify && stream.queue.bytes <= stream.notify_below) {
    stream.notify = false;
    out.push_back(YamuxWritable{slot});
  }
  return true;
}

void Yamux::put_update(Now now, YamuxStream& stream) {
  std::uint32_t credit = 0;
  if (stream.update_due) {
    grow_window(now, stream);
    credit = stream.credit_due();
    stream.credit += credit;
    stream.updated = now.mono;
    stream.update_due = false;
  }
  writer_.head({0, YamuxType::window_update, take_flags(stream), stream.id, credit});
}

void Yamux::grow_window(Now now, YamuxStream& stream) {
  if (round_trip_ == Duration::zero()) return;
  if (now.mono - stream.updated > kGrowRoundTrips * std::max(round_trip_, kRoundTripMin)) return;
  const std::uint32_t more = std::min(stream.window, config_.stream_window_max - stream.window);
  if (windows_ + more > config_.receive_pool_max) return;
  stream.window += more;
  windows_ += more;
}

std::uint16_t Yamux::take_flags(YamuxStream& stream) {
  std::uint16_t flags = 0;
  if (stream.syn_due) flags = kYamuxSyn;
  if (stream.ack_due) {
    flags = kYamuxAck;
    --unacknowledged_;
  }
  stream.syn_due = stream.ack_due = false;
  return flags;
}

}  // namespace kith::wire
