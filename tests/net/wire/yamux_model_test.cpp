#include <gtest/gtest.h>

#include "net/base/rng.hpp"
#include "tests/net/wire/yamux_model.hpp"

namespace kith::wire {
namespace {

using namespace testing;

class RandomChoices final : public Choices {
 public:
  explicit RandomChoices(std::uint64_t seed) : rng_(seed) {}
  std::uint32_t below(std::uint32_t bound) override {
    return static_cast<std::uint32_t>(rng_.below(bound));
  }

 private:
  Rng rng_;
};

std::uint64_t run(std::uint64_t seed, YamuxConfig dialler, YamuxConfig listener, int steps) {
  RandomChoices choices(seed);
  TwoEnds ends(dialler, listener);
  for (int i = 0; i < steps; ++i) ends.step(choices);
  ends.finish();
  return ends.bytes_delivered();
}

TEST(YamuxModel, random_commands_and_cuts_deliver_every_byte_once_and_leave_nothing) {
  std::uint64_t delivered = 0;
  YamuxConfig fixed = quiet(false);
  fixed.stream_window_max = kYamuxWindowInitial;  // then credit must equal what was released
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    try {
      delivered += run(seed, quiet(true), fixed, 600);
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ": " << error.what();
    }
  }
  EXPECT_GT(delivered, 100u << 20) << "the runs moved too little to prove anything";
}

TEST(YamuxModel, the_same_holds_with_pings_few_streams_and_a_small_receive_pool) {
  YamuxConfig dialler;
  dialler.dialler = true;
  dialler.streams_max = 8;
  dialler.receive_pool_max = 2 * kYamuxWindowInitial;
  YamuxConfig listener;
  listener.stream_window_max = 4 * kYamuxWindowInitial;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    try {
      run(seed, dialler, listener, 600);
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace kith::wire
