#include "dht/upkeep.hpp"

#include <algorithm>
#include <span>

namespace kith::dht {

void Upkeep::on_first_peer(Mono now) { next_round_ = later(now, kFirstRound); }

void Upkeep::on_lookup(Mono now, const Key& target) {
  const int bucket = common_prefix(self_, target);
  if (bucket < kRefreshDepth) fresh_[static_cast<std::size_t>(bucket)] = now;
}

Duration Upkeep::jittered(Duration interval) {
  const auto fifth = static_cast<std::uint64_t>(interval.count() / 5);
  return interval - interval / 10 + Duration(static_cast<std::int64_t>(rng_.below(fifth)));
}

std::optional<Upkeep::Refresh> Upkeep::next(Mono now, std::uint32_t wanting, bool small) {
  if (under_way_) return std::nullopt;
  if (now >= next_round_) {
    const Duration wait = small ? std::min(interval_, kSmallTableInterval) : interval_;
    next_round_ = later(now, jittered(wait));
    if (interval_ == kYoungInterval || interval_ >= kSmallTableInterval) {
      // What was looked up in the last round, at least half of this interval ago, is due again.
      fresh_since_ = now - wait / 4;
      bucket_ = 0;
      next_step_ = now;
    }
    interval_ = std::min(2 * interval_, kRefreshInterval);
    under_way_ = true;
    return Refresh{};
  }
  if (now < next_step_) return std::nullopt;
  while (bucket_ < kRefreshDepth) {
    const int bucket = bucket_++;
    const std::optional<Mono>& last = fresh_[static_cast<std::size_t>(bucket)];
    if ((wanting >> bucket & 1) == 0 || (last && *last > fresh_since_)) continue;
    next_step_ = later(now, kWalkPace);
    under_way_ = true;
    return Refresh{random_key_in(bucket)};
  }
  return std::nullopt;
}

Mono Upkeep::next_deadline() const {
  if (under_way_) return kNever;
  return bucket_ < kRefreshDepth ? std::min(next_step_, next_round_) : next_round_;
}

std::array<std::uint8_t, 34> Upkeep::random_key_in(int bucket) {
  std::array<std::uint8_t, 34> raw{0x12, 0x20};  // the shape of a peer id
  do {
    rng_.fill(std::span(raw).subspan(2));
  } while (common_prefix(self_, Key::of(raw)) != bucket);
  return raw;
}

}  // namespace kith::dht
