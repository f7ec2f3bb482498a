#include "gossip/seen_cache.hpp"

namespace kith::gossip {
namespace {

constexpr std::size_t kFirstCells = 16;
// 0 marks a free cell. The one hash in 2^64 that is 0 shares a place with 1.
std::uint64_t stored(std::uint64_t hash) { return hash == 0 ? 1 : hash; }

}  // namespace

// The cell that holds `hash`, or the free one where it would go. Needs a free cell.
std::size_t HashSet::place_of(std::uint64_t hash) const {
  const std::size_t mask = cells_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash) & mask;
  while (cells_[at] != 0 && cells_[at] != hash) at = (at + 1) & mask;
  return at;
}

bool HashSet::has(std::uint64_t hash) const {
  return !cells_.empty() && cells_[place_of(stored(hash))] != 0;
}

bool HashSet::add(std::uint64_t hash) {
  if ((size_ + 1) * 4 > cells_.size() * 3) grow();
  std::uint64_t& cell = cells_[place_of(stored(hash))];
  if (cell != 0) return false;
  cell = stored(hash);
  ++size_;
  return true;
}

void HashSet::clear() {
  cells_ = {};
  size_ = 0;
}

void HashSet::grow() {
  const std::vector<std::uint64_t> before = std::move(cells_);
  cells_.assign(before.empty() ? kFirstCells : before.size() * 2, 0);
  for (const std::uint64_t hash : before)
    if (hash != 0) cells_[place_of(hash)] = hash;
}

bool SeenCache::add(Mono now, std::uint64_t key) {
  expire(now);
  if (has(key)) return false;
  if (young_.size() >= per_generation_max_) turn(now);
  if (size() == 0) turned_ = now;
  return young_.add(key);
}

// Turns when it was due, not when it is asked: late calls do not lengthen a lifetime.
void SeenCache::expire(Mono now) {
  for (int turns = 0; turns < 2 && size() > 0 && now - turned_ >= kSeenLifetime; ++turns)
    turn(turned_ + kSeenLifetime);
}

void SeenCache::turn(Mono now) {
  old_ = std::move(young_);
  young_.clear();
  turned_ = now;
}

}  // namespace kith::gossip
