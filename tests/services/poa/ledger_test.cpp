// What a beat counts for, who has a place, and what is stored of it.
#include "services/poa/ledger.hpp"

#include <rapidcheck/gtest.h>

#include <set>

#include "tests/services/poa/poa_test_support.hpp"

namespace kith::poa {
namespace {

using test::beat_at;
using test::peer_id;

class LedgerTest : public testing::Test {
 protected:
  Heard hear(std::uint32_t peer, std::uint64_t sequence) {
    return ledger_.on_beat(now_, timeline_, peer_id(peer), beat_at(now_, sequence, timing_)).heard;
  }
  void step(Duration time) {
    now_.mono += time;
    now_.wall += time;
  }
  std::uint32_t total(std::uint32_t peer) {
    const Ledger::Peer* found = ledger_.find(peer_id(peer));
    return found == nullptr ? 0 : found->total;
  }

  Timing timing_;
  Now now_ = test::start_of_day();
  Timeline timeline_{now_, timing_, 0};
  Rng rng_{1};
  Ledger ledger_{rng_};
};

TEST_F(LedgerTest, a_beat_each_slot_counts_each) {
  step(5s);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    EXPECT_EQ(hear(1, i), Heard::counted);
    step(10s);
  }
  EXPECT_EQ(total(1), 100u);
}

TEST_F(LedgerTest, beats_twice_as_fast_gain_nothing) {
  step(2s);
  for (std::uint64_t i = 1; i <= 200; ++i) {
    hear(1, i);
    step(5s);
  }
  EXPECT_LE(total(1), 101u);
}

TEST_F(LedgerTest, beats_within_half_an_interval_are_early_and_then_flooding) {
  step(5s);
  EXPECT_EQ(hear(1, 1), Heard::counted);
  step(1s);
  EXPECT_EQ(hear(1, 2), Heard::early);
  EXPECT_EQ(hear(1, 3), Heard::early);
  EXPECT_EQ(hear(1, 4), Heard::flooding);
  EXPECT_EQ(total(1), 1u);
}

TEST_F(LedgerTest, a_number_again_is_repeated_and_a_lower_one_replayed) {
  step(5s);
  EXPECT_EQ(hear(1, 7), Heard::counted);
  step(10s);
  EXPECT_EQ(hear(1, 7), Heard::repeated);
  EXPECT_EQ(hear(1, 6), Heard::replayed);
  EXPECT_EQ(hear(1, 8), Heard::counted);
  EXPECT_EQ(total(1), 2u);
}

TEST_F(LedgerTest, beats_at_the_border_of_slots_count_each_whatever_their_jitter) {
  Rng jitter(5);
  const Now start = now_;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const auto late = static_cast<std::int64_t>(jitter.below(1'000'000'000));
    now_ = start;
    step(10s * static_cast<std::int64_t>(i) + Duration(late) - 500ms);
    hear(1, i);
  }
  EXPECT_GE(total(1), 999u);
}

TEST_F(LedgerTest, newcomers_push_out_silent_newcomers_and_never_who_has_a_record) {
  step(5s);
  std::uint64_t sequence = 1;
  for (std::uint32_t i = 0; i < kEstablished; ++i) {
    EXPECT_EQ(hear(1, sequence++), Heard::counted);
    step(10s);
  }
  for (std::uint32_t i = 0; i < kNewcomersMax; ++i) EXPECT_EQ(hear(100 + i, 1), Heard::counted);
  EXPECT_EQ(hear(9'999'999, 1), Heard::stranger) << "all of them were heard just now";
  step(10s * kSilence);
  hear(100, 2);
  for (std::uint32_t i = 0; i < 3 * kNewcomersMax; ++i) {
    hear(1'000'000 + i, 1);
    if (i % 500 == 0) step(10s * kSilence);
  }
  EXPECT_EQ(total(1), kEstablished) << "an hour ago, and still there";
  EXPECT_LE(ledger_.size(), kNewcomersMax + 1);
}

TEST_F(LedgerTest, what_was_evicted_is_erased_with_its_rows) {
  step(5s);
  for (std::uint32_t i = 0; i < kNewcomersMax; ++i) hear(100 + i, 1);
  step(10s * kSilence);
  EXPECT_EQ(hear(1, 1), Heard::counted);
  std::vector<Ledger::Erased> erased;
  ledger_.take_evicted(erased);
  ASSERT_EQ(erased.size(), 2u);
  EXPECT_EQ(erased[0].epoch, std::uint64_t{test::kDay});
  EXPECT_EQ(erased[1].epoch, std::nullopt);
  EXPECT_EQ(erased[0].peer, erased[1].peer);
}

TEST(Values, are_rounded_shares_of_the_slots_that_the_observer_was_up) {
  EXPECT_EQ(value_of(0, 0), 0);
  EXPECT_EQ(value_of(0, 8640), 0);
  EXPECT_EQ(value_of(8640, 8640), 255);
  EXPECT_EQ(value_of(4320, 8640), 128);  // 127.5
  EXPECT_EQ(value_of(9000, 8640), 255);
  EXPECT_EQ(share_of(1, 0), kNoView);
  EXPECT_EQ(share_of(1, 3), 33);
}

TEST(Values, parts_cover_every_slot_once) {
  for (const std::uint32_t slots : {1u, 6u, 47u, 48u, 49u, 8640u, schema::kSlotsPerEpochMax}) {
    std::uint32_t next = 0;
    for (std::uint32_t part = 0; part < parts_of(slots); ++part) {
      const auto [from, to] = part_range(part, slots);
      EXPECT_EQ(from, next);
      EXPECT_GT(to, from);
      next = to;
    }
    EXPECT_EQ(next, slots);
  }
}

RC_GTEST_PROP(Bits, common_bits_are_counted_as_one_by_one, ()) {
  const auto a = *rc::gen::arbitrary<Bitmap>();
  const auto b = *rc::gen::arbitrary<Bitmap>();
  const auto from = *rc::gen::inRange(0u, 100u);
  const auto to = *rc::gen::inRange(0u, 200u);
  std::uint32_t naive = 0;
  for (std::uint32_t at = from; at < to && at / 8 < std::min(a.size(), b.size()); ++at)
    naive += (a[at / 8] & b[at / 8]) >> (at % 8) & 1;
  RC_ASSERT(count_common(a, b, from, to) == naive);
}

// The naive model: a set of counted slots, worked out from all beats at once.
RC_GTEST_PROP(LedgerModel, never_counts_more_than_slots_beats_or_presence_allow, ()) {
  const Timing timing;
  Now now = test::start_of_day();
  const Timeline timeline(now, timing, 0);
  Rng rng(3);
  Ledger ledger(rng);
  const auto gaps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 30'000));
  std::uint64_t sequence = 0;
  std::set<std::uint64_t> slots;
  std::optional<Mono> last;
  for (const int gap : gaps) {
    now.mono += std::chrono::milliseconds(gap);
    now.wall += std::chrono::milliseconds(gap);
    const auto verdict =
        ledger.on_beat(now, timeline, peer_id(1), beat_at(now, ++sequence, timing));
    if (verdict.heard != Heard::counted) continue;
    RC_ASSERT(slots.insert(verdict.slot).second);
    const std::uint64_t here = timeline.slot(now.mono);
    RC_ASSERT(verdict.slot == here || verdict.slot + 1 == here);
    const bool far = !last || now.mono - *last >= timing.beat / 2;
    RC_ASSERT(far);
    last = now.mono;
  }
  const Ledger::Peer* peer = ledger.find(peer_id(1));
  const std::size_t total = peer == nullptr ? 0 : peer->total;
  RC_ASSERT(total == slots.size());
}

}  // namespace
}  // namespace kith::poa
