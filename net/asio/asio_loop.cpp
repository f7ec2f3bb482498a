#include "net/asio/asio_loop.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <optional>

#include "net/asio/worker_pool.hpp"
#include "net/base/check.hpp"

namespace kith::net {

namespace {

Duration read_clock(clockid_t clock) {
  timespec at{};
  CHECK(clock_gettime(clock, &at) == 0);
  return std::chrono::seconds(at.tv_sec) + Duration(at.tv_nsec);
}

Now read_clocks() {
  return Now{Mono(read_clock(CLOCK_MONOTONIC)), Wall(read_clock(CLOCK_REALTIME))};
}

}  // namespace

class AsioLoop::Impl {
 public:
  Impl() : work_(context_.get_executor()), timer_(context_) {
    const auto finished = [this](Task done) { post(std::move(done)); };
    pools_[0].emplace(kSignatureThreads, kPoolQueueMax, finished);
    pools_[1].emplace(kStorageThreads, kPoolQueueMax, finished);
    pools_[2].emplace(kHashingThreads, kPoolQueueMax, finished);
  }

  ~Impl() {
    for (auto& pool : pools_) pool->close();
  }

  const Now& now() {
    if (!now_read_) {
      now_ = read_clocks();
      now_read_ = true;
    }
    return now_;
  }

  void post(Task task) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      wake = asleep_ && !waking_;
      if (wake) waking_ = true;
    }
    if (wake) boost::asio::post(context_, [] {});
  }

  void offload(PoolClass kind, Task work, Task done) {
    WorkerPool& pool = *pools_.at(static_cast<std::size_t>(kind));
    if (pool.submit(work, done)) return;
    work();
    post(std::move(done));
  }

  void stop() {
    stopping_.store(true, std::memory_order_release);
    post([] {});
  }

  bool stopping() const { return stopping_.load(std::memory_order_acquire); }

  void turn() {
    run_handlers();
    run_tasks();
    fire_alarms();
    end_turn();
    now_read_ = false;  // nothing between turns, the sleep above all, sees this turn's time
  }

  AlarmHeap alarms;
  std::vector<TurnEnd*> ends;
  boost::asio::io_context context_{1};

 private:
  // Sleeps only when nothing is posted, written or due.
  void run_handlers() {
    if (may_sleep()) {
      arm_timer();
      context_.run_one();
    }
    {
      const std::lock_guard lock(mutex_);
      asleep_ = false;
      waking_ = false;
    }
    for (std::size_t i = 1; i < kTurnHandlersMax && context_.poll_one() != 0; ++i) {
    }
  }

  bool may_sleep() {
    const std::lock_guard lock(mutex_);
    asleep_ = tasks_.empty() && running_.empty() && ends.empty() && !alarm_due_;
    return asleep_;
  }

  void run_tasks() {
    std::size_t ran = 0;
    while (ran < kTurnTasksMax) {
      if (next_ == running_.size()) {
        running_.clear();
        next_ = 0;
        const std::lock_guard lock(mutex_);
        if (tasks_.empty()) return;
        running_.swap(tasks_);
      }
      Task task = std::move(running_[next_++]);
      task();
      ++ran;
    }
    if (next_ == running_.size()) {
      running_.clear();
      next_ = 0;
    }
  }

  // Those that are due now; an alarm that arms itself again for the past waits for the next turn.
  void fire_alarms() {
    std::size_t due_max = alarms.size();
    while (due_max > 0 && alarms.fire_due(now())) --due_max;
    alarm_due_ = alarms.size() != 0 && alarms.next() <= now().mono;
  }

  void end_turn() {
    while (!ends.empty()) {
      TurnEnd* who = ends.back();
      ends.pop_back();
      AsioLoop::set_waiting(*who, false);
      who->on_turn_end();
    }
  }

  // Leaves a timer that is set for earlier alone: waking once too often is cheaper than setting
  // the timer anew for each alarm that moves.
  void arm_timer() {
    const Mono next = alarms.next();
    if (next >= timer_at_) return;
    timer_at_ = next;
    timer_.expires_at(std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::nanoseconds>(next.time_since_epoch())));
    timer_.async_wait([this, next](const boost::system::error_code&) {
      if (timer_at_ == next) timer_at_ = kNever;
    });
  }

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  Mono timer_at_ = kNever;
  bool alarm_due_ = false;
  Now now_;
  bool now_read_ = false;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::vector<Task> tasks_;  // guarded by mutex_, as the two flags
  bool asleep_ = false;
  bool waking_ = false;
  std::vector<Task> running_;
  std::size_t next_ = 0;
  std::array<std::optional<WorkerPool>, 3> pools_;
};

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {}
AsioLoop::~AsioLoop() = default;

Now AsioLoop::now() const { return impl_->now(); }
void AsioLoop::post(Task task) { impl_->post(std::move(task)); }
void AsioLoop::arm(Alarm& alarm, Mono at) { impl_->alarms.arm(alarm, at); }
void AsioLoop::offload(PoolClass kind, Task work, Task done) {
  impl_->offload(kind, std::move(work), std::move(done));
}

void AsioLoop::run() {
  while (!impl_->stopping()) impl_->turn();
}

void AsioLoop::stop() { impl_->stop(); }

bool AsioLoop::run_until(const std::function<bool()>& reached, Duration within) {
  struct Deadline final : Alarm {
    bool passed = false;
    void on_alarm(Now) override { passed = true; }
  } deadline;
  arm(deadline, later(read_clocks().mono, within));
  bool done = reached();
  while (!done && !deadline.passed && !impl_->stopping()) {
    impl_->turn();
    done = reached();
  }
  arm(deadline, kNever);
  return done;
}

void AsioLoop::set_waiting(TurnEnd& who, bool waiting) { who.waiting_ = waiting; }

void AsioLoop::at_turn_end(TurnEnd& who) {
  if (who.waiting_) return;
  who.waiting_ = true;
  impl_->ends.push_back(&who);
}

void AsioLoop::withdraw(TurnEnd& who) {
  if (!who.waiting_) return;
  who.waiting_ = false;
  std::erase(impl_->ends, &who);
}

boost::asio::io_context& AsioLoop::context() { return impl_->context_; }

}  // namespace kith::net
