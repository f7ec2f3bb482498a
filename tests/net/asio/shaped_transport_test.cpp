// ShapedTransport keeps the rules of Transport, with and without delay, and is as slow as it says.
#include "tests/support/shaped_transport.hpp"

#include "net/asio/asio_transport.hpp"
#include "tests/support/transport_suite.hpp"

namespace kith::net {
namespace {

struct ShapedPair {
  explicit ShapedPair(test::Shape shape)
      : first(first_below, loop, shape), second(second_below, loop, shape) {}
  AsioLoop loop;
  AsioTransport first_below{loop};
  AsioTransport second_below{loop};
  test::ShapedTransport first;
  test::ShapedTransport second;
  host::Transport& a() { return first; }
  host::Transport& b() { return second; }
  bool run_until(const std::function<bool()>& reached, Duration within) {
    return loop.run_until(reached, within);
  }
  static Multiaddr listen_on() { return *Multiaddr::parse("/ip4/127.0.0.1/tcp/0"); }
  static Multiaddr nobody_listens() { return *Multiaddr::parse("/ip4/127.0.0.1/tcp/1"); }
};

struct NearPair : ShapedPair {
  NearPair() : ShapedPair(test::Shape{}) {}
};
struct FarPair : ShapedPair {
  FarPair() : ShapedPair({10ms, 100'000'000, 1u << 20, 64u << 10}) {}
};

// Two ends of one pipe of a given shape.
class ShapedTransportTest : public ::testing::Test {
 protected:
  void connect(test::Shape shape) {
    pair.emplace(shape);
    pair->a().set_sink(sink_a);
    pair->b().set_sink(sink_b);
    ASSERT_TRUE(pair->b().listen(ShapedPair::listen_on()));
    started = now();
    near = pair->a().dial(pair->b().listen_addrs().at(0));
    ASSERT_TRUE(pair->run_until([&] { return !sink_b.accepted.empty(); }, 5s));
    accepted = now();
    ASSERT_TRUE(pair->run_until([&] { return sink_a.pipes[near].dialed; }, 5s));
    dialed = now();
    far = sink_b.accepted[0];
  }
  Mono now() { return pair->loop.now().mono; }
  // From now until b has all of it.
  Duration time_to_send(std::size_t bytes) {
    const Mono begun = now();
    pair->a().write(near, Bytes::copy(test::pattern(bytes)));
    EXPECT_TRUE(pair->run_until([&] { return sink_b.pipes[far].received.size() == bytes; }, 20s));
    return now() - begun;
  }
  std::optional<ShapedPair> pair;
  test::RecordingSink sink_a, sink_b;
  host::PipeSlot near, far;
  Mono started{}, accepted{}, dialed{};
};

TEST_F(ShapedTransportTest, dial_reaches_the_listener_after_one_latency_and_returns_after_two) {
  connect({.latency = 40ms});
  EXPECT_GE(accepted - started, 40ms);
  EXPECT_GE(dialed - started, 80ms);
}

TEST_F(ShapedTransportTest, bytes_ends_and_resets_take_one_latency) {
  connect({.latency = 40ms});
  EXPECT_GE(time_to_send(100), 40ms);
  Mono begun = now();
  pair->a().close(near);
  ASSERT_TRUE(pair->run_until([&] { return sink_b.pipes[far].ended; }, 5s));
  EXPECT_GE(now() - begun, 40ms);
  begun = now();
  pair->b().abort(far);
  ASSERT_TRUE(pair->run_until([&] { return sink_b.pipes[far].closed; }, 5s));
  EXPECT_FALSE(sink_a.pipes[near].closed);
  ASSERT_TRUE(pair->run_until([&] { return sink_a.pipes[near].closed; }, 5s));
  EXPECT_GE(now() - begun, 40ms);
}

TEST_F(ShapedTransportTest, uplink_takes_its_time) {
  connect({.up_bytes_per_second = 10'000'000});
  EXPECT_GE(time_to_send(2'000'000), 200ms);
}

TEST_F(ShapedTransportTest, uplink_is_shared_by_all_pipes_and_no_pipe_waits_for_all_of_another) {
  connect({.up_bytes_per_second = 10'000'000, .window = 8u << 20});
  const host::PipeSlot other = pair->a().dial(pair->b().listen_addrs().at(0));
  ASSERT_TRUE(pair->run_until([&] { return sink_a.pipes[other].dialed; }, 5s));
  const Mono begun = now();
  pair->a().write(near, Bytes::copy(test::pattern(2'000'000)));
  pair->a().write(other, Bytes::copy(test::pattern(200'000)));
  ASSERT_TRUE(pair->run_until(
      [&] {
        return sink_b.accepted.size() == 2 &&
               sink_b.pipes[sink_b.accepted[1]].received.size() == 200'000;
      },
      5s));
  EXPECT_LT(sink_b.pipes[far].received.size(), 1'000'000u);
  ASSERT_TRUE(pair->run_until([&] { return sink_b.pipes[far].received.size() == 2'000'000; }, 5s));
  EXPECT_GE(now() - begun, 220ms);
}

TEST_F(ShapedTransportTest, one_window_moves_in_each_round_trip) {
  connect({.latency = 10ms, .window = 100'000});
  // Ten windows: nine round trips, and one way for the last.
  EXPECT_GE(time_to_send(1'000'000), 9 * 20ms + 10ms);
}

TEST_F(ShapedTransportTest, resets_drop_what_is_under_way) {
  connect({.latency = 40ms});
  pair->a().write(near, Bytes::copy("late"));
  pair->run_until([] { return false; }, 5ms);
  pair->a().abort(near);
  ASSERT_TRUE(pair->run_until([&] { return sink_b.pipes[far].closed; }, 5s));
  EXPECT_EQ(sink_b.pipes[far].received, "");
}

}  // namespace
}  // namespace kith::net

namespace kith::test {
using ShapedNear = net::NearPair;
using ShapedFar = net::FarPair;
INSTANTIATE_TYPED_TEST_SUITE_P(ShapedNear, TransportSuite, ShapedNear);
INSTANTIATE_TYPED_TEST_SUITE_P(ShapedFar, TransportSuite, ShapedFar);
}  // namespace kith::test
