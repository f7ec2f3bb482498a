#include "net/base/loop.hpp"

#include "net/base/check.hpp"
#include "net/base/planted.hpp"

namespace kith {

bool AlarmHeap::before(const Alarm& a, const Alarm& b) const {
  return a.at_ != b.at_ ? a.at_ < b.at_ : a.order_ < b.order_;
}

void AlarmHeap::place(std::size_t at, Alarm* alarm) {
  heap_[at] = alarm;
  alarm->place_ = static_cast<std::uint32_t>(at);
}

void AlarmHeap::sift_up(std::size_t at) {
  Alarm* moving = heap_[at];
  while (at > 0) {
    const std::size_t parent = (at - 1) / 4;
    if (!before(*moving, *heap_[parent])) break;
    place(at, heap_[parent]);
    at = parent;
  }
  place(at, moving);
}

void AlarmHeap::sift_down(std::size_t at) {
  Alarm* moving = heap_[at];
  for (;;) {
    std::size_t best = 4 * at + 1;
    if (best >= heap_.size()) break;
    for (std::size_t child = best + 1; child < 4 * at + 5 && child < heap_.size(); ++child)
      if (before(*heap_[child], *heap_[best])) best = child;
    if (!before(*heap_[best], *moving)) break;
    place(at, heap_[best]);
    at = best;
  }
  place(at, moving);
}

void AlarmHeap::remove(Alarm& alarm) {
  const std::size_t at = alarm.place_;
  CHECK(at < heap_.size() && heap_[at] == &alarm);
  alarm.place_ = UINT32_MAX;
  Alarm* last = heap_.back();
  heap_.pop_back();
  if (last == &alarm) return;
  place(at, last);
  sift_up(at);
  sift_down(last->place_);
}

void AlarmHeap::arm(Alarm& alarm, Mono at) {
  if (alarm.place_ != UINT32_MAX) {
    if (alarm.at_ == at) return;
    if (planted(Planted::alarm_lost) && at < alarm.at_) return remove(alarm);
    remove(alarm);
  }
  alarm.at_ = at;
  if (at == kNever) return;
  alarm.order_ = orders_++;
  heap_.push_back(&alarm);
  alarm.place_ = static_cast<std::uint32_t>(heap_.size() - 1);
  sift_up(heap_.size() - 1);
}

bool AlarmHeap::fire_due(Now now) {
  if (heap_.empty() || heap_.front()->at_ > now.mono) return false;
  Alarm* due = heap_.front();
  remove(*due);
  due->on_alarm(now);
  return true;
}

}  // namespace kith
