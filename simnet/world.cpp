#include "simnet/world.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <typeinfo>

#include "net/base/check.hpp"

namespace kith::simnet {

namespace {
constexpr std::int64_t kSecond = 1'000'000'000;
}  // namespace

World::World(std::uint64_t seed) : seed_(seed), root_(seed), hash_(XXH3_createState()) {
  CHECK(hash_ != nullptr);
  XXH3_64bits_reset_withSeed(hash_.get(), seed);
}

std::uint16_t World::add_handler(EventHandler& handler, std::uint64_t own_kinds) {
  CHECK(handlers_.size() < kHandlersMax);
  handlers_.push_back(&handler);
  own_kinds_.push_back(own_kinds);
  return static_cast<std::uint16_t>(handlers_.size() - 1);
}

void World::schedule(Mono at, std::uint16_t handler, NodeIndex node, std::uint16_t kind,
                     std::uint64_t data) {
  Event event;
  event.at = std::max(at.time_since_epoch().count(), time_);
  event.handler = handler;
  event.node = node;
  event.kind = kind;
  event.data = data;
  if (event.at < turns_end_) {
    if (is_own(event)) {
      CHECK(node == turn_of_);  // else a node reached another sooner than `lookahead`
      event.sequence = turn_sequence_++;
      push_to_heap(turn_new_, event);
      return;
    }
    event.at = turns_end_;
  }
  wheel_.push(event);
}

void World::call_at_end(std::uint16_t handler) { ends_pending_ |= std::uint64_t{1} << handler; }

void World::finish_ends() {
  while (ends_pending_ != 0) {
    const auto handler = static_cast<std::size_t>(std::countr_zero(ends_pending_));
    ends_pending_ &= ends_pending_ - 1;
    handlers_[handler]->on_event_end();
  }
}

bool World::step() {
  finish_ends();
  if (wheel_.empty()) return false;
  const Event event = wheel_.pop();
  pass_to(event.at);
  handle(event);
  return true;
}

void World::handle(const Event& event) {
  mix(static_cast<std::uint64_t>(event.at));
  mix(std::uint64_t{event.node} << 32 | std::uint64_t{event.handler} << 16 | event.kind);
  mix(event.data);
  ++events_;
  ++second_events_;
  handlers_[event.handler]->on_event(event);
  finish_ends();
  if (event.at >= observed_from_ && event.at < observed_to_)
    observer_->after_event(event, trace_hash());
}

// The next events, which are before `end`, up to one that is not of a node's own.
void World::take_turns(std::int64_t end) {
  const std::int64_t first = wheel_.next();
  pass_to(first);
  // A second ends for all nodes at the same time.
  turns_end_ = std::min({end, first + lookahead_, (second_ + 1) * kSecond});
  while (const Event* event = wheel_.front_before(turns_end_)) {
    if (!is_own(*event)) {
      turns_end_ = event->at;
      break;
    }
    turns_.add(*event);
    wheel_.drop_front();
  }
  std::int64_t last = first;
  std::span<const Event> left = turns_.arrange();
  for (const Turns::Turn& turn : turns_.turns()) {
    take_turn(left, turn.count);
    last = std::max(last, time_);
    left = left.subspan(turn.count);
  }
  turns_end_ = INT64_MIN;
  time_ = last;
}

// `count` events of one node, and what they add; behind them are those of the next.
void World::take_turn(std::span<const Event> events, std::size_t count) {
  turn_of_ = events.front().node;
  for (std::size_t next = 0; next < count || !turn_new_.empty();) {
    const bool is_new =
        next == count || (!turn_new_.empty() && turn_new_.front().at < events[next].at);
    if (!is_new) prefetch(events.subspan(next));
    const Event event = is_new ? pop_from_heap(turn_new_) : events[next++];
    time_ = event.at;
    handle(event);
  }
}

void World::observe(EventObserver& observer, Mono from, Mono to) {
  observer_ = &observer;
  observed_from_ = from.time_since_epoch().count();
  observed_to_ = to.time_since_epoch().count();
}

std::vector<std::string> World::handler_names() const {
  std::vector<std::string> names;
  for (const EventHandler* handler : handlers_) {
    int status = 0;
    char* text = abi::__cxa_demangle(typeid(*handler).name(), nullptr, nullptr, &status);
    std::string name = text == nullptr ? "?" : text;
    std::free(text);
    names.push_back(name.substr(name.rfind(':') + 1));
  }
  return names;
}

// With ten thousand nodes nearly all that a turn touches has to come from memory.
void World::prefetch(std::span<const Event> soon) {
  for (unsigned stage = 0; stage < kPrefetchStages; ++stage) {
    const std::size_t at = (kPrefetchStages - stage) * kPrefetchAhead;
    if (at < soon.size()) handlers_[soon[at].handler]->prefetch(soon[at], stage);
  }
}

void World::run_for(Duration time) {
  const std::int64_t end = later(now(), time).time_since_epoch().count();
  finish_ends();
  while (wheel_.next() <= end) {
    const bool observed = wheel_.next() >= observed_from_ && wheel_.next() < observed_to_;
    if (lookahead_ > 0 && !observed && is_own(wheel_.front()))
      take_turns(end + 1);
    else
      step();
  }
  pass_to(end);
}

bool World::run_until(const std::function<bool()>& reached, Duration within) {
  const std::int64_t end = later(now(), within).time_since_epoch().count();
  finish_ends();
  while (!reached()) {
    if (wheel_.next() > end) {
      pass_to(end);
      return reached();
    }
    step();
  }
  return true;
}

void World::flush_trace() {
  // The words of a trace are hashed as they lie in memory: little-endian machines only.
  static_assert(std::endian::native == std::endian::little);
  XXH3_64bits_update(hash_.get(), trace_.data(), traced_ * sizeof(std::uint64_t));
  traced_ = 0;
}

std::uint64_t World::trace_hash() {
  flush_trace();
  return XXH3_64bits_digest(hash_.get());
}

void World::pass_to(std::int64_t time) {
  time_ = std::max(time_, time);
  const std::int64_t second = time_ / kSecond;
  if (second == second_) return;
  if (second_events_ != 0 && seconds_.size() < kSecondHashesMax)
    seconds_.push_back({second_, trace_hash()});
  second_ = second;
  second_events_ = 0;
}

}  // namespace kith::simnet
