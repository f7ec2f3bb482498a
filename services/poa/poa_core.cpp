// Time, and what beats count for.
#include "services/poa/poa_core.hpp"

#include <algorithm>

namespace kith::poa {
namespace {

using gossip::Verdict;

std::int64_t ms_of(Wall wall) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
}

}  // namespace

bool Bucket::take(Mono now, std::uint32_t tokens_max, Duration interval) {
  const auto fills = static_cast<std::uint64_t>(std::max(now - at, Duration(0)) / interval);
  if (fills + tokens >= tokens_max) {
    tokens = tokens_max;
    at = now;
  } else {
    tokens += static_cast<std::uint32_t>(fills);
    at += static_cast<std::int64_t>(fills) * interval;
  }
  if (tokens == 0) return false;
  --tokens;
  return true;
}

PoaCore::PoaCore(PoaCoreConfig config, Rng rng)
    : config_(std::move(config)), rng_(std::move(rng)), ledger_(rng_), asker_(config_.timing) {}

Mono PoaCore::next_deadline(Mono now) const {
  if (!running_) return kNever;
  const Mono judge = running_->attendance.next(running_->timeline);
  return config_.beat ? std::min(judge, running_->source.next(running_->timeline, now)) : judge;
}

void PoaCore::on_tick(Now now, const Capacity& capacity, Effects& out) {
  if (!running_) return;
  capacity_ = capacity;
  if (running_->timeline.on_time(now)) {
    ++status_.clock_steps;
    running_->attendance.on_step(now, running_->timeline);
  }
  judge_slots(now, out);
  beat(now, out);
}

void PoaCore::judge_slots(Now now, Effects& out) {
  Running& run = *running_;
  const std::uint64_t epoch = run.timeline.epoch_of_slot(run.timeline.slot(now.mono));
  while (run.attendance.on_time(now, run.timeline)) save_turn(run.attendance.judged(), out);
  if (epoch != run.epoch) turn_epoch(epoch, out);
}

void PoaCore::beat(Now now, Effects& out) {
  if (!config_.beat) return;
  Running& run = *running_;
  reserve(out);
  const auto sequence = run.source.take(now, run.timeline);
  if (!sequence) return;
  schema::Beat beat;
  beat.sequence = *sequence;
  beat.time_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(ms_of(now.wall), 0));
  beat.epoch = Timeline::epoch_of_time(beat.time_ms, config_.timing);
  beat.capacity = capacity_;
  ++status_.sent;
  out.push_back(PublishBeat{schema::encode_beat(beat)});
}

Verdict PoaCore::blame(std::uint64_t& counter, bool at_fault) {
  ++counter;
  return at_fault ? Verdict::reject : Verdict::ignore;
}

Verdict PoaCore::on_beat(Now now, const PeerId& from, bool direct, ByteView data) {
  if (!running_ || from == config_.self) return Verdict::ignore;
  BeatCounters& beats = status_.beats;
  const Result<schema::Beat> beat = schema::decode_beat(data);
  if (!beat) {
    const Errc code = beat.error().code;
    if (code == Errc::oversized) return blame(beats.oversized, true);
    if (code == Errc::truncated) return blame(beats.truncated, true);
    return blame(beats.malformed, true);
  }
  if (beat->sequence == 0 || beat->sequence >= kSequenceMax) return blame(beats.malformed, true);
  if (beat->epoch != Timeline::epoch_of_time(beat->time_ms, config_.timing))
    return blame(beats.mismatched, true);
  const auto ours = static_cast<std::uint64_t>(std::max<std::int64_t>(ms_of(now.wall), 0));
  constexpr std::uint64_t window =
      std::chrono::duration_cast<std::chrono::milliseconds>(kWindow).count();
  if (beat->time_ms > ours && beat->time_ms - ours > window) return blame(beats.future, false);
  if (beat->time_ms < ours && ours - beat->time_ms > window) return blame(beats.stale, false);
  return count(now, ledger_.on_beat(now, running_->timeline, from, *beat), direct);
}

Verdict PoaCore::count(Now now, const Ledger::Verdict& verdict, bool direct) {
  BeatCounters& beats = status_.beats;
  switch (verdict.heard) {
    case Heard::counted:
      ++beats.counted;
      running_->attendance.on_heard(verdict.slot);
      running_->attendance.on_heard(running_->timeline.slot(now.mono));
      return Verdict::accept;
    case Heard::spare:
      ++beats.spare;
      return Verdict::accept;
    case Heard::early:
      ++beats.early;
      return Verdict::accept;
    case Heard::flooding:
      return blame(beats.flooding, direct && verdict.close_claims);
    case Heard::repeated:
      return blame(beats.repeated, false);
    case Heard::replayed:
      return blame(beats.replayed, direct);
    case Heard::stranger:
      break;
  }
  ++beats.strangers;
  const bool passed = strangers_.take(now.mono, kStrangersBurst, 1s / kStrangersPerSecond);
  return passed ? Verdict::accept : Verdict::ignore;
}

Status PoaCore::status() const {
  Status status = status_;
  status.peers = ledger_.size();
  status.answers = asker_.counters();
  if (running_) {
    status.epoch = running_->epoch;
    status.up_slots = running_->attendance.up_slots(running_->epoch);
  }
  return status;
}

}  // namespace kith::poa
