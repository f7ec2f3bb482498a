#include "services/poa/attendance.hpp"

#include <algorithm>
#include <bit>

#include "schema/kith/bit_runs.hpp"

namespace kith::poa {
namespace {

const Bitmap kNothing;

// The bits of byte `at` that lie in [from, to).
std::uint8_t mask_of(std::uint32_t at, std::uint32_t from, std::uint32_t to) {
  const std::uint32_t low = at * 8;
  const std::uint32_t first = from > low ? from - low : 0;
  const std::uint32_t last = to < low + 8 ? to - low : 8;
  return static_cast<std::uint8_t>((0xFFu << first) & (0xFFu >> (8 - last)));
}

}  // namespace

std::uint32_t count_common(const Bitmap& a, const Bitmap& b, std::uint32_t from, std::uint32_t to) {
  const std::size_t bits = 8 * std::min(a.size(), b.size());
  to = static_cast<std::uint32_t>(std::min<std::size_t>(to, bits));
  std::uint32_t count = 0;
  for (std::uint32_t at = from / 8; at * 8 < to; ++at)
    count += static_cast<std::uint32_t>(
        std::popcount(static_cast<std::uint8_t>(a[at] & b[at] & mask_of(at, from, to))));
  return count;
}

std::uint32_t count_bits(const Bitmap& bits, std::uint32_t from, std::uint32_t to) {
  return count_common(bits, bits, from, to);
}

Attendance::Attendance(Now now, const Timeline& timeline)
    : next_(timeline.slot(now.mono)), whole_from_(next_ + 1) {
  heard_.fill(UINT64_MAX);
}

void Attendance::on_heard(std::uint64_t slot) { heard_[slot % kRemembered] = slot; }

void Attendance::on_step(Now now, const Timeline& timeline) {
  next_ = timeline.slot(now.mono);
  whole_from_ = next_ + 1;
}

Mono Attendance::due(std::uint64_t slot, const Timeline& timeline) {
  return timeline.start_of(slot + 1) + timeline.timing().beat / kSlackParts;
}

Mono Attendance::next(const Timeline& timeline) const { return due(next_, timeline); }

bool Attendance::on_time(Now now, const Timeline& timeline) {
  if (now.mono < due(next_, timeline)) return false;
  if (now.mono >= due(next_ + 1, timeline)) {
    on_step(now, timeline);
    return true;
  }
  if (next_ >= whole_from_ && heard_[next_ % kRemembered] == next_) mark(next_, timeline);
  ++next_;
  return true;
}

void Attendance::mark(std::uint64_t slot, const Timeline& timeline) {
  Bitmap& up = up_[timeline.epoch_of_slot(slot)];
  up.resize(schema::bitmap_bytes(timeline.slots_per_epoch()), 0);
  schema::set_bit(up, timeline.place_of_slot(slot));
}

const Bitmap& Attendance::up(std::uint64_t epoch) const {
  const auto at = up_.find(epoch);
  return at == up_.end() ? kNothing : at->second;
}

std::uint32_t Attendance::up_slots(std::uint64_t epoch) const {
  return count_bits(up(epoch), 0, UINT32_MAX);
}

Bitmap Attendance::up_before(std::uint64_t epoch, std::uint64_t before,
                             const Timeline& timeline) const {
  Bitmap bits = up(epoch);
  const std::uint64_t first = epoch * timeline.slots_per_epoch();
  for (std::uint32_t at = 0; at < bits.size() * 8; ++at)
    if (first + at >= before)
      bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] & ~(1u << (at % 8)));
  return bits;
}

void Attendance::load(std::uint64_t epoch, Bitmap up) { up_[epoch] = std::move(up); }

std::vector<std::uint64_t> Attendance::forget_before(std::uint64_t epoch) {
  std::vector<std::uint64_t> forgotten;
  while (!up_.empty() && up_.begin()->first < epoch) {
    forgotten.push_back(up_.begin()->first);
    up_.erase(up_.begin());
  }
  return forgotten;
}

}  // namespace kith::poa
