// Order, sizes and windows of what flows.
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

TEST(YamuxFlow, sender_stops_at_the_window_and_goes_on_after_release) {
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

TEST(YamuxFlow, update_pulled_in_the_middle_of_a_frame_grants_nothing_twice) {
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

TEST(YamuxFlow, no_window_update_for_a_stream_that_the_peer_has_ended) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, zeros(200'000));
  pair.a.close(stream);
  pair.settle();
  pair.b.release(only<YamuxOpened>(pair.b_saw)[0].stream, 200'000);
  EXPECT_FALSE(pair.b.has_output());
}

TEST(YamuxFlow, control_goes_before_normal_before_bulk_and_equals_take_turns) {
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

TEST(YamuxFlow, what_waits_behind_bulk_lifts_its_stream) {
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

TEST(YamuxFlow, control_frames_go_before_queued_data) {
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

TEST(YamuxFlow, pull_keeps_to_its_budget_and_loses_nothing) {
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
      for (const Frame& frame : parse_frames(join(slices))) pulled += frame.payload;
    }
    EXPECT_EQ(pulled, 100'000u) << budget;
  }
}

TEST(YamuxFlow, full_frame_fills_one_noise_message) {
  Pair pair;
  const YamuxSlot stream = *pair.a.open(pair.now);
  pair.a.write(pair.now, stream, zeros(200'000));
  std::vector<Bytes> slices;
  YamuxEffects none;
  EXPECT_EQ(pair.a.pull(pair.now, kYamuxFrameMax, slices, none), 65535u - 16);
  EXPECT_EQ(parse_frames(join(slices)).size(), 1u);
}

TEST(YamuxFlow, a_mebibyte_takes_seventeen_data_frames) {
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

TEST(YamuxFlow, headers_of_one_pull_share_one_allocation) {
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

TEST(YamuxFlow, window_grows_while_a_fast_stream_is_read_and_is_announced_first) {
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
    for (const Frame& frame : parse_frames(join(slices))) sent += frame.payload;
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

TEST(YamuxFlow, window_of_a_slow_reader_stays_small) {
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

TEST(YamuxFlow, windows_grow_only_within_the_receive_pool) {
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

TEST(YamuxFlow, room_in_the_receive_pool_comes_back_when_a_stream_ends) {
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

TEST(YamuxFlow, full_receive_pool_resets_the_stream_that_exceeds_it) {
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

TEST(YamuxFlow, writable_comes_once_when_the_queue_has_fallen) {
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

TEST(YamuxFlow, stream_held_back_by_a_zero_window_is_reported_until_it_moves) {
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
