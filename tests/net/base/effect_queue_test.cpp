#include "net/base/effect_queue.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "simnet/sim_loop.hpp"

namespace kith {
namespace {

struct EffectQueueTest : testing::Test {
  EffectQueueTest() : loops(world), loop(loops, 0) { queue.emplace(loop, perform(), rest()); }
  std::function<void(int&)> perform() {
    return [this](int& effect) {
      done.push_back(effect);
      if (effect == 1) {
        queue->out().push_back(10);  // the core was told, and asks for more
        queue->carry_out();          // as an event that comes from within would
        queue->carry_out_later();
      }
    };
  }
  std::function<void()> rest() {
    return [this] { ++rests; };
  }

  simnet::World world{1};
  simnet::SimLoops loops;
  simnet::SimLoop loop;
  std::vector<int> done;
  int rests = 0;
  std::optional<EffectQueue<int>> queue;
};

TEST_F(EffectQueueTest,
       what_performing_adds_comes_behind_the_rest_and_nothing_runs_inside_another) {
  queue->out() = {1, 2, 3};
  queue->carry_out();
  EXPECT_EQ(done, (std::vector{1, 2, 3, 10}));
  EXPECT_EQ(rests, 1);
}

TEST_F(EffectQueueTest, what_is_for_later_comes_once_and_after_the_call) {
  queue->out().push_back(2);
  queue->carry_out_later();
  queue->out().push_back(3);
  queue->carry_out_later();
  EXPECT_TRUE(done.empty());
  world.run_for(1ms);
  EXPECT_EQ(done, (std::vector{2, 3}));
  EXPECT_EQ(world.events(), 1u) << "one task for both";
}

TEST_F(EffectQueueTest, nothing_to_do_later_posts_nothing_but_arms) {
  queue->carry_out_later();
  world.run_for(1ms);
  EXPECT_EQ(world.events(), 0u);
  EXPECT_EQ(rests, 1);
}

TEST_F(EffectQueueTest, what_was_for_later_is_dropped_with_the_queue) {
  const std::shared_ptr<const bool> alive = queue->alive();
  queue->out().push_back(2);
  queue->carry_out_later();
  queue.reset();
  EXPECT_FALSE(*alive);
  world.run_for(1ms);
  EXPECT_TRUE(done.empty());
}

}  // namespace
}  // namespace kith
