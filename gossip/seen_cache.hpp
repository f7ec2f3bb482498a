// SeenCache: the ids of messages that were seen, by keyed hash (64 bits of SipHash under this
// router's secret), for at least kSeenLifetime.
//
// Rules
// * Two generations: what comes is added to the younger; when the younger is kSeenLifetime old it
//   becomes the older, whose ids are forgotten. So an id is known for one to two lifetimes.
// * A full generation is closed early. To make us forget within the lifetime a flooder has to get
//   kSeenPerGenerationMax messages past their signatures (12 s of CPU for them).
// * Eight bytes an id, no allocation while empty: ten thousand simulated nodes hold one each.
//
// Why hashes alone: two ids that fall together lose one message; nobody can aim for it without
// the secret, and by chance it takes 2^32 messages within two lifetimes.
#pragma once

#include <cstdint>
#include <vector>

#include "gossip/config.hpp"

namespace kith::gossip {

// A set of 64-bit hashes by open addressing.
class HashSet {
 public:
  bool has(std::uint64_t hash) const;
  void prefetch(std::uint64_t hash) const {
    if (!cells_.empty()) __builtin_prefetch(&cells_[hash & (cells_.size() - 1)]);
  }
  bool add(std::uint64_t hash);  // false: was there
  std::size_t size() const { return size_; }
  void clear();  // gives the memory back

 private:
  std::size_t place_of(std::uint64_t hash) const;
  void grow();
  std::vector<std::uint64_t> cells_;  // 0: free
  std::size_t size_ = 0;
};

class SeenCache {
 public:
  explicit SeenCache(std::size_t per_generation_max = kSeenPerGenerationMax)
      : per_generation_max_(per_generation_max) {}

  bool has(std::uint64_t key) const { return young_.has(key) || old_.has(key); }
  // `key` is asked for soon.
  void prefetch(std::uint64_t key) const { young_.prefetch(key), old_.prefetch(key); }
  bool add(Mono now, std::uint64_t key);  // false: was there
  void expire(Mono now);
  std::size_t size() const { return young_.size() + old_.size(); }

 private:
  void turn(Mono now);
  std::size_t per_generation_max_;
  HashSet young_;
  HashSet old_;
  Mono turned_{};  // when the younger generation began
};

}  // namespace kith::gossip
