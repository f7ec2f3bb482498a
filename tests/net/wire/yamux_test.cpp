#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/net/wire/yamux_support.hpp"

namespace kith::wire {
namespace {

using namespace testing;

std::size_t data_bytes(const YamuxEffects& effects) {
  std::size_t sum = 0;
  for (const YamuxData& data : only<YamuxData>(effects)) sum += data.data.size();
  return sum;
}

Bytes zeros(std::size_t size) { return Bytes::adopt(std::vector<std::uint8_t>(size)); }

TEST(Yamux, head_is_laid_out_as_the_specification_says) {
  const Bytes head =
      head_only(YamuxType::window_update, kYamuxSyn | kYamuxRst, 0x01020304, 0xa0b0c0d0);
  const std::vector<std::uint8_t> expected{0, 1, 0, 9, 1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0};
  EXPECT_EQ(head.to_vector(), expected);
  EXPECT_EQ(read_yamux_head(head.view().first<kYamuxHeadBytes>()),
            (YamuxHead{0, YamuxType::window_update, 9, 0x01020304, 0xa0b0c0d0}));
}

TEST(Yamux, dialler_uses_odd_ids_and_listener_even_ones) {
  Pair pair;
  EXPECT_EQ(pair.a.stream_id(*pair.a.open(pair.now)), 1u);
  EXPECT_EQ(pair.a.stream_id(*pair.a.open(pair.now)), 3u);
  EXPECT_EQ(pair.b.stream_id(*pair.b.open(pair.now)), 2u);
  EXPECT_EQ(pair.b.stream_id(*pair.b.open(pair.now)), 4u);
}

TEST(Yamux, syn_rides_on_the_first_data_and_ack_on_the_first_answer) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, Bytes::copy("hello"));
  YamuxEffects none;
  std::vector<Bytes> slices;
  pair.a.pull(pair.now, SIZE_MAX, slices, none);
  const auto sent = parse_frames(join(slices));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].head, (YamuxHead{0, YamuxType::data, kYamuxSyn, 1, 5}));

  pair.b.on_bytes(pair.now, Bytes::adopt(join(slices)), pair.b_saw);
  ASSERT_EQ(only<YamuxOpened>(pair.b_saw).size(), 1u);
  const YamuxSlot accepted = only<YamuxOpened>(pair.b_saw)[0].stream;
  ASSERT_EQ(only<YamuxData>(pair.b_saw).size(), 1u);
  EXPECT_EQ(only<YamuxData>(pair.b_saw)[0].data.text(), "hello");
  pair.b.write(pair.now, accepted, Bytes::copy("hi"));
  const auto answer = pull_frames(pair.b, pair.now, none);
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].head, (YamuxHead{0, YamuxType::data, kYamuxAck, 1, 2}));
}

TEST(Yamux, silent_streams_are_opened_and_acknowledged_by_window_updates) {
  Pair pair;
  ASSERT_TRUE(pair.a.open(pair.now));
  YamuxEffects none;
  const auto sent = pull_frames(pair.a, pair.now, none);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].head, (YamuxHead{0, YamuxType::window_update, kYamuxSyn, 1, 0}));
  pair.b.on_bytes(pair.now, update_frame(1, 0, kYamuxSyn), pair.b_saw);
  const auto answer = pull_frames(pair.b, pair.now, none);
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].head, (YamuxHead{0, YamuxType::window_update, kYamuxAck, 1, 0}));
}

TEST(Yamux, payload_is_passed_on_without_a_copy) {
  Pair pair;
  const Bytes chunk = data_frame(1, 1000, kYamuxSyn);
  pair.b.on_bytes(pair.now, chunk, pair.b_saw);
  const auto data = only<YamuxData>(pair.b_saw);
  ASSERT_EQ(data.size(), 1u);
  EXPECT_EQ(data[0].data.data(), chunk.data() + kYamuxHeadBytes);
}

