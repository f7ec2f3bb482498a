#include <gtest/gtest.h>

#include <set>
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

TEST(Yamux, sender_stops_at_the_window_and_goes_on_after_release) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, zeros(kYamuxWindowInitial + 1000));
  pair.settle();
  EXPECT_EQ(data_bytes(pair.b_saw), kYamuxWindowInitial);
  EXPECT_EQ(pair.a.queued_bytes(stream), 1000u);
  const YamuxSlot theirs = only<YamuxOpened>(pair.b_saw)[0].stream;
  pair.b.release(theirs, kYamuxWindowInitial / 2 - 1);
  pair.settle();
  EXPECT_EQ(pair.a.queued_bytes(stream), 1000u) << "an update for less than half a window";
  pair.b.release(theirs, 1);
  pair.settle();
  EXPECT_EQ(pair.a.queued_bytes(stream), 0u);
  EXPECT_EQ(data_bytes(pair.b_saw), kYamuxWindowInitial + 1000);
}

TEST(Yamux, update_pulled_in_the_middle_of_a_frame_grants_nothing_twice) {
  Pair pair;
  pair.b.on_bytes(pair.now, data_frame(1, 200'000, kYamuxSyn), pair.b_saw);
  const YamuxSlot stream = only<YamuxOpened>(pair.b_saw)[0].stream;
  const Bytes next = data_frame(1, 50'000);
  pair.b.on_bytes(pair.now, next.slice(0, 20), pair.b_saw);
  pair.b.release(stream, 200'000);
  std::uint64_t granted = kYamuxWindowInitial;
  const auto count = [&] {
    for (const Frame& frame : pull_frames(pair.b, pair.now, pair.b_saw))
      granted += frame.head.length;
  };
  count();
  EXPECT_EQ(granted, kYamuxWindowInitial + 200'000);
  pair.b.on_bytes(pair.now, next.slice(20), pair.b_saw);
  pair.b.release(stream, 50'000);
  pair.b.on_bytes(pair.now, data_frame(1, 150'000), pair.b_saw);
  pair.b.release(stream, 150'000);
  count();
  EXPECT_EQ(granted, kYamuxWindowInitial + 400'000);
}

TEST(Yamux, no_window_update_for_a_stream_that_the_peer_has_ended) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, zeros(200'000));
  pair.a.close(stream);
  pair.settle();
  pair.b.release(only<YamuxOpened>(pair.b_saw)[0].stream, 200'000);
  EXPECT_FALSE(pair.b.has_output());
}

TEST(Yamux, control_goes_before_normal_before_bulk_and_equals_take_turns) {
  Pair pair;
  const YamuxSlot bulk = *pair.a.open(pair.now);
  const YamuxSlot first = *pair.a.open(pair.now);
  const YamuxSlot second = *pair.a.open(pair.now);
  const YamuxSlot urgent = *pair.a.open(pair.now);
  pair.a.write(pair.now, bulk, zeros(100'000), Priority::bulk);
  pair.a.write(pair.now, first, zeros(100'000), Priority::normal);
  pair.a.write(pair.now, second, zeros(100'000), Priority::normal);
  pair.a.write(pair.now, urgent, zeros(10), Priority::control);
  YamuxEffects none;
  std::vector<std::uint32_t> order;
  for (const Frame& frame : pull_frames(pair.a, pair.now, none)) order.push_back(frame.head.stream);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{7, 3, 5, 3, 5, 1, 1}));
}

TEST(Yamux, what_waits_behind_bulk_lifts_its_stream) {
  Pair pair;
  const YamuxSlot mixed = *pair.a.open(pair.now);
  const YamuxSlot normal = *pair.a.open(pair.now);
  pair.a.write(pair.now, mixed, zeros(10), Priority::bulk);
  pair.a.write(pair.now, normal, zeros(10), Priority::normal);
  pair.a.write(pair.now, mixed, zeros(10), Priority::control);
  YamuxEffects none;
  const auto sent = pull_frames(pair.a, pair.now, none);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].head.stream, 1u);
  EXPECT_EQ(sent[0].head.length, 20u) << "queued slices share a frame";
}

TEST(Yamux, control_frames_go_before_queued_data) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.settle();
  pair.a.write(pair.now, stream, zeros(10), Priority::control);
  pair.a.ping(pair.now);
  YamuxEffects none;
  const auto sent = pull_frames(pair.a, pair.now, none);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].head.type, YamuxType::ping);
}

TEST(Yamux, pull_keeps_to_its_budget_and_loses_nothing) {
  for (const std::size_t budget : {13u, 100u, 1036u, 5000u, 65519u, 70000u}) {
    Pair pair;
    const YamuxSlot stream = *pair.a.open(pair.now);
    pair.a.write(pair.now, stream, zeros(100'000));
    std::size_t pulled = 0;
    while (pair.a.has_output()) {
      std::vector<Bytes> slices;
      YamuxEffects none;
      const std::size_t size = pair.a.pull(pair.now, budget, slices, none);
      ASSERT_EQ(size, join(slices).size());
      ASSERT_LE(size, budget);
      ASSERT_GT(size, 0u);
      for (const Frame& frame : parse_frames(join(slices))) pulled += frame.payload.size();
    }
    EXPECT_EQ(pulled, 100'000u) << budget;
  }
}

TEST(Yamux, full_frame_fills_one_noise_message) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, zeros(200'000));
  std::vector<Bytes> slices;
  YamuxEffects none;
  EXPECT_EQ(pair.a.pull(pair.now, kYamuxFrameMax, slices, none), 65535u - 16);
  EXPECT_EQ(parse_frames(join(slices)).size(), 1u);
}

TEST(Yamux, a_mebibyte_takes_seventeen_data_frames) {
  YamuxConfig wide = quiet(true);
  Pair pair(wide, quiet(false));
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.b.on_bytes(pair.now, Bytes(), pair.b_saw);
  pair.a.on_bytes(pair.now, update_frame(1, 1u << 20), pair.a_saw);
  for (int i = 0; i < 16; ++i) pair.a.write(pair.now, stream, zeros(64u << 10));
  std::vector<Bytes> slices;
  YamuxEffects none;
  const std::size_t size = pair.a.pull(pair.now, SIZE_MAX, slices, none);
  EXPECT_EQ(parse_frames(join(slices)).size(), 17u);
  EXPECT_EQ(size, (1u << 20) + 17 * kYamuxHeadBytes);
}

TEST(Yamux, headers_of_one_pull_share_one_allocation) {
  Pair pair;
  for (int i = 0; i < 20; ++i) {
    const YamuxSlot stream = *pair.a.open(pair.now);
    pair.a.write(pair.now, stream, Bytes::copy("m"));
  }
  std::vector<Bytes> slices;
  YamuxEffects none;
  pair.a.pull(pair.now, SIZE_MAX, slices, none);
  ASSERT_EQ(slices.size(), 40u);
  for (std::size_t i = 2; i < slices.size(); i += 2)
    EXPECT_EQ(slices[i].data(), slices[0].data() + i / 2 * kYamuxHeadBytes);
}

TEST(Yamux, window_grows_while_a_fast_stream_is_read_and_is_announced_first) {
  Pair pair;
  pair.a.ping(pair.now);
  pair.b.ping(pair.now);
  const YamuxSlot stream = *pair.a.open(pair.now);
  std::uint64_t allowed = kYamuxWindowInitial;
  std::uint64_t sent = 0;
  std::uint64_t biggest = 0;
  YamuxSlot theirs;
  for (int turn = 0; turn < 60; ++turn) {
    if (pair.a.queued_bytes(stream) < (40u << 20)) pair.a.write(pair.now, stream, zeros(8u << 20));
    YamuxEffects none;
    std::vector<Bytes> slices;
    pair.a.pull(pair.now, SIZE_MAX, slices, none);
    for (const Frame& frame : parse_frames(join(slices))) sent += frame.payload.size();
    ASSERT_LE(sent, allowed);
    pair.now.mono += 25ms;
    pair.b_saw.clear();
    pair.b.on_bytes(pair.now, Bytes::adopt(join(slices)), pair.b_saw);
    ASSERT_TRUE(only<YamuxFailed>(pair.b_saw).empty());
    for (const YamuxOpened& opened : only<YamuxOpened>(pair.b_saw)) theirs = opened.stream;
    biggest = std::max<std::uint64_t>(biggest, data_bytes(pair.b_saw));
    for (const YamuxData& data : only<YamuxData>(pair.b_saw))
      pair.b.release(data.stream, data.data.size());
    slices.clear();
    pair.b.pull(pair.now, SIZE_MAX, slices, none);
    for (const Frame& frame : parse_frames(join(slices)))
      if (frame.head.type == YamuxType::window_update) allowed += frame.head.length;
    pair.now.mono += 25ms;
    pair.a.on_bytes(pair.now, Bytes::adopt(join(slices)), pair.a_saw);
  }
  EXPECT_EQ(biggest, kYamuxWindowMax);
}

TEST(Yamux, window_of_a_slow_reader_stays_small) {
  Pair pair;
  pair.b.ping(pair.now);
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, zeros(4u << 20));
  pair.settle();
  const YamuxSlot theirs = only<YamuxOpened>(pair.b_saw)[0].stream;
  for (int turn = 0; turn < 20; ++turn) {
    pair.now.mono += 1s;
    pair.b.release(theirs, 128u << 10);
    pair.settle();
    EXPECT_LE(pair.b.unreleased_bytes(), kYamuxWindowInitial);
  }
}

TEST(Yamux, windows_grow_only_within_the_receive_pool) {
  YamuxConfig poor = quiet(false);
  poor.receive_pool_max = 3 * kYamuxWindowInitial;
  Pair pair(quiet(true), poor);
  pair.b.ping(pair.now);
  const YamuxSlot first = *pair.a.open(pair.now);
  const YamuxSlot second = *pair.a.open(pair.now);
  for (int turn = 0; turn < 10; ++turn) {
    pair.a.write(pair.now, first, zeros(1u << 20));
    pair.a.write(pair.now, second, zeros(1u << 20));
    pair.settle();
    EXPECT_LE(pair.b.unreleased_bytes(), poor.receive_pool_max);
    EXPECT_TRUE(only<YamuxReset>(pair.b_saw).empty());
    for (const YamuxData& data : only<YamuxData>(pair.b_saw))
      pair.b.release(data.stream, data.data.size());
    pair.b_saw.clear();
  }
}

TEST(Yamux, room_in_the_receive_pool_comes_back_when_a_stream_ends) {
  YamuxConfig poor = quiet(false);
  poor.receive_pool_max = 2 * kYamuxWindowInitial;
  Pair pair(quiet(true), poor);
  pair.b.ping(pair.now);
  for (int i = 0; i < 5; ++i) {
    const YamuxSlot stream = *pair.a.open(pair.now);
    std::size_t biggest = 0;
    for (int turn = 0; turn < 4; ++turn) {
      pair.a.write(pair.now, stream, zeros(1u << 20));
      pair.settle();
      biggest = std::max(biggest, pair.b.unreleased_bytes());
      for (const YamuxData& data : only<YamuxData>(pair.b_saw))
        pair.b.release(data.stream, data.data.size());
      pair.b_saw.clear();
    }
    EXPECT_EQ(biggest, 2 * kYamuxWindowInitial) << "stream " << i;
    pair.a.reset(stream);
    pair.settle();
  }
}

TEST(Yamux, full_receive_pool_resets_the_stream_that_exceeds_it) {
  YamuxConfig poor = quiet(false);
  poor.receive_pool_max = 2 * kYamuxWindowInitial;
  Pair pair(quiet(true), poor);
  for (int i = 0; i < 3; ++i)
    pair.a.write(pair.now, *pair.a.open(pair.now), zeros(kYamuxWindowInitial));
  pair.settle();
  ASSERT_EQ(only<YamuxReset>(pair.b_saw).size(), 1u);
  EXPECT_FALSE(only<YamuxReset>(pair.b_saw)[0].by_peer);
  EXPECT_EQ(only<YamuxReset>(pair.a_saw).size(), 1u);
  EXPECT_LE(pair.b.unreleased_bytes(), poor.receive_pool_max);
  EXPECT_FALSE(pair.b.failed());
}

TEST(Yamux, writable_comes_once_when_the_queue_has_fallen) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  EXPECT_FALSE(pair.a.notify_below(stream, 0)) << "it is there already";
  pair.a.write(pair.now, stream, zeros(200'000));
  EXPECT_TRUE(pair.a.notify_below(stream, 100'000));
  std::vector<Bytes> slices;
  pair.a.pull(pair.now, kYamuxFrameMax, slices, pair.a_saw);
  EXPECT_TRUE(only<YamuxWritable>(pair.a_saw).empty());
  pair.a.pull(pair.now, kYamuxFrameMax, slices, pair.a_saw);
  EXPECT_EQ(only<YamuxWritable>(pair.a_saw).size(), 1u);
  pair.a.pull(pair.now, SIZE_MAX, slices, pair.a_saw);
  EXPECT_EQ(only<YamuxWritable>(pair.a_saw).size(), 1u);
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

TEST(Yamux, stream_held_back_by_a_zero_window_is_reported_until_it_moves) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, zeros(kYamuxWindowInitial + 100'000));
  pair.settle();
  ASSERT_TRUE(pair.a.stalled());
  EXPECT_EQ(pair.a.stalled()->stream, stream);
  EXPECT_EQ(pair.a.stalled()->since, pair.now.mono);
  const Mono since = pair.now.mono;
  pair.now.mono += 30s;
  pair.a.on_bytes(pair.now, update_frame(1, 1), pair.a_saw);
  std::vector<Bytes> slices;
  pair.a.pull(pair.now, SIZE_MAX, slices, pair.a_saw);
  ASSERT_TRUE(pair.a.stalled());
  EXPECT_EQ(pair.a.stalled()->since, since) << "a byte is no progress";
  pair.a.on_bytes(pair.now, update_frame(1, 200'000), pair.a_saw);
  EXPECT_FALSE(pair.a.stalled());
}

}  // namespace
}  // namespace kith::wire
