#include "net/host/connection.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "support.hpp"

namespace kith::host {
namespace {

constexpr std::size_t kMoreThanAFrame = 70'000;  // of Noise

Now at(Duration time) { return {Mono(time), {}}; }

// Two machines and nothing in between: what one gives is what the other gets.
struct Pair {
  explicit Pair(std::uint64_t seed = 1, HostLimits with = {})
      : limits(with),
        rng(seed),
        a_id(crypto::Identity::make(rng)),
        b_id(crypto::Identity::make(rng)),
        a_noise(a_id, rng),
        b_noise(b_id, rng),
        a(at(1s), true, a_noise, limits, rng, b_id.id()),
        b(at(1s), false, b_noise, limits, rng) {}

  // Everything that `from` has to say, as flights; empty when it is silent.
  static Bytes flight(Connection& from, ConnectionEffects& effects) {
    std::vector<std::uint8_t> all;
    for (Bytes next; !(next = from.pull(at(1s), 2 * wire::kYamuxFrameMax, effects)).empty();)
      all.insert(all.end(), next.begin(), next.end());
    return Bytes::adopt(std::move(all));
  }
  // Half round trips until both are silent.
  int settle() {
    int flights = 0;
    for (bool from_a = true;; from_a = !from_a, ++flights) {
      const Bytes data = flight(from_a ? a : b, from_a ? a_effects : b_effects);
      if (data.empty()) return flights;
      (from_a ? b : a).on_bytes(at(1s), data, from_a ? b_effects : a_effects);
    }
  }

