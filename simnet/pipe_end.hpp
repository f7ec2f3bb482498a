// PipeEnd: one node's side of a simulated byte pipe: what it has to send, what is under way from
// it, and what it has not read yet. Bookkeeping only; SimNet moves it through time.
#pragma once

#include <optional>
#include <vector>

#include "net/host/transport.hpp"
#include "simnet/link.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

// First in, first out, on one vector; keeps its memory.
template <class T>
class Fifo {
 public:
  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  T& front() { return items_[head_]; }
  T& operator[](std::size_t i) { return items_[head_ + i]; }
  T& back() { return items_.back(); }
  void push(T item) { items_.push_back(std::move(item)); }
  T pop() {
    T first = std::move(items_[head_++]);
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    } else if (head_ >= 64 && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return first;
  }
  void clear() {
    items_.clear();
    head_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t head_ = 0;
};

struct Segment {
  Bytes data;
  bool fin = false;
};

// Room in the receiver's window that the sender hears of at a time.
struct Credit {
  Mono at{};
  std::size_t bytes = 0;
};

struct PipeEnd {
  enum class State : std::uint8_t { dialing, waiting, open, gone };  // waiting: to be accepted

  NodeIndex node = 0;
  host::PipeSlot peer;
  Multiaddr local;
  Multiaddr remote;
  State state = State::dialing;
  bool reads_paused = false;
  bool above_low = false;  // the backlog was above kPipeBacklogLow since the last on_writable
  bool dirty = false;      // is in SimNet's list of ends to pump
  bool pump_scheduled = false;
  bool close_asked = false;
  bool fin_sent = false;
  bool end_arrived = false;  // the peer's FIN is here; told after what is unread
  bool end_told = false;
  bool drain_scheduled = false;

  // To send.
  Fifo<Bytes> queue;
  std::size_t backlog = 0;
  std::size_t unacknowledged = 0;  // of the receiver's window
  Fifo<Credit> credits;
  Mono uplink_until{};      // its last segment has left by then
  Mono last_arrival{};      // segments do not overtake each other
  Fifo<Segment> flight;     // sent and not delivered
  std::size_t arrived = 0;  // of flight: in the receiver's downlink
  std::size_t held = 0;     // of flight: arrived, were it not for a partition
  Mono held_since{};
  // Received and not read, because reading is paused.
  Fifo<Bytes> unread;
  Error why;  // of the on_closed that is under way

  // Takes up to `bytes_max` from the queue as one slice.
  Bytes take(std::size_t bytes_max);
  void absorb_credits(Mono now);
};

}  // namespace kith::simnet
