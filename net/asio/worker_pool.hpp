// WorkerPool: a few threads and a bounded queue for jobs that would hold up the loop.
//
// Rules: threads start at the first job. submit() refuses when kPoolQueueMax jobs wait, or after
// close(). A job is a `work` and a `done`; `done` is handed to the Finished function on the pool
// thread when `work` has returned. close() runs what is queued to its end and joins.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "net/base/loop.hpp"

namespace kith::net {

class WorkerPool {
 public:
  using Finished = std::function<void(Loop::Task done)>;
  WorkerPool(std::size_t threads_max, std::size_t queue_max, Finished finished);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False: refused, and both tasks are left as they were.
  bool submit(Loop::Task& work, Loop::Task& done);
  void close();

 private:
  struct Job {
    Loop::Task work;
    Loop::Task done;
  };
  void run();

  const std::size_t threads_max_;
  const std::size_t queue_max_;
  const Finished finished_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool closed_ = false;
};

}  // namespace kith::net
