// Loop: the thread that a node lives on, as attachments and WireHost see it; over sockets an Asio
// io_context, in the simulator an event queue in virtual time. One loop, one thread: nothing below
// needs a lock.
//
// Rules: a task or alarm runs alone, to its end. Nothing here calls back before it returns. Alarms
// are one-shot; arming again replaces, kNever disarms; an alarm fires at or after its time, never
// before. `offload` runs `work` on a pool thread (the simulator runs it at once and charges virtual
// time) and then `done` on the loop, also when the node is stopping: `done` must own or check what
// it touches.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "net/base/time.hpp"

namespace kith {

class Alarm {
 public:
  virtual void on_alarm(Now now) = 0;

 protected:
  ~Alarm() = default;

 private:
  friend class AlarmHeap;
  std::uint32_t place_ = UINT32_MAX;  // index in the heap
  Mono at_ = kNever;
  std::uint64_t order_ = 0;  // equal times fire in the order in which they were armed
};

// The node's one heap of deadlines; both kinds of Loop hold one and wake at next().
class AlarmHeap {
 public:
  void arm(Alarm& alarm, Mono at);  // kNever: removes
  Mono next() const { return heap_.empty() ? kNever : heap_.front()->at_; }
  // Fires the earliest alarm if it is due; false when none is. Call until false.
  bool fire_due(Now now);
  std::size_t size() const { return heap_.size(); }

 private:
  bool before(const Alarm& a, const Alarm& b) const;
  void place(std::size_t at, Alarm* alarm);
  void sift_up(std::size_t at);
  void sift_down(std::size_t at);
  void remove(Alarm& alarm);

  std::vector<Alarm*> heap_;
  std::uint64_t orders_ = 0;
};

enum class PoolClass : std::uint8_t { signatures, storage, hashing };

class Loop {
 public:
  using Task = std::function<void()>;
  virtual ~Loop() = default;

  virtual Now now() const = 0;                  // of the current turn
  virtual void post(Task task) = 0;             // from any thread; FIFO, after the current event
  virtual void arm(Alarm& alarm, Mono at) = 0;  // an Alarm must be disarmed before it is destroyed
  virtual void offload(PoolClass kind, Task work, Task done) = 0;
};

}  // namespace kith
