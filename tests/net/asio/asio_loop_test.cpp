#include "net/asio/asio_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace kith::net {
namespace {

struct CountingAlarm final : Alarm {
  int fired = 0;
  Mono at{};
  std::function<void()> then;
  void on_alarm(Now now) override {
    ++fired;
    at = now.mono;
    if (then) then();
  }
};

TEST(AsioLoop, tasks_run_in_the_order_of_post_and_not_inside_it) {
  AsioLoop loop;
  std::vector<int> order;
  loop.post([&] {
    loop.post([&] { order.push_back(3); });
    order.push_back(1);
  });
  loop.post([&] { order.push_back(2); });
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(loop.run_until([&] { return order.size() == 3; }, 1s));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(AsioLoop, task_posted_by_another_thread_wakes_a_sleeping_loop) {
  AsioLoop loop;
  std::atomic<int> ran{0};
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      std::this_thread::sleep_for(1ms);
      loop.post([&] { ++ran; });
    }
  });
  EXPECT_TRUE(loop.run_until([&] { return ran == 100; }, 5s));
  other.join();
}

TEST(AsioLoop, tasks_of_one_thread_keep_their_order_among_many_threads) {
  AsioLoop loop;
  std::array<std::vector<int>, 4> seen;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < seen.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5000; ++i) loop.post([&seen, t, i] { seen[t].push_back(i); });
    });
  const auto all = [&] {
    return std::all_of(seen.begin(), seen.end(), [](auto& s) { return s.size() == 5000; });
  };
  EXPECT_TRUE(loop.run_until(all, 10s));
  for (std::thread& thread : threads) thread.join();
  for (const auto& one : seen) EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
}

TEST(AsioLoop, flood_of_tasks_does_not_starve_alarms) {
  AsioLoop loop;
  CountingAlarm alarm;
  bool stop = false;
  std::function<void()> again = [&] {
    if (!stop) loop.post(again);
  };
  loop.post(again);
  loop.arm(alarm, loop.now().mono + 10ms);
  EXPECT_TRUE(loop.run_until([&] { return alarm.fired == 1; }, 5s));
  stop = true;
  loop.run_until([] { return false; }, 1ms);
}