TEST(Yamux, frames_may_be_cut_anywhere) {
  std::vector<std::uint8_t> wire;
  append_frame(wire, {0, YamuxType::data, kYamuxSyn, 1, 3}, 3, 'a');
  append_frame(wire, {0, YamuxType::data, 0, 1, 4}, 4, 'b');
  append_frame(wire, {0, YamuxType::window_update, kYamuxFin, 1, 0});
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    Yamux machine(quiet(false), at(0s));
    YamuxEffects saw;
    for (std::size_t from = 0; from < wire.size(); from += cut) {
      const std::size_t size = std::min(cut, wire.size() - from);
      machine.on_bytes(at(0s), Bytes::copy(ByteView(wire).subspan(from, size)), saw);
    }
    std::string text;
    for (const YamuxData& data : only<YamuxData>(saw)) text += data.data.text();
    EXPECT_EQ(text, "aaabbbb") << "cut " << cut;
    EXPECT_EQ(only<YamuxEnded>(saw).size(), 1u);
    EXPECT_TRUE(only<YamuxFailed>(saw).empty());
  }
}

TEST(Yamux, half_closed_stream_still_receives_and_closes_when_both_ended) {
  Pair pair;
  const YamuxSlot mine = *pair.a.open(pair.now);
  pair.a.write(pair.now, mine, Bytes::copy("question"));
  pair.a.close(mine);
  EXPECT_FALSE(pair.a.write(pair.now, mine, Bytes::copy("more")));
  pair.settle();
  const YamuxSlot theirs = only<YamuxOpened>(pair.b_saw)[0].stream;
  EXPECT_EQ(only<YamuxEnded>(pair.b_saw).size(), 1u);
  EXPECT_TRUE(only<YamuxClosed>(pair.b_saw).empty());

  pair.b.write(pair.now, theirs, Bytes::copy("answer"));
  pair.b.close(theirs);
  pair.settle();
  EXPECT_EQ(only<YamuxData>(pair.a_saw)[0].data.text(), "answer");
  EXPECT_EQ(only<YamuxEnded>(pair.a_saw).size(), 1u);
  EXPECT_EQ(only<YamuxClosed>(pair.a_saw).size(), 1u);
  EXPECT_EQ(only<YamuxClosed>(pair.b_saw).size(), 1u);
  EXPECT_EQ(pair.a.stream_count() + pair.b.stream_count(), 0u);
  EXPECT_EQ(pair.a.unreleased_bytes() + pair.b.unreleased_bytes(), 0u);
}

TEST(Yamux, fin_follows_what_is_queued_and_never_rides_on_data) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, Bytes::copy("last words"));
  pair.a.close(stream);
  YamuxEffects none;
  const auto sent = pull_frames(pair.a, pair.now, none);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].head, (YamuxHead{0, YamuxType::data, kYamuxSyn, 1, 10}));
  EXPECT_EQ(sent[1].head, (YamuxHead{0, YamuxType::window_update, kYamuxFin, 1, 0}));
}

TEST(Yamux, reset_drops_the_queue_and_reaches_the_peer_with_its_code) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.settle();
  pair.a.write(pair.now, stream, zeros(1000));
  pair.a.reset(stream, 0x1003);
  EXPECT_EQ(pair.a.queued_bytes(), 0u);
  pair.settle();
  ASSERT_EQ(only<YamuxReset>(pair.b_saw).size(), 1u);
  EXPECT_EQ(only<YamuxReset>(pair.b_saw)[0].code, 0x1003u);
  EXPECT_TRUE(only<YamuxReset>(pair.b_saw)[0].by_peer);
  EXPECT_TRUE(only<YamuxData>(pair.b_saw).empty());
  EXPECT_TRUE(only<YamuxReset>(pair.a_saw).empty()) << "no effect for our own command";
}

TEST(Yamux, stream_that_the_peer_never_heard_of_is_reset_in_silence) {
  Pair pair;
  pair.a.reset(*pair.a.open(pair.now));
  EXPECT_FALSE(pair.a.has_output());
}

TEST(Yamux, calls_for_a_stream_that_is_gone_do_nothing) {
  Pair pair;
  const YamuxSlot gone = *pair.a.open(pair.now);
  pair.a.reset(gone);
  EXPECT_FALSE(pair.a.write(pair.now, gone, Bytes::copy("x")));
  pair.a.close(gone);
  pair.a.release(gone, 5);
  pair.a.reset(gone);
  EXPECT_FALSE(pair.a.notify_below(gone, 0));
  EXPECT_EQ(pair.a.stream_id(gone), 0u);
  EXPECT_FALSE(pair.a.has_output());
}

