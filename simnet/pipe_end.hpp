// PipeEnd: one node's side of a simulated byte pipe: what it has to send, what is under way from
// it, and what it has not read yet. Bookkeeping only; SimNet moves it through time.
#pragma once

#include <vector>

#include "net/host/transport.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

// First in, first out, on one vector that keeps its memory.
template <class T>
class Fifo {
 public:
  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  T& front() { return items_[head_]; }
  T& back() { return items_.back(); }
  T& operator[](std::size_t i) { return items_[head_ + i]; }
  void push(T item) { items_.push_back(std::move(item)); }
  T pop() {
    T first = std::move(items_[head_++]);
    if (head_ == items_.size()) {
      clear();
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

// Room in the receiver's window, and when the sender hears of it.
struct Credit {
  Mono at{};
  std::size_t bytes = 0;
};

struct PipeEnd {
  // waiting: the listener has not taken it yet. gone: only its last event, or what is under way
  // from it, is missing.
  enum class State : std::uint8_t { dialing, waiting, open, gone };

  NodeIndex node = 0;
  NodeIndex peer_node = 0;
  host::PipeSlot peer;  // none before the listener answered
  Multiaddr local;
  Multiaddr remote;
  Multiaddr seen;       // dialler: how the other side sees `local`
  bool mapped = false;  // dialler: its translator keeps a mapping for it
  State state = State::dialing;
  bool dial_failed = false;  // how its last event is called
  bool told = false;         // its last event has come
  bool cut = false;          // one of the sides has another address now
  Error why;

  bool close_asked = false;
  bool fin_sent = false;
  bool end_arrived = false;  // the peer's FIN; told after what is unread
  bool end_told = false;
  bool reads_paused = false;
  bool drain_scheduled = false;
  bool above_low = false;  // the backlog was above kPipeBacklogLow since the last on_writable
  bool dirty = false;      // is in SimNet's list of ends to pump
  bool pump_scheduled = false;
  bool starved = false;  // waits for a credit that nobody granted yet

  Fifo<Bytes> queue;  // to send
  std::size_t backlog = 0;
  std::size_t unacknowledged = 0;  // fills the receiver's window
  Fifo<Credit> credits;
  Mono uplink_until{};      // its last segment has left by then
  Mono last_arrival{};      // segments do not overtake each other
  Fifo<Segment> flight;     // under way
  std::size_t arrived = 0;  // of those: in the receiver's downlink
  std::size_t held = 0;     // of those, behind: stopped by a partition
  Mono held_since{};
  bool unheard = false;       // acknowledgements do not come back
  std::size_t ungranted = 0;  // read, and the sender cannot be told
  Fifo<Bytes> unread;         // received while reading was paused

  // The front of the queue as one piece of at most `bytes_max`.
  Bytes take(std::size_t bytes_max);
  void absorb_credits(Mono now);
};

}  // namespace kith::simnet