TEST(AsioLoop, alarm_fires_once_and_not_before_its_time) {
  AsioLoop loop;
  CountingAlarm alarm;
  const Mono due = loop.now().mono + 20ms;
  loop.arm(alarm, due);
  EXPECT_TRUE(loop.run_until([&] { return alarm.fired != 0; }, 1s));
  EXPECT_GE(alarm.at, due);
  loop.run_until([] { return false; }, 30ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST(AsioLoop, alarm_moves_to_earlier_and_to_later_and_off) {
  AsioLoop loop;
  CountingAlarm early, late, off;
  const Mono start = loop.now().mono;
  loop.arm(late, start + 500ms);
  loop.arm(early, start + 10s);
  loop.arm(off, start + 500ms);
  loop.run_until([] { return false; }, 1ms);  // the timer is set
  loop.arm(late, start + 1s);
  loop.arm(early, start + 20ms);
  loop.arm(off, kNever);
  EXPECT_TRUE(loop.run_until([&] { return early.fired == 1; }, 10s));
  EXPECT_TRUE(loop.run_until([&] { return late.fired == 1; }, 10s));
  EXPECT_GE(late.at, start + 1s);
  EXPECT_LE(early.at, late.at);
  EXPECT_EQ(off.fired, 0);
}

TEST(AsioLoop, alarm_that_arms_itself_for_now_lets_others_run) {
  AsioLoop loop;
  CountingAlarm greedy;
  greedy.then = [&] { loop.arm(greedy, loop.now().mono); };
  loop.arm(greedy, loop.now().mono);
  bool ran = false;
  loop.post([&] { loop.post([&] { ran = true; }); });
  EXPECT_TRUE(loop.run_until([&] { return ran; }, 1s));
  loop.arm(greedy, kNever);
}

TEST(AsioLoop, both_clocks_stand_still_within_a_turn_and_move_between_turns) {
  AsioLoop loop;
  Now first, second, later_turn;
  loop.post([&] {
    first = loop.now();
    std::this_thread::sleep_for(5ms);
    second = loop.now();
  });
  loop.run_until([&] { return second.mono != Mono{}; }, 1s);
  loop.post([&] { later_turn = loop.now(); });
  loop.run_until([&] { return later_turn.mono != Mono{}; }, 1s);
  EXPECT_EQ(first.mono, second.mono);
  EXPECT_EQ(first.wall, second.wall);
  EXPECT_GE(later_turn.mono - first.mono, 5ms);
  EXPECT_GE(later_turn.wall - first.wall, 4ms);
}

TEST(AsioLoop, offloaded_work_runs_elsewhere_and_done_on_the_loop) {
  AsioLoop loop;
  for (const PoolClass kind : {PoolClass::signatures, PoolClass::storage, PoolClass::hashing}) {
    std::thread::id worker, finisher;
    loop.offload(
        kind, [&] { worker = std::this_thread::get_id(); },
        [&] { finisher = std::this_thread::get_id(); });
    EXPECT_TRUE(loop.run_until([&] { return finisher != std::thread::id(); }, 1s));
    EXPECT_NE(worker, std::this_thread::get_id());
    EXPECT_EQ(finisher, std::this_thread::get_id());
  }
}

TEST(AsioLoop, class_with_one_thread_finishes_jobs_in_order) {
  AsioLoop loop;
  std::vector<int> done;
  for (int i = 0; i < 500; ++i)
    loop.offload(
        PoolClass::signatures, [] {}, [&done, i] { done.push_back(i); });
  EXPECT_TRUE(loop.run_until([&] { return done.size() == 500; }, 5s));
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST(AsioLoop, full_pool_makes_the_caller_do_the_work_and_loses_none) {
  AsioLoop loop;
  std::atomic<bool> open{false};
  std::atomic<std::size_t> here{0};
  std::size_t done = 0;
  const auto self = std::this_thread::get_id();
  const auto finish = [&] { ++done; };
  loop.offload(
      PoolClass::hashing,
      [&] {
        while (!open) std::this_thread::yield();
      },
      finish);
  const std::size_t jobs = kPoolQueueMax + 10;
  for (std::size_t i = 0; i < jobs; ++i)
    loop.offload(
        PoolClass::hashing,
        [&] {
          if (std::this_thread::get_id() == self) ++here;
        },
        finish);
  EXPECT_GE(here, 9u);
  open = true;
  EXPECT_TRUE(loop.run_until([&] { return done == jobs + 1; }, 5s));
}

TEST(AsioLoop, queued_work_finishes_when_the_loop_goes_and_late_dones_are_dropped) {
  std::atomic<int> worked{0};
  int done = 0;
  auto owned = std::make_shared<int>(1);
  {
    AsioLoop loop;
    for (int i = 0; i < 50; ++i)
      loop.offload(
          PoolClass::storage,
          [&] {
            std::this_thread::sleep_for(1ms);
            ++worked;
          },
          [&done, owned] { ++done; });
  }
  EXPECT_EQ(worked, 50);
  EXPECT_EQ(done, 0);
  EXPECT_EQ(owned.use_count(), 1) << "a dropped task leaks what it holds";
}

TEST(AsioLoop, stop_from_another_thread_ends_run) {
  AsioLoop loop;
  std::thread other([&] {
    std::this_thread::sleep_for(10ms);
    loop.stop();
  });
  loop.run();
  other.join();
  EXPECT_FALSE(loop.run_until([] { return false; }, 10s)) << "stop is sticky";
}

TEST(AsioLoop, turn_end_comes_once_after_the_tasks_of_the_turn) {
  AsioLoop loop;
  struct End final : TurnEnd {
    std::vector<int>* order = nullptr;
    void on_turn_end() override { order->push_back(9); }
  } end;
  std::vector<int> order;
  end.order = &order;
  for (int i = 0; i < 3; ++i)
    loop.post([&, i] {
      order.push_back(i);
      loop.at_turn_end(end);
    });
  loop.run_until([&] { return order.size() == 4; }, 1s);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 9}));
  loop.at_turn_end(end);
  loop.withdraw(end);
  loop.run_until([] { return false; }, 5ms);
  EXPECT_EQ(order.size(), 4u);
}

}  // namespace
}  // namespace kith::net
