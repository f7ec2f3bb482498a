#include "dht/upkeep.hpp"

#include <algorithm>
#include <span>

namespace kith::dht {

void Upkeep::on_first_peer(Mono now) { next_round_ = later(now, kFirstRound); }

void Upkeep::on_lookup(Mono now, const Key& target) {
  const int bucket = common_prefix(self_, target);
  if (bucket < kRefreshDepth) fresh_[static_cast<std::size_t>(bucket)] = now;
}

Duration Upkeep::interval(bool small) {
  const Duration base = small ? kSmallTableInterval : kRefreshInterval;
  const auto fifth = static_cast<std::uint64_t>(base.count() / 5);
  return base - base / 10 + Duration(static_cast<std::int64_t>(rng_.below(fifth)));
}

std::optional<Upkeep::Refresh> Upkeep::next(Mono now, int deepest, bool small) {
  if (under_way_) return std::nullopt;
  if (now >= next_round_) {
    next_round_ = later(now, interval(small));
    bucket_ = 0;
    last_bucket_ = std::min(deepest, kRefreshDepth - 1);
    under_way_ = true;
    return Refresh{};
  }
  // Half an interval: what was looked up in the last round has just become due again.
  const Duration stale = (small ? kSmallTableInterval : kRefreshInterval) / 2;
  while (bucket_ <= last_bucket_) {
    const int bucket = bucket_++;
    const std::optional<Mono>& last = fresh_[static_cast<std::size_t>(bucket)];
    if (last && now - *last < stale) continue;
    under_way_ = true;
    return Refresh{random_key_in(bucket)};
  }
  return std::nullopt;
}

Mono Upkeep::next_deadline() const {
  if (under_way_) return kNever;
  return bucket_ <= last_bucket_ ? Mono{} : next_round_;
}

std::array<std::uint8_t, 34> Upkeep::random_key_in(int bucket) {
  std::array<std::uint8_t, 34> raw{0x12, 0x20};  // the shape of a peer id
  do {
    rng_.fill(std::span(raw).subspan(2));
  } while (common_prefix(self_, Key::of(raw)) != bucket);
  return raw;
}

}  // namespace kith::dht