TEST(Yamux, keepalive_pings_at_once_and_every_thirty_seconds) {
  YamuxConfig config;
  config.dialler = true;
  Pair pair(config, quiet(false));
  pair.settle();
  EXPECT_EQ(only<YamuxPong>(pair.a_saw).size(), 1u);
  EXPECT_EQ(pair.a.next_deadline(), pair.now.mono + kYamuxPingEvery);
  pair.now.mono += kYamuxPingEvery;
  pair.a.on_tick(pair.now, pair.a_saw);
  YamuxEffects none;
  const auto sent = pull_frames(pair.a, pair.now, none);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].head, (YamuxHead{0, YamuxType::ping, kYamuxSyn, 0, 1}));
  pair.now.mono += 40ms;
  pair.a.on_bytes(pair.now, head_only(YamuxType::ping, kYamuxAck, 0, 1), pair.a_saw);
  EXPECT_EQ(pair.a.round_trip(), 40ms);
}

TEST(Yamux, unanswered_ping_fails_the_connection_after_its_deadline) {
  Yamux machine(YamuxConfig{}, at(0s));
  YamuxEffects saw;
  std::vector<Bytes> slices;
  machine.pull(at(0s), SIZE_MAX, slices, saw);
  machine.on_tick(at(59s), saw);
  EXPECT_FALSE(machine.failed());
  EXPECT_EQ(machine.next_deadline(), at(60s).mono);
  machine.on_tick(at(60s), saw);
  ASSERT_EQ(only<YamuxFailed>(saw).size(), 1u);
  EXPECT_EQ(only<YamuxFailed>(saw)[0].code, Errc::timeout);
  EXPECT_EQ(machine.next_deadline(), kNever);
}

TEST(Yamux, one_ping_is_on_its_way_at_a_time) {
  Pair pair;
  pair.a.ping(pair.now);
  pair.a.ping(pair.now);
  YamuxEffects none;
  EXPECT_EQ(pull_frames(pair.a, pair.now, none).size(), 1u);
  pair.a.ping(pair.now);
  EXPECT_FALSE(pair.a.has_output());
}

TEST(Yamux, go_away_ends_opening_on_both_sides_and_open_streams_go_on) {
  Pair pair;
  const YamuxSlot open = *pair.a.open(pair.now);
  pair.settle();
  pair.b.go_away();
  pair.settle();
  EXPECT_EQ(only<YamuxWentAway>(pair.a_saw).size(), 1u);
  EXPECT_EQ(pair.a.open(pair.now).error().code, Errc::closed);
  EXPECT_EQ(pair.b.open(pair.now).error().code, Errc::closed);
  pair.a.write(pair.now, open, Bytes::copy("still here"));
  pair.settle();
  EXPECT_EQ(data_bytes(pair.b_saw), 10u);
}

TEST(Yamux, opening_is_refused_above_the_ack_backlog_and_goes_on_after_an_ack) {
  Pair pair;
  for (std::uint32_t i = 0; i < kYamuxAckBacklogMax; ++i) ASSERT_TRUE(pair.a.open(pair.now));
  EXPECT_EQ(pair.a.open(pair.now).error().code, Errc::exhausted);
  pair.a.on_bytes(pair.now, update_frame(1, 0, kYamuxAck), pair.a_saw);
  EXPECT_TRUE(pair.a.open(pair.now));
  EXPECT_FALSE(pair.a.open(pair.now));
  pair.a.on_bytes(pair.now, update_frame(3, 0, kYamuxRst), pair.a_saw);
  EXPECT_TRUE(pair.a.open(pair.now));
}

TEST(Yamux, streams_are_bounded_on_both_sides) {
  Pair pair;
  for (std::uint32_t i = 0; i < kYamuxStreamsMax; ++i) {
    ASSERT_TRUE(pair.a.open(pair.now));
    pair.settle();
  }
  EXPECT_EQ(pair.a.open(pair.now).error().code, Errc::exhausted);
  EXPECT_EQ(pair.b.open(pair.now).error().code, Errc::exhausted);
  pair.b.on_bytes(pair.now, update_frame(2 * kYamuxStreamsMax + 1, 0, kYamuxSyn), pair.b_saw);
  EXPECT_EQ(pair.b.stream_count(), kYamuxStreamsMax);
  YamuxEffects none;
  const auto answer = pull_frames(pair.b, pair.now, none);
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].head,
            (YamuxHead{0, YamuxType::window_update, kYamuxRst, 2 * kYamuxStreamsMax + 1, 0}));
}

}  // namespace
}  // namespace kith::wire
