// Conformance of Host: streams, messages, windows.
#include "support.hpp"

namespace kith::host {
namespace {

TEST_P(HostSuite, messages_keep_their_order_and_boundaries) {
  NodeOptions options;
  options.messages.message_bytes_max = 1u << 20;
  options.messages.send_queue_bytes_max = 8u << 20;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  const StreamSlot slot = stream(a, b, filled(5, 9));
  std::vector<Bytes> sent = {filled(5, 9)};
  const std::size_t sizes[] = {1,      0,      2,       127,     128,     16'383,   16'384,
                               65'535, 65'536, 200'000, 262'143, 300'000, 1u << 20, 7};
  for (const std::size_t size : sizes) {
    sent.push_back(filled(size, static_cast<std::uint8_t>(size)));
    a.send(slot, sent.back());
  }
  ASSERT_TRUE(until([&] { return b.messages.last().messages.size() == sent.size(); }));
  EXPECT_EQ(b.messages.last().messages, sent);
  EXPECT_EQ(b.messages.last().protocol, "/test/message/2");
  EXPECT_EQ(b.messages.last().peer, b.peer(a));
  EXPECT_TRUE(until([&] { return a.messages.streams[slot].opened; }));
  EXPECT_EQ(b.host->usage().assembly_bytes, 0u);
}

TEST_P(HostSuite, a_connection_is_busy_while_a_stream_is_open_that_does_not_last) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  const auto busy = [&] { return a.host->busy(a.peer(b)) || b.host->busy(b.peer(a)); };
  ASSERT_TRUE(until([&] { return !busy(); }));  // identify is over
  const StreamSlot slot = stream(a, b, filled(5));
  EXPECT_TRUE(a.host->busy(a.peer(b)));
  ASSERT_TRUE(until([&] { return b.messages.order.size() == 1; }));
  EXPECT_TRUE(b.host->busy(b.peer(a)));
  a.host->reset(slot);
  EXPECT_TRUE(until([&] { return !busy(); }));
}

TEST_P(HostSuite, a_connection_with_lasting_streams_only_is_not_busy) {
  NodeOptions options;
  options.messages.lasting = true;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  stream(a, b, filled(5));
  ASSERT_TRUE(until([&] { return b.messages.order.size() == 1; }));
  EXPECT_TRUE(until([&] { return !a.host->busy(a.peer(b)) && !b.host->busy(b.peer(a)); }));
}

TEST_P(HostSuite, the_first_of_our_ids_that_the_peer_speaks_is_taken) {
  NodeOptions old;
  old.messages.ids = {"/test/message/1"};
  TestNode& a = node();
  TestNode& b = node(old);
  join(a, b);
  const StreamSlot slot = stream(a, b);
  ASSERT_TRUE(until([&] { return a.messages.streams[slot].opened; }));
  EXPECT_EQ(a.messages.streams[slot].protocol, "/test/message/1");
  EXPECT_EQ(b.messages.last().protocol, "/test/message/1");
}

TEST_P(HostSuite, half_close_leaves_the_other_direction_open) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  b.messages.auto_close = false;
  const StreamSlot slot = stream(a, b);
  a.send(slot, filled(50'000));
  a.host->close(slot);
  a.send(slot, filled(3), Priority::normal, 77);
  ASSERT_TRUE(until([&] { return b.messages.last().ends == 1; }));
  EXPECT_EQ(b.messages.last().messages.size(), 2u);
  EXPECT_EQ(a.messages.streams[slot].refused, std::vector<std::uint64_t>{77});
  EXPECT_EQ(b.messages.last().closes, 0);
  const StreamSlot at_b = b.messages.order.back();
  b.send(at_b, filled(40'000));
  ASSERT_TRUE(until([&] { return a.messages.streams[slot].messages.size() == 1; }));
  EXPECT_EQ(a.messages.streams[slot].ends, 0);
  b.host->close(at_b);
  ASSERT_TRUE(
      until([&] { return a.messages.streams[slot].closes == 1 && b.messages.last().closes == 1; }));
  EXPECT_EQ(a.messages.streams[slot].ends, 1);
  EXPECT_FALSE(a.messages.streams[slot].error);
  EXPECT_FALSE(b.messages.last().error);
  EXPECT_EQ(a.host->usage().streams + b.host->usage().streams, 0u);
}

TEST_P(HostSuite, reset_ends_both_sides_and_is_told_to_both) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  const StreamSlot slot = stream(a, b);
  a.host->reset(slot);
  a.host->reset(slot);
  a.send(slot, filled(3));
  ASSERT_TRUE(
      until([&] { return a.messages.streams[slot].closes == 1 && b.messages.last().closes == 1; }));
  EXPECT_EQ(a.messages.streams[slot].error->code, Errc::cancelled);
  EXPECT_EQ(b.messages.last().error->code, Errc::closed);
  EXPECT_EQ(a.host->usage().streams + b.host->usage().streams, 0u);
  EXPECT_TRUE(a.knows(b));
}

TEST_P(HostSuite, nothing_of_a_stream_is_heard_after_its_own_side_reset_it) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  // Ten messages in one write: the second is queued behind the one that leads to the reset.
  b.messages.on_each_message = [&](StreamSlot slot, const Bytes&) { b.host->reset(slot); };
  const StreamSlot slot = a.open(b, a.message_index);
  for (int i = 0; i < 10; ++i) a.send(slot, filled(10));
  ASSERT_TRUE(until([&] { return a.messages.streams[slot].closes == 1; }));
  EXPECT_EQ(b.messages.last().messages.size(), 1u);
  EXPECT_EQ(b.messages.last().ends, 0);
  EXPECT_EQ(b.messages.last().closes, 1);
}

TEST_P(HostSuite, control_overtakes_eight_mebibytes_of_bulk) {
  NodeOptions options;
  options.raw.send_queue_bytes_max = 16u << 20;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  const StreamSlot control = stream(a, b);
  const StreamSlot bulk = raw_stream(a, b);
  a.send(bulk, filled(8u << 20), Priority::bulk);
  // Let the bulk fill what it can; then the control message is written behind it.
  ASSERT_TRUE(until([&] { return b.raw.last().bytes > 300'000; }));
  a.send(control, filled(100), Priority::control);
  const std::size_t before = b.raw.last().bytes;
  ASSERT_TRUE(until([&] { return b.messages.last().messages.size() == 2; }));
  const std::size_t overtaken = (8u << 20) - b.raw.last().bytes;
  EXPECT_GT(overtaken, 4u << 20) << "arrived behind " << b.raw.last().bytes - before;
  ASSERT_TRUE(until([&] { return b.raw.last().bytes == (8u << 20) + 3; }));
}

TEST_P(HostSuite, a_full_queue_refuses_whole_messages_until_half_of_it_has_gone) {
  NodeOptions options;
  options.messages.send_queue_bytes_max = 256u << 10;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  const StreamSlot slot = stream(a, b);
  std::size_t accepted = 0;
  for (std::uint64_t tag = 1; tag <= 40; ++tag) {
    const std::size_t queued = a.host->queued_bytes(slot);
    a.send(slot, filled(16'000), Priority::normal, tag);
    accepted += a.host->queued_bytes(slot) > queued;
  }
  EXPECT_EQ(accepted, 16u);
  EXPECT_LE(a.host->queued_bytes(slot), 256u << 10);
  a.messages.on_room = [&](StreamSlot room) {
    EXPECT_LE(a.host->queued_bytes(room), 128u << 10);
    a.send(room, filled(9));
  };
  ASSERT_TRUE(until([&] { return b.messages.last().messages.size() == 1 + 16 + 1; }));
  EXPECT_EQ(a.messages.streams[slot].refused.size(), 24u);
  EXPECT_EQ(a.messages.streams[slot].refused.front(), 17u);
  EXPECT_EQ(a.messages.streams[slot].writables, 1);
  EXPECT_EQ(b.messages.last().messages.back().size(), 9u);
}

TEST_P(HostSuite, raw_data_beyond_the_window_waits_for_release) {
  NodeOptions options;
  options.raw.send_queue_bytes_max = 4u << 20;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  b.raw.auto_release = false;
  const StreamSlot slot = raw_stream(a, b, filled(1));
  a.send(slot, filled(3u << 20, 5));
  // The stream's opening took a few bytes of the window, too.
  ASSERT_TRUE(until([&] { return b.raw.last().bytes >= (256u << 10) - 100; }));
  world_->run_for(500ms);
  EXPECT_LE(b.raw.last().bytes, 256u << 10);  // the initial window, and not a byte more
  EXPECT_GT(a.host->queued_bytes(slot), 2u << 20);
  b.raw.auto_release = true;
  b.host->release(b.raw.order.back(), b.raw.last().bytes);
  a.host->close(slot);
  ASSERT_TRUE(until([&] { return b.raw.last().closes == 1; }));
  ASSERT_EQ(b.raw.last().data.size(), (3u << 20) + 1);
  EXPECT_TRUE(equal(ByteView(b.raw.last().data).subspan(1), filled(3u << 20, 5)));
}

TEST_P(HostSuite, inbound_streams_of_a_protocol_are_capped) {
  NodeOptions options;
  options.messages.inbound_streams_per_peer_max = 3;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  std::vector<StreamSlot> slots;
  for (int i = 0; i < 8; ++i) slots.push_back(a.open(b, a.message_index));
  ASSERT_TRUE(until([&] { return a.messages.closed() == 5; }));
  world_->run_for(200ms);
  EXPECT_EQ(b.messages.order.size(), 3u);
  EXPECT_EQ(a.messages.closed(), 5u);
  // One that ends makes room for one.
  for (const StreamSlot slot : slots) a.host->reset(slot);
  ASSERT_TRUE(until([&] { return b.host->usage().streams == 0; }));
  stream(a, b);
}

TEST_P(HostSuite, a_message_above_the_maximum_resets_the_stream_only) {
  NodeOptions generous;
  generous.messages.message_bytes_max = 1u << 20;
  TestNode& a = node(generous);
  TestNode& b = node();
  join(a, b);
  const StreamSlot slot = stream(a, b);
  const StreamSlot other = stream(a, b);
  const StreamSlot other_at_b = b.messages.order.back();
  a.send(slot, filled((64u << 10) + 1));
  ASSERT_TRUE(until([&] { return a.messages.streams[slot].closes == 1; }));
  EXPECT_EQ(b.messages.streams[b.messages.order.front()].error->code, Errc::oversized);
  EXPECT_EQ(b.messages.streams[b.messages.order.front()].messages.size(), 1u);
  a.send(other, filled(64u << 10));
  ASSERT_TRUE(until([&] { return b.messages.streams[other_at_b].messages.size() == 2; }));
  // Our own side refuses what its protocol does not allow.
  b.send(other_at_b, filled((64u << 10) + 1), Priority::normal, 4);
  ASSERT_TRUE(until([&] { return !b.messages.streams[other_at_b].refused.empty(); }));
}

TEST_P(HostSuite, a_stream_that_ends_within_a_message_is_an_error) {
  // A raw stream under a message protocol's name says what it likes.
  NodeOptions liar;
  liar.raw.ids = {"/test/message/2"};
  liar.messages.ids = {"/test/unused"};
  TestNode& a = node(liar);
  TestNode& b = node();
  join(a, b);
  const StreamSlot slot = a.open(b, a.raw_index,
                                 Bytes::copy("\x05"
                                             "abc"));
  a.host->close(slot);
  ASSERT_TRUE(until([&] { return b.messages.closed() == 1; }));
  EXPECT_EQ(b.messages.last().error->code, Errc::truncated);
  EXPECT_EQ(b.messages.last().ends, 0);
  const StreamSlot wide = a.open(b, a.raw_index, Bytes::copy(std::string_view("\x81\x00", 2)));
  ASSERT_TRUE(until([&] { return a.raw.streams[wide].closes == 1; }));
  EXPECT_EQ(b.messages.last().error->code, Errc::malformed);
}

TEST_P(HostSuite, a_protocol_that_the_peer_does_not_speak_is_refused_without_asking) {
  NodeOptions odd;
  odd.messages.ids = {"/test/odd"};
  TestNode& a = node(odd);
  TestNode& b = node();
  join(a, b);
  const StreamSlot slot = a.open(b, a.message_index);
  EXPECT_EQ(a.messages.streams.count(slot), 0u);  // told from the loop
  ASSERT_TRUE(until([&] { return a.messages.streams[slot].closes == 1; }));
  EXPECT_EQ(a.messages.streams[slot].error->code, Errc::unsupported);
  EXPECT_TRUE(until([&] { return a.host->usage().streams == 0; }));
}

TEST_P(HostSuite, a_protocol_that_stopped_before_the_stream_came_is_refused_by_the_other_side) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  b.host->set_serving(b.message_index, false);
  // a does not know yet. Without a first message it hears "na", with one a reset: what follows a
  // refused proposal is not a line.
  const StreamSlot plain = a.open(b, a.message_index, {});
  const StreamSlot eager = a.open(b, a.message_index);
  ASSERT_TRUE(until([&] { return a.messages.closed() == 2; }));
  EXPECT_EQ(a.messages.streams[plain].error->code, Errc::unsupported);
  EXPECT_EQ(a.messages.streams[eager].error->code, Errc::closed);
  EXPECT_FALSE(a.messages.streams[eager].opened);
  EXPECT_TRUE(b.messages.order.empty());
  EXPECT_TRUE(until([&] { return b.host->usage().streams == 0; }));
}

TEST_P(HostSuite, a_thousand_streams_echo_and_leave_nothing_behind) {
  NodeOptions options;
  options.messages.inbound_streams_per_peer_max = 2000;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  b.messages.on_each_message = [&](StreamSlot slot, const Bytes& message) {
    b.send(slot, message);
  };
  a.messages.on_each_message = [&](StreamSlot slot, const Bytes&) { a.host->close(slot); };
  std::size_t opened = 0;
  // 256 may wait for their acknowledgement: more are opened as others are through.
  ASSERT_TRUE(until(
      [&] {
        while (opened < 1000 && a.host->usage().streams < 200) {
          a.open(b, a.message_index, filled(1 + opened * 7, static_cast<std::uint8_t>(opened)));
          ++opened;
        }
        return a.messages.closed() == 1000;
      },
      60s));
  for (const auto& [slot, log] : a.messages.streams) {
    EXPECT_FALSE(log.error) << describe(*log.error);
    EXPECT_EQ(log.messages.size(), 1u);
  }
  EXPECT_TRUE(until([&] { return b.host->usage().streams == 0; }));
  EXPECT_EQ(a.host->usage().streams, 0u);
}

TEST_P(HostSuite, more_streams_than_the_peer_acknowledges_are_refused_by_event) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  std::vector<StreamSlot> slots;
  for (int i = 0; i < 300; ++i) slots.push_back(a.open(b, a.message_index));
  ASSERT_TRUE(until([&] { return a.messages.closed() >= 44; }));
  EXPECT_EQ(a.messages.streams[slots.back()].error->code, Errc::exhausted);
  EXPECT_TRUE(a.knows(b));
}

TEST_P(HostSuite, a_lost_connection_ends_its_streams_before_the_peer_is_gone) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  stream(a, b);
  raw_stream(a, b);
  b.messages.auto_close = false;
  a.host->disconnect(a.peer(b));
  ASSERT_TRUE(until([&] { return b.messages.gone.size() == 1; }));
  EXPECT_EQ(b.messages.last().closes, 1);
  EXPECT_EQ(b.raw.last().closes, 1);
  EXPECT_TRUE(b.messages.last().error);
  ASSERT_TRUE(until([&] { return a.is_empty() && b.is_empty(); }));
}

TEST_P(HostSuite, a_handler_may_call_anything) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  // b answers a stream by opening one back, and drops the peer from inside the second's handler.
  b.messages.on_accepted = [&](StreamSlot) { b.open(a, b.raw_index, filled(10)); };
  a.raw.on_each_data = [&](StreamSlot slot, const Bytes&) {
    a.host->close(slot);
    a.host->disconnect(a.peer(b));
    EXPECT_FALSE(a.knows(b));
    a.connect(b, 42);
  };
  a.open(b, a.message_index);
  ASSERT_TRUE(until([&] { return a.messages.has_answer(42); }));
  EXPECT_TRUE(a.messages.connected.at(42));
  EXPECT_EQ(a.messages.ready.size(), 2u);
  EXPECT_NE(a.messages.ready[0], a.messages.ready[1]);
  ASSERT_TRUE(until([&] { return a.messages.gone.size() == 1; }));
  EXPECT_EQ(a.messages.gone[0], a.messages.ready[0]);
}

TEST_P(HostSuite, bulk_goes_both_ways_at_once_without_deadlock) {
  NodeOptions options;
  options.raw.send_queue_bytes_max = 8u << 20;
  TestNode& a = node(options);
  TestNode& b = node(options);
  join(a, b);
  a.raw.keep_data = b.raw.keep_data = false;
  const StreamSlot ab = raw_stream(a, b);
  const StreamSlot ba = raw_stream(b, a);
  for (int i = 0; i < 6; ++i) {
    a.send(ab, filled(1u << 20), Priority::bulk);
    b.send(ba, filled(1u << 20), Priority::bulk);
  }
  ASSERT_TRUE(until(
      [&] { return a.raw.last().bytes == (6u << 20) + 3 && b.raw.last().bytes == (6u << 20) + 3; },
      60s));
}

}  // namespace
}  // namespace kith::host
