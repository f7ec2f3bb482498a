// What a hostile or broken peer may send: each named attack, and that honest use beside it passes.
#include <gtest/gtest.h>

#include <string_view>

#include "tests/net/wire/yamux_support.hpp"

namespace kith::wire {
namespace {

using namespace testing;

class YamuxHostile : public ::testing::Test {
 protected:
  void send(Bytes bytes) { machine.on_bytes(now, std::move(bytes), saw); }
  std::vector<Frame> pull() { return pull_frames(machine, now, saw); }
  void expect_failed(Errc code) {
    const auto failed = only<YamuxFailed>(saw);
    ASSERT_EQ(failed.size(), 1u);
    EXPECT_EQ(failed[0].code, code) << failed[0].text;
    EXPECT_EQ(machine.stream_count(), 0u);
    EXPECT_EQ(machine.queued_bytes() + machine.unreleased_bytes(), 0u);
    const auto last = pull();
    ASSERT_EQ(last.size(), 1u);
    EXPECT_EQ(last[0].head, (YamuxHead{0, YamuxType::go_away, 0, 0, 1}));
    EXPECT_FALSE(machine.has_output());
    saw.clear();
    send(data_frame(1, 10, kYamuxSyn));
    EXPECT_TRUE(saw.empty()) << "nothing is heard after the end";
  }
  void expect_alive() {
    EXPECT_TRUE(only<YamuxFailed>(saw).empty());
    EXPECT_FALSE(machine.failed());
  }

