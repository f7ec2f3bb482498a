// World: virtual time for any number of nodes in one thread. It owns the clock, the one queue of
// events, the seed and the trace.
//
// Rules
// * The same seed and the same calls give the same events in the same order, on every machine and
//   compiler: equal times are FIFO, randomness comes from rng(), nothing hashed is iterated.
// * Every event enters the trace hash with its time, node, kind and data, and with what its handler
//   mixes in (sizes, digests of contents). Two runs that differ anywhere differ in it;
//   second_hashes says in which simulated second they first do.
// * A handler is a subsystem (loops, pipes), not a node: an event costs one virtual call and no
//   allocation.
// * Turns: where no node reaches another sooner than `lookahead`, run_for handles the events of
//   that long node by node, so that a node's memory comes to the cache once for all of them. Each
//   node meets its own events in their order, and now() is the time of the one that it is at: it
//   only grows for a node, not for the World. Events that may concern several nodes (faults,
//   workloads, pipes) meet all nodes at their own time, as if there were no turns.
#pragma once

#include <xxhash.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/base/rng.hpp"
#include "net/base/time.hpp"
#include "simnet/event_wheel.hpp"
#include "simnet/turns.hpp"

namespace kith::simnet {

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNodesMax = 1u << 20;
// Where virtual time starts on the wall: 2026-01-01T00:00:00Z.
inline constexpr Wall kSimEpoch{Duration(1'767'225'600'000'000'000)};

// A slot as an event's data.
template <class H>
std::uint64_t pack(H slot) {
  return std::uint64_t{slot.generation} << 32 | slot.index;
}
template <class H>
H unpack(std::uint64_t data) {
  return H{static_cast<std::uint32_t>(data), static_cast<std::uint32_t>(data >> 32)};
}

inline constexpr std::size_t kCacheLine = 64;
inline void prefetch_lines(const void* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    __builtin_prefetch(static_cast<const char*>(from) + i * kCacheLine);
}

class EventHandler {
 public:
  virtual void on_event(const Event& event) = 0;
  // What the handler gathered during one event (a node's writes) is done after it.
  virtual void on_event_end() {}
  // The event comes soon: asks the machine for the memory that it will touch, without waiting for
  // it. Called with stage 0, some events later with 1, and so on, so that each stage finds what the
  // one before asked for. Must change nothing, and may be left out.
  virtual void prefetch(const Event&, unsigned /*stage*/) {}

 protected:
  ~EventHandler() = default;
};

// Sees events after they were handled, while it is set (World::observe).
class EventObserver {
 public:
  // trace: the hash of everything up to the end of this event.
  virtual void after_event(const Event& event, std::uint64_t trace) = 0;

 protected:
  ~EventObserver() = default;
};

class World {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::uint64_t seed() const { return seed_; }
  Mono now() const { return Mono(Duration(time_)); }
  // An independent generator; see Rng::fork.
  Rng rng(std::string_view name, std::uint64_t index = 0) const { return root_.fork(name, index); }

  // It outlives the World's last event. `own_kinds`, a bit a kind: events that touch nothing but
  // their node, and what they schedule for others comes `lookahead` later or after.
  std::uint16_t add_handler(EventHandler& handler, std::uint64_t own_kinds = 0);
  // Zero: every event in the order of all (as it is outside of run_for).
  void set_lookahead(Duration time) { lookahead_ = time.count(); }
  void schedule(Mono at, std::uint16_t handler, NodeIndex node, std::uint16_t kind,
                std::uint64_t data);
  // The handler's on_event_end comes after the current event; outside of one, before the next.
  void call_at_end(std::uint16_t handler);

  bool step();  // one event; false: none is left
  void run_for(Duration time);
  // Until `reached` holds, asked before the first event and after each; false: `within` passed.
  bool run_until(const std::function<bool()>& reached, Duration within);

  // The events of [from, to), whole seconds, are shown to `observer`, in the order of all: there
  // are no turns in them. Costs one comparison for each other event.
  void observe(EventObserver& observer, Mono from, Mono to);
  // Of whom an event's `handler` is: the name of its class.
  std::vector<std::string> handler_names() const;

  void mix(std::uint64_t value) {  // into the trace
    trace_[traced_++] = value;
    if (traced_ == trace_.size()) flush_trace();
  }
  std::uint64_t trace_hash();  // of all events so far
  std::uint64_t events() const { return events_; }
  struct SecondHash {
    std::int64_t second = 0;
    std::uint64_t hash = 0;  // of everything up to its end
    friend bool operator==(const SecondHash&, const SecondHash&) = default;
  };
  // One for every finished second that had events; the first kSecondHashesMax of them.
  const std::vector<SecondHash>& second_hashes() const { return seconds_; }

 private:
  bool is_own(const Event& event) const {
    return event.kind < 64 && (own_kinds_[event.handler] >> event.kind & 1) != 0;
  }
  void finish_ends();
  void handle(const Event& event);
  void take_turns(std::int64_t end);
  void take_turn(std::span<const Event> events, std::size_t count);
  void prefetch(std::span<const Event> soon);
  void flush_trace();
  void pass_to(std::int64_t time);

  struct HashDeleter {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::uint64_t seed_;
  Rng root_;
  EventWheel wheel_;
  std::int64_t time_ = 0;
  std::vector<EventHandler*> handlers_;
  std::vector<std::uint64_t> own_kinds_;  // by handler
  std::int64_t lookahead_ = 0;
  Turns turns_;
  std::int64_t turns_end_ = INT64_MIN;  // while there are turns; what comes before is handled in it
  NodeIndex turn_of_ = 0;
  std::vector<Event> turn_new_;  // a heap: what the node whose turn it is added to it
  std::uint64_t turn_sequence_ = 0;
  std::uint64_t ends_pending_ = 0;  // a bit a handler
  std::unique_ptr<XXH3_state_t, HashDeleter> hash_;
  std::array<std::uint64_t, 1024> trace_;  // what is to be hashed next
  std::size_t traced_ = 0;                 // of it
  std::vector<SecondHash> seconds_;
  std::int64_t second_ = 0;
  std::uint64_t second_events_ = 0;
  std::uint64_t events_ = 0;
  EventObserver* observer_ = nullptr;
  std::int64_t observed_from_ = INT64_MAX, observed_to_ = INT64_MAX;
};

inline constexpr unsigned kPrefetchStages = 4;
inline constexpr std::size_t kPrefetchAhead = 2;  // events from one stage to the next
inline constexpr std::size_t kHandlersMax = 64;
inline constexpr std::size_t kSecondHashesMax = 1u << 20;

}  // namespace kith::simnet
