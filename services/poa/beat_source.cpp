#include "services/poa/beat_source.hpp"

#include <algorithm>

namespace kith::poa {

BeatSource::BeatSource(Now now, const Timing& timing, std::uint64_t mark, Rng& rng) {
  const auto half = static_cast<std::uint64_t>(timing.beat.count()) / 2;
  phase_ = Duration(static_cast<std::int64_t>(half / 2 + rng.below(half + 1)));
  const auto wall = std::clamp(now.wall.time_since_epoch(), Duration(0), kTimeMax);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wall).count();
  next_ = std::max<std::uint64_t>(static_cast<std::uint64_t>(ms), 1);
  if (mark < kSequenceMax) next_ = std::max(next_, mark);
}

std::optional<std::uint64_t> BeatSource::reserve() {
  if (asked_ > durable_ || durable_ > next_ + kSequenceBlock / 2) return std::nullopt;
  asked_ = next_ + kSequenceBlock;
  return asked_;
}

void BeatSource::on_reserved(bool durable) {
  if (durable)
    durable_ = asked_;
  else
    asked_ = durable_;
}

Mono BeatSource::due_in(std::uint64_t slot, const Timeline& timeline) const {
  return timeline.start_of(slot) + phase_;
}

std::optional<std::uint64_t> BeatSource::take(Now now, const Timeline& timeline) {
  const std::uint64_t slot = timeline.slot(now.mono);
  if (slot <= beaten_ || now.mono < due_in(slot, timeline) || next_ >= durable_)
    return std::nullopt;
  beaten_ = slot;
  return next_++;
}

Mono BeatSource::next(const Timeline& timeline, Mono now) const {
  const std::uint64_t slot = timeline.slot(now);
  const Mono due = due_in(slot, timeline);
  return slot > beaten_ && now < due ? due : due_in(slot + 1, timeline);
}

}  // namespace kith::poa
