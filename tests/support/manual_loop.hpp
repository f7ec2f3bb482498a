// ManualLoop: a Loop for tests of one part alone. Time moves when the test says so; offloaded work
// runs inline.
#pragma once

#include <deque>

#include "net/base/loop.hpp"

namespace kith::test {

class ManualLoop final : public Loop {
 public:
  Now now() const override { return now_; }
  void post(Task task) override { tasks_.push_back(std::move(task)); }
  void arm(Alarm& alarm, Mono at) override { alarms_.arm(alarm, at); }
  void offload(PoolClass, Task work, Task done) override {
    work();
    post(std::move(done));
  }
  // Runs tasks and due alarms until nothing is left to do now.
  void settle() {
    for (;;) {
      if (!tasks_.empty()) {
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
      } else if (!alarms_.fire_due(now_)) {
        return;
      }
    }
  }
  // Jumps from alarm to alarm until `time` has passed.
  void advance(Duration time) {
    const Mono end = now_.mono + time;
    settle();
    while (alarms_.next() <= end) {
      step_to(alarms_.next());
      settle();
    }
    step_to(end);
    settle();
  }

 private:
  void step_to(Mono at) {
    if (at <= now_.mono) return;
    now_.wall += at - now_.mono;
    now_.mono = at;
  }
  Now now_{Mono(1s), Wall(std::chrono::seconds(1'800'000'000))};
  std::deque<Task> tasks_;
  AlarmHeap alarms_;
};

}  // namespace kith::test
