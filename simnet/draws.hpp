// Draws: what chance does on the paths of a simulated network. One for each frame: so it is
// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014), eight
// bytes and a few instructions, where Rng has a block of ChaCha20 and two divisions. Nodes, which
// may have to keep what they draw to themselves, have Rngs.
#pragma once

#include <cstdint>

#include "net/base/rng.hpp"

namespace kith::simnet {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  explicit Draws(Rng rng) : state_(rng.next()) {}

  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
  }
  // In [0, bound), bound > 0; what is drawn more often than others is so by bound / 2^64.
  std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Wide>(next()) * bound >> 64);
  }
  bool chance(std::uint32_t parts_per_million) { return below(1'000'000) < parts_per_million; }

 private:
  std::uint64_t state_;
};

}  // namespace kith::simnet
