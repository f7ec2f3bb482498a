#include "simnet/sim_loop.hpp"

#include "net/base/check.hpp"

namespace kith::simnet {

namespace {
constexpr std::uint64_t kAllKinds = ~std::uint64_t{0};
}  // namespace

SimLoops::SimLoops(World& world) : world_(world), handler_(world.add_handler(*this, kAllKinds)) {}

void SimLoops::on_event(const Event& event) {
  SimLoop** loop = loops_.find(unpack<LoopSlot>(event.data));
  if (loop == nullptr) return;
  if ((*loop)->paused_until_ > world_.now())
    return (*loop)->put_off(event.kind, Mono(Duration(event.at)));
  (*loop)->on_event(event.kind, Mono(Duration(event.at)));
}

SimLoop::SimLoop(SimLoops& loops, NodeIndex node, OffloadCosts costs)
    : loops_(loops), node_(node), costs_(costs), slot_(loops.loops_.insert(this)) {}

SimLoop::~SimLoop() { loops_.loops_.erase(slot_); }

Now SimLoop::now() const {
  const Mono mono = loops_.world_.now();
  return Now{mono, kSimEpoch + mono.time_since_epoch() + wall_offset()};
}

Duration SimLoop::drifted() const {
  if (wall_.drift_ppm == 0) return Duration{};
  const std::int64_t passed = (loops_.world_.now() - wall_.drift_since) / 1us;
  return Duration(passed * wall_.drift_ppm / 1'000);
}

void SimLoop::set_wall_offset(Duration offset) {
  wall_.offset = offset;
  wall_.drift_since = loops_.world_.now();
}

void SimLoop::set_wall_drift_ppm(std::int32_t ppm) {
  CHECK(ppm >= -500'000 && ppm <= 500'000);
  set_wall_offset(wall_offset());
  wall_.drift_ppm = ppm;
}

void SimLoop::schedule(Mono at, std::uint16_t kind) {
  loops_.world_.schedule(at, loops_.handler_, node_, kind, pack(slot_));
}

void SimLoop::post(Task task) {
  tasks_.push_back(std::move(task));
  if (tasks_scheduled_) return;
  tasks_scheduled_ = true;
  schedule(loops_.world_.now(), kTasks);
}

void SimLoop::arm(Alarm& alarm, Mono at) {
  alarms_.arm(alarm, at);
  if (!firing_) schedule_alarm();
}

void SimLoop::schedule_alarm() {
  // What should have been done already is done now.
  const Mono next = std::max(alarms_.next(), loops_.world_.now());
  if (next >= armed_) return;
  armed_ = next;
  schedule(armed_, kAlarms);
}

void SimLoop::offload(PoolClass kind, Task work, Task done) {
  work();
  const auto index = static_cast<std::size_t>(kind);
  const std::array<Duration, kClasses> costs{costs_.signatures, costs_.storage, costs_.hashing};
  Pool& pool = pools_.at(index);
  pool.free_at = std::max(pool.free_at, loops_.world_.now()) + costs[index];
  pool.done.push_back(std::move(done));
  schedule(pool.free_at, static_cast<std::uint16_t>(kDoneFirst + index));
}

void SimLoop::put_off(std::uint16_t kind, Mono at) {
  if (kind == kAlarms && at != armed_) return;  // stale
  if (kind == kAlarms) armed_ = paused_until_;
  schedule(paused_until_, kind);
}

void SimLoop::on_event(std::uint16_t kind, Mono at) {
  if (kind == kTasks) {
    run_tasks();
  } else if (kind == kAlarms) {
    // An alarm that was moved to earlier left its old event behind.
    if (at == armed_) fire_alarms();
  } else {
    std::deque<Task>& done = pools_.at(kind - kDoneFirst).done;
    const Task task = std::move(done.front());
    done.pop_front();
    task();
  }
}

void SimLoop::run_tasks() {
  tasks_scheduled_ = false;
  running_.swap(tasks_);
  for (Task& task : running_) task();
  running_.clear();
}

// Those that are due; one that arms itself again for now comes as an event of its own.
void SimLoop::fire_alarms() {
  armed_ = kNever;
  firing_ = true;
  for (std::size_t due_max = alarms_.size(); due_max > 0 && alarms_.fire_due(now());) --due_max;
  firing_ = false;
  schedule_alarm();
}

}  // namespace kith::simnet
