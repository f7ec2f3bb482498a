#include "net/asio/worker_pool.hpp"

#include <pthread.h>
#include <signal.h>

namespace kith::net {

namespace {
// Signals belong to the loop's thread: a pool thread inherits a full mask.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};
}  // namespace

WorkerPool::WorkerPool(std::size_t threads_max, std::size_t queue_max, Finished finished)
    : threads_max_(threads_max), queue_max_(queue_max), finished_(std::move(finished)) {}

WorkerPool::~WorkerPool() { close(); }

bool WorkerPool::submit(Loop::Task& work, Loop::Task& done) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || queue_.size() >= queue_max_) return false;
    queue_.push_back({std::move(work), std::move(done)});
    if (idle_ < queue_.size() && threads_.size() < threads_max_) {
      const SignalsBlocked blocked;
      threads_.emplace_back([this] { run(); });
    }
  }
  wake_.notify_one();
  return true;
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [&] { return closed_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job.work();
    job.work = nullptr;  // what it holds goes here, not on the loop
    finished_(std::move(job.done));
    lock.lock();
  }
}

void WorkerPool::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace kith::net
