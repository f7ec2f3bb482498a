#include "simnet/event_wheel.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <queue>

namespace kith::simnet {
namespace {

Event at(std::int64_t time, std::uint64_t data = 0) {
  Event event;
  event.at = time;
  event.data = data;
  return event;
}

TEST(EventWheel, equal_times_come_in_the_order_of_insertion) {
  EventWheel wheel;
  for (std::uint64_t i = 0; i < 1000; ++i) wheel.push(at(i % 3 == 0 ? 500 : 70'000'000, i));
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < 334; ++i) {
    const Event event = wheel.pop();
    EXPECT_EQ(event.at, 500);
    EXPECT_TRUE(i == 0 || event.data > last);
    last = event.data;
  }
  last = 0;
  while (!wheel.empty()) {
    const std::uint64_t data = wheel.pop().data;
    EXPECT_GT(data, last);
    last = data;
  }
}

TEST(EventWheel, event_added_while_its_time_is_read_comes_after_its_equals) {
  EventWheel wheel;
  wheel.push(at(100, 1));
  wheel.push(at(100, 2));
  EXPECT_EQ(wheel.pop().data, 1u);
  wheel.push(at(100, 3));
  wheel.push(at(90, 4));  // in the past: as soon as possible
  EXPECT_EQ(wheel.pop().data, 2u);
  EXPECT_EQ(wheel.pop().data, 3u);
  const Event raised = wheel.pop();
  EXPECT_EQ(raised.data, 4u);
  EXPECT_EQ(raised.at, 100);
}

TEST(EventWheel, empty_wheel_has_no_next) {
  EventWheel wheel;
  EXPECT_EQ(wheel.next(), std::numeric_limits<std::int64_t>::max());
  wheel.push(at(3'600'000'000'000));
  EXPECT_EQ(wheel.next(), 3'600'000'000'000);
  wheel.pop();
  EXPECT_EQ(wheel.next(), std::numeric_limits<std::int64_t>::max());
}

TEST(EventWheel, looking_far_ahead_does_not_hurry_what_is_added_nearer) {
  EventWheel wheel;
  wheel.push(at(7'200'000'000'000, 2));
  EXPECT_EQ(wheel.next(), 7'200'000'000'000);  // opens the buckets of two hours ahead
  wheel.push(at(5, 1));
  EXPECT_EQ(wheel.next(), 5);
  EXPECT_EQ(wheel.pop().data, 1u);
  wheel.push(at(300'000'000'000, 3));
  EXPECT_EQ(wheel.pop().data, 3u);
  EXPECT_EQ(wheel.pop().data, 2u);
}

// Delays of every level: within a bucket, fine, coarse, far; and on their borders.
std::int64_t draw_delay() {
  const int level = *rc::gen::inRange(0, 7);
  switch (level) {
    case 0:
      return 0;
    case 1:
      return *rc::gen::inRange<std::int64_t>(0, 1 << 14);
    case 2:
      return *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 28);
    case 3:
      return *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 38);
    case 4:
      return *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 42);
    case 5:
      return (std::int64_t{1} << 28) * *rc::gen::inRange(0, 1100);
    default:
      return (std::int64_t{1} << 14) - 1 + *rc::gen::inRange(0, 3);
  }
}

RC_GTEST_PROP(EventWheel, agrees_with_a_naive_priority_queue, ()) {
  using Key = std::pair<std::int64_t, std::uint64_t>;
  EventWheel wheel;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> naive;
  std::uint64_t pushed = 0;
  std::int64_t now = 0;
  const int steps = *rc::gen::inRange(1, 600);
  for (int i = 0; i < steps; ++i) {
    if (naive.empty() || *rc::gen::inRange(0, 5) < 3) {
      const std::int64_t time = now + draw_delay();
      wheel.push(at(time, pushed));
      naive.emplace(time, pushed++);
    } else {
      RC_ASSERT(wheel.next() == naive.top().first);
      const Event event = wheel.pop();
      RC_ASSERT(Key(event.at, event.data) == naive.top());
      now = event.at;
      naive.pop();
    }
  }
  for (; !naive.empty(); naive.pop()) {
    const Event event = wheel.pop();
    RC_ASSERT(Key(event.at, event.data) == naive.top());
  }
  RC_ASSERT(wheel.empty());
}

}  // namespace
}  // namespace kith::simnet
