#include "simnet/sim_loop.hpp"

#include <gtest/gtest.h>

#include "simnet/cluster.hpp"

namespace kith::simnet {
namespace {

struct NotingAlarm final : Alarm {
  std::vector<Duration> fired;
  std::function<void(Now)> then;
  void on_alarm(Now now) override {
    fired.push_back(now.mono.time_since_epoch());
    if (then) then(now);
  }
};

class SimLoopTest : public ::testing::Test {
 protected:
  Mono at(Duration time) const { return Mono(time); }
  World world{1};
  SimLoops loops{world};
  SimLoop loop{loops, 0};
};

TEST_F(SimLoopTest, tasks_run_fifo_at_the_same_virtual_time) {
  std::vector<int> order;
  loop.post([&] {
    order.push_back(1);
    loop.post([&] { order.push_back(3); });
  });
  loop.post([&] { order.push_back(2); });
  EXPECT_TRUE(order.empty());
  world.run_for(0ns);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(world.now(), Mono{});
}

TEST_F(SimLoopTest, alarm_fires_at_exactly_its_time) {
  NotingAlarm alarm;
  loop.arm(alarm, at(1500ms));
  world.run_for(10s);
  EXPECT_EQ(alarm.fired, (std::vector<Duration>{1500ms}));
  EXPECT_EQ(world.now(), at(10s));
}

TEST_F(SimLoopTest, moved_alarms_fire_at_their_new_times_only) {
  NotingAlarm early, late, off;
  loop.arm(early, at(10s));
  loop.arm(late, at(1s));
  loop.arm(off, at(2s));
  loop.arm(early, at(3s));
  loop.arm(late, at(20s));
  loop.arm(off, kNever);
  world.run_for(1min);
  EXPECT_EQ(early.fired, (std::vector<Duration>{3s}));
  EXPECT_EQ(late.fired, (std::vector<Duration>{20s}));
  EXPECT_TRUE(off.fired.empty());
}

TEST_F(SimLoopTest, ticking_alarm_keeps_one_event_in_the_world) {
  NotingAlarm tick;
  tick.then = [&](Now now) { loop.arm(tick, now.mono + 1s); };
  loop.arm(tick, at(1s));
  const std::uint64_t before = world.events();
  world.run_for(1000s);
  EXPECT_EQ(tick.fired.size(), 1000u);
  EXPECT_EQ(world.events() - before, 1000u);
  loop.arm(tick, kNever);
}

TEST_F(SimLoopTest, offloaded_jobs_of_a_class_queue_behind_each_other) {
  std::vector<std::pair<char, Duration>> done;
  const auto note = [&](char name) {
    return [&, name] { done.emplace_back(name, world.now().time_since_epoch()); };
  };
  bool worked = false;
  loop.offload(
      PoolClass::storage, [&] { worked = true; }, note('a'));
  EXPECT_TRUE(worked);
  EXPECT_TRUE(done.empty());
  loop.offload(
      PoolClass::storage, [] {}, note('b'));
  loop.offload(
      PoolClass::signatures, [] {}, note('s'));
  world.run_for(1s);
  const OffloadCosts costs;
  const std::vector<std::pair<char, Duration>> expected{
      {'s', costs.signatures}, {'a', costs.storage}, {'b', 2 * costs.storage}};
  EXPECT_EQ(done, expected);
}

TEST_F(SimLoopTest, wall_clock_is_the_worlds_plus_the_nodes_offset) {
  world.run_for(90s);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 90s);
  loop.set_wall_offset(-30s);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 60s);
  EXPECT_EQ(loop.now().mono, at(90s));
}

TEST_F(SimLoopTest, wall_clock_drifts_and_timers_do_not) {
  NotingAlarm alarm;
  loop.arm(alarm, at(2h));
  loop.set_wall_offset(5s);
  loop.set_wall_drift_ppm(100);
  world.run_for(1h);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 1h + 5s + 360ms);
  EXPECT_EQ(loop.now().mono, at(1h));
  loop.set_wall_drift_ppm(-50);  // what it gained stays
  world.run_for(1h);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 2h + 5s + 360ms - 180ms);
  EXPECT_EQ(alarm.fired, (std::vector<Duration>{2h}));
  loop.set_wall_offset(0s);  // set right; goes on to lose
  EXPECT_EQ(loop.now().wall, kSimEpoch + 2h);
  world.run_for(1h);
  EXPECT_EQ(loop.now().wall, kSimEpoch + 3h - 180ms);
}

TEST_F(SimLoopTest, years_of_drift_do_not_overflow) {
  world.run_for(24h * 365);
  loop.set_wall_drift_ppm(-1'000);
  world.run_for(24h * 3650);
  EXPECT_EQ(loop.wall_offset(), -Duration(24h * 3650) / 1'000);
}

TEST_F(SimLoopTest, paused_loop_does_everything_late_and_in_order) {
  std::vector<std::pair<std::string, Duration>> done;
  const auto note = [&](const char* name) {
    return [&, name] { done.emplace_back(name, world.now().time_since_epoch()); };
  };
  NotingAlarm early, later, after;
  early.then = [&](Now) { note("early")(); };
  later.then = [&](Now) { note("later")(); };
  after.then = [&](Now) { note("after")(); };
  loop.arm(later, at(3s));
  loop.arm(early, at(2s));
  loop.arm(after, at(20s));
  loop.offload(
      PoolClass::storage, [] {}, note("done"));
  loop.pause(at(10s));
  loop.pause(at(5s));  // not sooner
  loop.post(note("task"));
  world.run_for(1min);
  const std::vector<std::pair<std::string, Duration>> expected{
      {"task", 10s}, {"done", 10s}, {"early", 10s}, {"later", 10s}, {"after", 20s}};
  EXPECT_EQ(done, expected);
}

TEST_F(SimLoopTest, alarm_that_was_moved_while_the_loop_stood_still_fires_once) {
  NotingAlarm alarm;
  loop.arm(alarm, at(2s));
  loop.pause(at(10s));
  world.run_for(5s);
  loop.arm(alarm, at(7s));
  world.run_for(1min);
  EXPECT_EQ(alarm.fired, (std::vector<Duration>{10s}));
}

TEST(MachineClock, wrong_clock_outlives_the_process) {
  Cluster cluster({.nodes = 1, .seed = 1, .link = {}, .net = {}, .costs = {}});
  cluster.loop(0).set_wall_offset(1min);
  cluster.loop(0).set_wall_drift_ppm(1'000);
  cluster.run_for(1000s);
  cluster.crash(0);
  cluster.run_for(1000s);
  cluster.restart(0);
  EXPECT_EQ(cluster.loop(0).now().wall, kSimEpoch + 2000s + 1min + 2s);
}

TEST_F(SimLoopTest, destroyed_loop_takes_its_events_with_it) {
  int ran = 0;
  NotingAlarm alarm;
  {
    SimLoop brief(loops, 1);
    brief.post([&] { ++ran; });
    brief.offload(
        PoolClass::hashing, [] {}, [&] { ++ran; });
    brief.arm(alarm, at(1s));
    brief.arm(alarm, kNever);
  }
  SimLoop successor(loops, 1);
  world.run_for(10s);
  EXPECT_EQ(ran, 0);
}

}  // namespace
}  // namespace kith::simnet
