// SimLoop: the Loop of one simulated node. SimLoops is the handler of all of them.
//
// Rules: post() runs at the same virtual time, FIFO, as an event of its own. One event of the World
// is armed for the earliest alarm, whatever the number of alarms. offload() runs `work` at once and
// `done` when the class's pool would be through with it: jobs of a class queue behind each other
// and each costs OffloadCosts. The wall clock is the World's plus an offset and a drift of the
// node's own; the other clock is the World's. A SimLoop that is destroyed takes its tasks and
// alarms with it: what was scheduled for it is stale.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "net/base/loop.hpp"
#include "net/base/slots.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

// Virtual time that a job occupies its pool.
struct OffloadCosts {
  Duration signatures = 50us;
  Duration storage = 100us;
  Duration hashing = 500us;
};

// How a machine's wall clock is wrong; it outlives the process.
struct WallError {
  Duration offset{};
  std::int32_t drift_ppm = 0;
  Mono drift_since{};
};

class SimLoop;

class SimLoops final : public EventHandler {
 public:
  explicit SimLoops(World& world);
  World& world() { return world_; }
  void on_event(const Event& event) override;

 private:
  friend class SimLoop;
  struct LoopTag;
  using LoopSlot = Handle<LoopTag>;
  World& world_;
  std::uint16_t handler_;
  Slots<LoopSlot, SimLoop*> loops_;
};

class SimLoop final : public Loop {
 public:
  SimLoop(SimLoops& loops, NodeIndex node, OffloadCosts costs = {});
  ~SimLoop() override;
  SimLoop(const SimLoop&) = delete;
  SimLoop& operator=(const SimLoop&) = delete;

  Now now() const override;
  void post(Task task) override;
  void arm(Alarm& alarm, Mono at) override;
  void offload(PoolClass kind, Task work, Task done) override;

  NodeIndex node() const { return node_; }
  // From now on the wall clock is so far from the World's ...
  void set_wall_offset(Duration offset);
  Duration wall_offset() const { return wall_.offset + drifted(); }
  // ... and gains so much, or loses. Timers do not: they run on the other one. |ppm| <= 500,000.
  void set_wall_drift_ppm(std::int32_t ppm);
  const WallError& wall_error() const { return wall_; }
  void set_wall_error(const WallError& error) { wall_ = error; }
  // Nothing runs before: tasks, alarms and what pools finished come late, in their order.
  void pause(Mono until) { paused_until_ = std::max(paused_until_, until); }

 private:
  friend class SimLoops;
  enum Kind : std::uint16_t { kTasks, kAlarms, kDoneFirst };  // kDoneFirst + PoolClass
  static constexpr std::size_t kClasses = 3;
  void on_event(std::uint16_t kind, Mono at);
  void put_off(std::uint16_t kind, Mono at);
  void schedule(Mono at, std::uint16_t kind);
  void schedule_alarm();
  Duration drifted() const;

  void run_tasks();
  void fire_alarms();

  SimLoops& loops_;
  NodeIndex node_;
  OffloadCosts costs_;
  SimLoops::LoopSlot slot_;
  WallError wall_;
  Mono paused_until_{};
  AlarmHeap alarms_;
  Mono armed_ = kNever;  // when the event comes that fires them
  bool firing_ = false;
  std::vector<Task> tasks_;
  std::vector<Task> running_;
  bool tasks_scheduled_ = false;
  struct Pool {
    Mono free_at{};
    std::deque<Task> done;  // of the jobs that occupy it, in order
  };
  std::array<Pool, kClasses> pools_;
};

}  // namespace kith::simnet
