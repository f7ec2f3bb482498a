// Attendance: the slots in which this node itself could see who is there.
//
// Rules
// * A slot counts as up when this node ran through the whole of it and heard at least one peer in
//   it. Who hears nobody cannot tell whether it was cut off or all others were, so it claims
//   neither.
// * A slot is judged kSlackParts of a slot after its end, when the beats that were late for it have
//   come. A node that was stopped or stalled for longer than a slot was away.
// * What is stored lags (`stored_up`): never ahead of the peers' rows, which are stored in turns,
// so
//   that a crash loses this node's slots together with the beats that it heard in them.
//
// Bounds: kEpochsKept bitmaps of at most kSlotsPerEpochMax bits.
#pragma once

#include <array>
#include <map>

#include "services/poa/timeline.hpp"

namespace kith::poa {

inline constexpr std::int64_t kSlackParts = 5;  // of a slot: a fifth

using Bitmap = std::vector<std::uint8_t>;
// Bits set in both, within [from, to).
std::uint32_t count_common(const Bitmap& a, const Bitmap& b, std::uint32_t from, std::uint32_t to);
std::uint32_t count_bits(const Bitmap& bits, std::uint32_t from, std::uint32_t to);

class Attendance {
 public:
  Attendance(Now now, const Timeline& timeline);

  void on_heard(std::uint64_t slot);  // a beat counted for it, or came in it
  // The wall clock stepped ahead: the present slot is not whole.
  void on_step(Now now, const Timeline& timeline);
  // Judges every slot that has ended. True when there was one to judge.
  bool on_time(Now now, const Timeline& timeline);
  Mono next(const Timeline& timeline) const;      // when the next slot can be judged
  std::uint64_t judged() const { return next_; }  // slots below are judged
  std::uint64_t whole_from() const { return whole_from_; }

  // Empty: none.
  const Bitmap& up(std::uint64_t epoch) const;
  std::uint32_t up_slots(std::uint64_t epoch) const;
  // Of slots below `before`.
  Bitmap up_before(std::uint64_t epoch, std::uint64_t before, const Timeline& timeline) const;
  void load(std::uint64_t epoch, Bitmap up);
  std::vector<std::uint64_t> forget_before(std::uint64_t epoch);  // which it forgot

 private:
  void mark(std::uint64_t slot, const Timeline& timeline);
  static Mono due(std::uint64_t slot, const Timeline& timeline);

  std::map<std::uint64_t, Bitmap> up_;
  std::uint64_t next_;        // the first slot that is not judged
  std::uint64_t whole_from_;  // the first one of which we saw the start
  static constexpr std::size_t kRemembered = 4;
  std::array<std::uint64_t, kRemembered> heard_{};  // slots, by their number's last two bits
};

}  // namespace kith::poa
