// Rng: the one source of randomness, a ChaCha20 stream from a 32-byte seed. Seeded by the operating
// system in the daemon (so a peer that sees its outputs cannot predict the next), by the run's seed
// in a simulation.
//
// Rules: a core gets its Rng at construction; `fork` gives an independent one (per node, per link,
// per core), so that a draw more in one place does not shift all others. One draw a statement: C++
// does not fix the order of evaluation inside one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kith {

class Rng {
 public:
  using Seed = std::array<std::uint8_t, 32>;
  using result_type = std::uint64_t;

  explicit Rng(const Seed& seed) : seed_(seed) {}
  explicit Rng(std::uint64_t seed);  // for tests and simulations
  static Rng from_system();          // getrandom(2)

  std::uint64_t next();
  std::uint64_t operator()() { return next(); }
  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return UINT64_MAX; }
  std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound); bound > 0
  bool chance(std::uint32_t parts_per_million) { return below(1'000'000) < parts_per_million; }
  void fill(std::span<std::uint8_t> to);
  // An independent generator, named so that the order of forks does not matter.
  Rng fork(std::string_view name, std::uint64_t index = 0) const;

  // Fisher-Yates, the same on every standard library.
  template <class Range>
  void shuffle(Range& range) {
    for (std::size_t i = range.size(); i > 1; --i) {
      const std::uint64_t j = below(i);
      using std::swap;
      swap(range[i - 1], range[static_cast<std::size_t>(j)]);
    }
  }

 private:
  void refill();

  Seed seed_;
  std::uint64_t block_ = 0;
  std::array<std::uint8_t, 64> buffer_{};  // one block: a node has some twenty of these
  std::size_t used_ = 64;
};

}  // namespace kith