  HostLimits limits;
  Rng rng;
  crypto::Identity a_id, b_id;
  wire::NoiseStatic a_noise, b_noise;
  Connection a, b;
  ConnectionEffects a_effects, b_effects;
};

TEST(Connection, both_sides_open_and_know_each_other) {
  Pair pair;
  pair.settle();
  EXPECT_TRUE(pair.a_effects.opened && pair.b_effects.opened);
  EXPECT_FALSE(pair.a_effects.failed || pair.b_effects.failed);
  EXPECT_EQ(pair.a.remote(), pair.b_id.id());
  EXPECT_EQ(pair.b.remote(), pair.a_id.id());
}

TEST(Connection, the_dialler_may_send_streams_with_its_second_flight) {
  Pair pair;
  ConnectionEffects& a = pair.a_effects;
  pair.b.on_bytes(at(1s), Pair::flight(pair.a, a), pair.b_effects);
  EXPECT_FALSE(pair.a.is_open());
  pair.a.on_bytes(at(1s), Pair::flight(pair.b, pair.b_effects), a);
  ASSERT_TRUE(pair.a.is_open());
  const auto stream = pair.a.mux().open(at(1s)).value();
  pair.a.mux().write(at(1s), stream, Bytes::copy("hello"));
  pair.b.on_bytes(at(1s), Pair::flight(pair.a, a), pair.b_effects);
  bool heard = false;
  for (const auto& effect : pair.b_effects.streams)
    if (const auto* data = std::get_if<wire::YamuxData>(&effect))
      heard |= data->data.text() == "hello";
  EXPECT_TRUE(heard);
}

TEST(Connection, handshake_deadline_is_a_total) {
  HostLimits limits;
  limits.handshake_deadline = 10s;
  Pair pair(1, limits);
  const Bytes hello = Pair::flight(pair.a, pair.a_effects);
  EXPECT_EQ(pair.b.next_deadline(), Mono(11s));
  ConnectionEffects effects;
  for (std::size_t i = 0; i + 1 < hello.size(); ++i) {
    const Duration now =
        1s + 9s * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(hello.size());
    pair.b.on_bytes(at(now), hello.slice(i, 1), effects);
  }
  EXPECT_FALSE(effects.failed);
  EXPECT_EQ(pair.b.next_deadline(), Mono(11s));
  pair.b.on_tick(at(11s), 0, effects);
  ASSERT_TRUE(effects.failed);
  EXPECT_EQ(effects.failed->code, Errc::timeout);
  EXPECT_EQ(pair.b.next_deadline(), kNever);
}

TEST(Connection, a_stalled_pipe_fails_and_one_that_moves_does_not) {
  HostLimits limits;
  limits.write_stall = 60s;
  limits.keepalive_interval = Duration::max();
  Pair pair(1, limits);
  pair.settle();
  ConnectionEffects effects;
  pair.a.watch_backlog(at(10s), 50'000);
  EXPECT_EQ(pair.a.next_deadline(), Mono(70s));
  pair.a.on_tick(at(70s - 1ms), 50'000, effects);
  EXPECT_FALSE(effects.failed);
  pair.a.on_tick(at(70s), 49'999, effects);  // one byte went
  EXPECT_FALSE(effects.failed);
  EXPECT_EQ(pair.a.next_deadline(), Mono(130s));
  pair.a.on_tick(at(130s), 49'999, effects);
  ASSERT_TRUE(effects.failed);
  EXPECT_EQ(effects.failed->code, Errc::timeout);
}

RC_GTEST_PROP(Connection, any_cut_of_the_handshake_opens_both, ()) {
  Pair pair(*rc::gen::inRange<std::uint64_t>(1, 1'000));
  for (int turn = 0; turn < 8; ++turn) {
    for (const bool from_a : {true, false}) {
      const Bytes data =
          Pair::flight(from_a ? pair.a : pair.b, from_a ? pair.a_effects : pair.b_effects);
      for (std::size_t i = 0; i < data.size();) {
        const auto take = *rc::gen::inRange<std::size_t>(1, 90);
        (from_a ? pair.b : pair.a)
            .on_bytes(at(1s), data.slice(i, take), from_a ? pair.b_effects : pair.a_effects);
        i += take;
      }
    }
  }
  RC_ASSERT(pair.a.is_open());
  RC_ASSERT(pair.b.is_open());
}

// Somebody in between flips one bit of the handshake: nobody ends up open with the wrong peer, and
// what was flipped is noticed by one side at least.
RC_GTEST_PROP(Connection, a_flipped_bit_never_goes_unnoticed, ()) {
  Pair pair;
  const auto flight_number = *rc::gen::inRange(0, 3);
  const auto position = *rc::gen::inRange<std::size_t>(0, 400);
  const auto bit = *rc::gen::inRange(0, 8);
  bool flipped = false;
  int number = 0;
  for (bool from_a = true; number < 12; from_a = !from_a, ++number) {
    Bytes data = Pair::flight(from_a ? pair.a : pair.b, from_a ? pair.a_effects : pair.b_effects);
    if (number == flight_number && position < data.size()) {
      auto bytes = data.to_vector();
      bytes[position] = static_cast<std::uint8_t>(bytes[position] ^ (1 << bit));
      data = Bytes::adopt(std::move(bytes));
      flipped = true;
    }
    if (!data.empty())
      (from_a ? pair.b : pair.a).on_bytes(at(1s), data, from_a ? pair.b_effects : pair.a_effects);
  }
  RC_PRE(flipped);
  // A length that says more than there is waits for the rest: what comes next is taken for it.
  for (Connection* from : {&pair.a, &pair.b})
    if (from->is_open()) {
      const auto stream = from->mux().open(at(1s)).value();
      from->mux().write(at(1s), stream, Bytes::copy(std::string(kMoreThanAFrame, '.')));
    }
  pair.settle();
  RC_ASSERT(!(pair.a.is_open() && pair.b.is_open()));
  if (pair.a.is_open()) RC_ASSERT(pair.a.remote() == pair.b_id.id());
  if (pair.b.is_open()) RC_ASSERT(pair.b.remote() == pair.a_id.id());
}

}  // namespace
}  // namespace kith::host
