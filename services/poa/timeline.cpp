#include "services/poa/timeline.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::poa {
namespace {

Duration sane(Wall wall) { return std::clamp(wall.time_since_epoch(), Duration(0), kTimeMax); }

}  // namespace

Timeline::Timeline(Now now, Timing timing, std::uint64_t mark)
    : timing_(timing),
      slots_per_epoch_(static_cast<std::uint32_t>(timing.epoch / timing.beat)),
      anchor_(now.mono) {
  CHECK(timing.beat > Duration(0) && timing.epoch % timing.beat == Duration(0));
  CHECK(slots_per_epoch_ > 0 && slots_per_epoch_ <= schema::kSlotsPerEpochMax);
  const auto slot_max = static_cast<std::uint64_t>(kTimeMax / timing.beat);
  const std::uint64_t believed = mark <= slot_max ? mark : 0;
  since_1970_ = std::max(sane(now.wall), static_cast<std::int64_t>(believed) * timing.beat);
}

bool Timeline::on_time(Now now) {
  const Duration wall = sane(now.wall);
  if (wall - elapsed(now.mono) <= kStepMin) return false;
  anchor_ = now.mono;
  since_1970_ = wall;
  return true;
}

std::uint64_t Timeline::slot(Mono at) const {
  return static_cast<std::uint64_t>(std::max(elapsed(at), Duration(0)) / timing_.beat);
}

Mono Timeline::start_of(std::uint64_t slot) const {
  return anchor_ + (static_cast<std::int64_t>(slot) * timing_.beat - since_1970_);
}

std::uint64_t Timeline::epoch_of_time(std::uint64_t time_ms, const Timing& timing) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timing.epoch).count();
  return time_ms / static_cast<std::uint64_t>(ms);
}

}  // namespace kith::poa