  Now now = at(0s);
  Yamux machine{quiet(false), now};
  YamuxEffects saw;
};

TEST_F(YamuxHostile, window_update_overflow_is_fatal) {  // CVE-2026-31814
  send(update_frame(1, UINT32_MAX - kYamuxWindowInitial, kYamuxSyn));
  expect_alive();
  send(update_frame(1, 1));
  expect_failed(Errc::malformed);
}

TEST_F(YamuxHostile, window_update_overflow_in_one_frame_is_fatal) {
  send(update_frame(1, UINT32_MAX, kYamuxSyn));
  expect_failed(Errc::malformed);
}

TEST_F(YamuxHostile, first_data_above_the_initial_window_is_fatal) {  // CVE-2026-32314
  send(head_only(YamuxType::data, kYamuxSyn, 1, kYamuxWindowInitial + 1));
  EXPECT_TRUE(only<YamuxOpened>(saw).empty()) << "refused before anything is allocated";
  expect_failed(Errc::oversized);
}

TEST_F(YamuxHostile, first_data_of_a_whole_window_passes) {
  send(data_frame(1, kYamuxWindowInitial, kYamuxSyn));
  expect_alive();
  EXPECT_EQ(machine.unreleased_bytes(), kYamuxWindowInitial);
}

TEST_F(YamuxHostile, data_above_the_window_is_fatal_when_its_header_comes) {
  send(data_frame(1, kYamuxWindowInitial, kYamuxSyn));
  send(head_only(YamuxType::data, 0, 1, 1));
  expect_failed(Errc::oversized);
}

TEST_F(YamuxHostile, credit_that_was_not_pulled_yet_does_not_count) {
  send(data_frame(1, kYamuxWindowInitial, kYamuxSyn));
  const YamuxSlot slot = only<YamuxOpened>(saw)[0].stream;
  machine.release(slot, kYamuxWindowInitial);
  send(head_only(YamuxType::data, 0, 1, 1));
  expect_failed(Errc::oversized);
}

TEST_F(YamuxHostile, length_of_four_gibibytes_is_fatal) {
  send(data_frame(1, 1, kYamuxSyn));
  send(head_only(YamuxType::data, 0, 1, UINT32_MAX));
  expect_failed(Errc::oversized);
}

TEST_F(YamuxHostile, data_for_a_stream_that_was_never_opened_is_fatal) {
  send(data_frame(5, 1));
  expect_failed(Errc::oversized);
}

TEST_F(YamuxHostile, frames_after_our_reset_are_discarded_up_to_the_window) {
  send(data_frame(1, 1000, kYamuxSyn));
  pull();
  machine.reset(only<YamuxOpened>(saw)[0].stream);
  pull();
  saw.clear();
  send(data_frame(1, kYamuxWindowInitial - 1000));
  send(update_frame(1, 5));
  send(update_frame(1, 0, kYamuxFin));
  send(update_frame(1, 0, kYamuxRst));
  EXPECT_TRUE(saw.empty());
  EXPECT_FALSE(machine.has_output())
      << "no reset as an answer to a frame for a stream that is gone";
  send(data_frame(1, 1));
  expect_failed(Errc::oversized);
}

TEST_F(YamuxHostile, reset_in_the_middle_of_a_frame_discards_its_rest) {
  const Bytes frame = data_frame(1, 1000, kYamuxSyn);
  send(frame.slice(0, 500));
  machine.reset(only<YamuxOpened>(saw)[0].stream);
  saw.clear();
  send(frame.slice(500));
  EXPECT_TRUE(saw.empty());
  send(data_frame(3, 10, kYamuxSyn));
  EXPECT_EQ(only<YamuxData>(saw).size(), 1u) << "the next frame is found";
  send(data_frame(1, kYamuxWindowInitial - 1000));
  expect_alive();
  send(data_frame(1, 1));
  expect_failed(Errc::oversized);
}

TEST_F(YamuxHostile, window_updates_for_unknown_streams_are_ignored) {
  for (std::uint32_t id = 1; id < 200; ++id) {
    send(update_frame(id, 100));
    send(update_frame(id, 0, kYamuxFin));
    send(update_frame(id, 7, kYamuxRst));
  }
  EXPECT_TRUE(saw.empty());
  EXPECT_FALSE(machine.has_output());
}

TEST_F(YamuxHostile, stream_opened_twice_is_fatal) {
  send(update_frame(1, 0, kYamuxSyn));
  send(update_frame(1, 0, kYamuxSyn));
  expect_failed(Errc::malformed);
}

TEST_F(YamuxHostile, stream_with_an_id_of_ours_is_fatal) {
  send(update_frame(2, 0, kYamuxSyn));
  expect_failed(Errc::malformed);
}

TEST_F(YamuxHostile, data_on_the_session_is_fatal) {
  send(data_frame(0, 1));
  expect_failed(Errc::malformed);
}

TEST_F(YamuxHostile, unknown_type_is_fatal) {
  send(head_only(static_cast<YamuxType>(4), 0, 0, 0));
  expect_failed(Errc::malformed);
}

TEST_F(YamuxHostile, unknown_version_is_fatal) {
  send(head_only(YamuxType::ping, kYamuxSyn, 0, 0, 1));
  expect_failed(Errc::unsupported);
}

TEST_F(YamuxHostile, ping_and_go_away_on_a_stream_are_fatal) {
  send(head_only(YamuxType::ping, kYamuxSyn, 1, 0));
  expect_failed(Errc::malformed);
  Yamux other(quiet(false), now);
  other.on_bytes(now, head_only(YamuxType::go_away, 0, 1, 0), saw);
  EXPECT_EQ(only<YamuxFailed>(saw).size(), 1u);
}

TEST_F(YamuxHostile, ping_with_both_or_no_flags_is_fatal) {
  send(head_only(YamuxType::ping, kYamuxSyn | kYamuxAck, 0, 0));
  expect_failed(Errc::malformed);
  Yamux other(quiet(false), now);
  other.on_bytes(now, head_only(YamuxType::ping, 0, 0, 0), saw);
  EXPECT_EQ(only<YamuxFailed>(saw).size(), 1u);
}

TEST_F(YamuxHostile, pongs_that_wait_are_bounded) {
  for (std::uint32_t i = 0; i < kYamuxPongsMax; ++i)
    send(head_only(YamuxType::ping, kYamuxSyn, 0, i));
  expect_alive();
  const auto pongs = pull();
  ASSERT_EQ(pongs.size(), kYamuxPongsMax);
  for (std::uint32_t i = 0; i < kYamuxPongsMax; ++i)
    EXPECT_EQ(pongs[i].head, (YamuxHead{0, YamuxType::ping, kYamuxAck, 0, i}));
  for (std::uint32_t i = 0; i <= kYamuxPongsMax; ++i)
    send(head_only(YamuxType::ping, kYamuxSyn, 0, i));
  expect_failed(Errc::exhausted);
}

TEST_F(YamuxHostile, pong_that_nobody_asked_for_is_ignored) {
  send(head_only(YamuxType::ping, kYamuxAck, 0, 0));
  EXPECT_TRUE(saw.empty());
  machine.ping(now);
  pull();
  send(head_only(YamuxType::ping, kYamuxAck, 0, 77));
  EXPECT_TRUE(saw.empty());
  send(head_only(YamuxType::ping, kYamuxAck, 0, 0));
  EXPECT_EQ(only<YamuxPong>(saw).size(), 1u);
}

TEST_F(YamuxHostile, rapid_reset_ends_the_connection) {
  std::uint32_t id = 1;
  for (std::uint32_t i = 0; i < kYamuxResetsBurst; ++i, id += 2) {
    send(update_frame(id, 0, kYamuxSyn));
    send(update_frame(id, 0, kYamuxRst));
  }
  expect_alive();
  now.mono += 1s;  // the budget refills
  for (std::uint32_t i = 0; i < kYamuxResetsPerSecond; ++i, id += 2)
    send(update_frame(id, 0, kYamuxSyn | kYamuxRst));
  expect_alive();
  send(update_frame(id, 0, kYamuxSyn | kYamuxRst));
  expect_failed(Errc::exhausted);
}

TEST_F(YamuxHostile, resets_of_streams_that_we_opened_are_free) {
  for (std::uint32_t i = 0; i < 4 * kYamuxResetsBurst; ++i) {
    ASSERT_TRUE(machine.open(now));
    pull();
    send(update_frame(2 + 2 * i, 0, kYamuxRst));
  }
  expect_alive();
}

TEST_F(YamuxHostile, flood_of_opens_is_refused_and_then_ends_the_connection) {
  std::uint32_t id = 1;
  for (std::uint32_t i = 0; i < kYamuxAckBacklogMax; ++i, id += 2)
    send(update_frame(id, 0, kYamuxSyn));
  EXPECT_EQ(machine.stream_count(), kYamuxAckBacklogMax);
  for (std::uint32_t i = 0; i < kYamuxResetsBurst; ++i, id += 2)
    send(update_frame(id, 0, kYamuxSyn));
  expect_alive();
  EXPECT_EQ(machine.stream_count(), kYamuxAckBacklogMax) << "none is kept above the backlog";
  send(update_frame(id, 0, kYamuxSyn));
  expect_failed(Errc::exhausted);
}

TEST_F(YamuxHostile, opens_that_we_refuse_before_answering_are_charged) {
  std::uint32_t id = 1;
  while (!machine.failed() && id < 10'000) {
    saw.clear();
    send(update_frame(id, 0, kYamuxSyn));
    for (const YamuxOpened& opened : only<YamuxOpened>(saw)) machine.reset(opened.stream);
    id += 2;
  }
  EXPECT_EQ(id, 2 * kYamuxResetsBurst + 5);
}

TEST_F(YamuxHostile, data_after_fin_resets_the_stream_only) {
  send(data_frame(1, 1, kYamuxSyn | kYamuxFin));
  ASSERT_EQ(only<YamuxEnded>(saw).size(), 1u);
  send(data_frame(1, 1));
  ASSERT_EQ(only<YamuxReset>(saw).size(), 1u);
  EXPECT_EQ(only<YamuxData>(saw).size(), 1u);
  expect_alive();
}

TEST_F(YamuxHostile, repeated_fin_is_told_once) {
  send(data_frame(1, 1, kYamuxSyn | kYamuxFin));
  send(update_frame(1, 0, kYamuxFin));
  send(data_frame(1, 0, kYamuxFin));
  EXPECT_EQ(only<YamuxEnded>(saw).size(), 1u);
  expect_alive();
}

TEST_F(YamuxHostile, opening_after_our_go_away_is_refused) {
  machine.go_away();
  pull();
  send(data_frame(1, 100, kYamuxSyn));
  EXPECT_TRUE(saw.empty());
  const auto answer = pull();
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].head, (YamuxHead{0, YamuxType::window_update, kYamuxRst, 1, 0}));
  send(data_frame(1, kYamuxWindowInitial - 100));
  expect_alive();
}

TEST_F(YamuxHostile, flood_of_window_updates_leaves_no_trace) {
  send(update_frame(1, 0, kYamuxSyn));
  pull();
  for (int i = 0; i < 100'000; ++i) send(update_frame(1, 1));
  EXPECT_FALSE(machine.has_output());
  expect_alive();
}

}  // namespace
}  // namespace kith::wire
