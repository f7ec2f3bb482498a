// AsioLoop: the Loop of a daemon, over one boost::asio::io_context and one thread.
//
// A turn is: up to kTurnHandlersMax ready handlers, then the posted tasks, then the alarms that are
// due, then the turn's end, where what was written in the turn goes to the kernel (see TurnEnd).
//
// Rules
// * Everything but post() and stop() belongs to the thread that calls run().
// * now() is read at most once a turn: both clocks agree for all that happens in it. A turn is
// short,
//   so an alarm is late by a turn at most.
// * post() is FIFO. A wake-up of the thread costs a system call and is paid only when the loop may
//   be asleep and none is under way.
// * offload() has one small pool a class, started at the first use. A pool's queue holds at most
//   kPoolQueueMax jobs; above that the caller runs the job itself, so that the loop feels the load
//   instead of losing work or growing.
// * The end: stop() makes run() return after the current turn. The destructor lets jobs that were
//   queued finish, joins the pools, and drops the `done`s that came too late, unrun, on the
//   destroying thread.
#pragma once

#include <functional>
#include <memory>

#include "net/base/loop.hpp"

namespace boost::asio {
class io_context;
}

namespace kith::net {

inline constexpr std::size_t kTurnHandlersMax = 32;  // beyond it latency suffers more than syscalls
inline constexpr std::size_t kTurnTasksMax = 1024;   // what is left waits for the next turn
inline constexpr std::size_t kPoolQueueMax = 1024;   // jobs waiting, each class
inline constexpr std::size_t kSignatureThreads = 1;
inline constexpr std::size_t kStorageThreads = 2;
inline constexpr std::size_t kHashingThreads = 1;

// What batches its work over a turn (the transport's writes, a WebSocket's frames).
class TurnEnd {
 public:
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEnd() = default;

 private:
  friend class AsioLoop;
  bool waiting_ = false;
};

class AsioLoop final : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  Now now() const override;
  void post(Task task) override;
  void arm(Alarm& alarm, Mono at) override;
  void offload(PoolClass kind, Task work, Task done) override;

  void run();   // until stop()
  void stop();  // from any thread, not from a signal handler; sticky
  // Runs turns until `reached` holds, asked after each turn; false: `within` passed, or stop().
  bool run_until(const std::function<bool()>& reached, Duration within);

  // on_turn_end comes once, at the end of this turn. Withdraw before it is destroyed.
  void at_turn_end(TurnEnd& who);
  void withdraw(TurnEnd& who);

  // For the folders that may see Asio: handlers of their own run inside the turns of this loop.
  boost::asio::io_context& context();

 private:
  class Impl;
  static void set_waiting(TurnEnd& who, bool waiting);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::net
