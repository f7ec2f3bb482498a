// Conformance of Host: the other side is slow, silent, lying or broken, at each layer.
#include "hand_peer.hpp"
#include "support.hpp"

namespace kith::host {
namespace {

// Short deadlines, so that sockets need no patience.
NodeOptions quick() {
  NodeOptions options;
  options.limits.handshake_deadline = 400ms;
  options.limits.identify_deadline = 400ms;
  options.limits.negotiate_deadline = 400ms;
  options.limits.connect_deadline = 2s;
  options.limits.close_linger = 300ms;
  return options;
}

class Hostile : public HostSuite {
 protected:
  HandPeer& hand(HandOptions options = {}) {
    hands_.push_back(std::make_unique<HandPeer>(*world_, 500 + hands_.size(), options));
    return *hands_.back();
  }
  // Deadlines are exact in virtual time; sockets add the machine's.
  void expect_cut(const TestNode& victim, Mono since, Duration deadline) {
    const Duration took = victim.loop.now().mono - since;
    const Duration path = 4 * world_->latency();
    EXPECT_TRUE(!world_->is_virtual() || took >= deadline - 1ms);
    EXPECT_LE(took, deadline + path + (world_->is_virtual() ? 0ms : 1s));
  }
  // The victim dropped it, kept nothing, and goes on with others.
  void expect_dropped(TestNode& victim, HandPeer& liar) {
    EXPECT_TRUE(until([&] { return liar.closed; })) << "still connected";
    EXPECT_TRUE(until([&] { return victim.is_empty(); }));
    EXPECT_TRUE(victim.messages.order.empty());
    EXPECT_EQ(victim.messages.ready.size(), victim.messages.gone.size());
    TestNode& honest = node();
    join(honest, victim);
    stream(honest, victim);
  }
  std::vector<std::unique_ptr<HandPeer>> hands_;
};

INSTANTIATE_TEST_SUITE_P(Worlds, Hostile,
                         testing::Values(World{"memory", make_memory_harness},
                                         World{"sim", make_sim_harness},
                                         World{"sockets", make_asio_harness}),
                         [](const auto& world) { return world.param.name; });

TEST_P(Hostile, silence_is_cut_at_the_handshake_deadline) {
  TestNode& victim = node(quick());
  HandPeer& liar = hand({.shakes_hands = false});
  liar.dial(victim.addr);
  ASSERT_TRUE(until([&] { return victim.host->usage().links == 1; }));
  const Mono start = victim.loop.now().mono;
  ASSERT_TRUE(until([&] { return liar.closed; }));
  expect_cut(victim, start, 400ms);
  expect_dropped(victim, liar);
}

TEST_P(Hostile, one_byte_at_a_time_does_not_move_the_deadline) {
  TestNode& victim = node(quick());
  HandPeer& liar = hand({.shakes_hands = false});
  liar.dial(victim.addr);
  ASSERT_TRUE(until([&] { return victim.host->usage().links == 1 && liar.connected; }));
  const Mono start = victim.loop.now().mono;
  const std::string_view script = "\x13/multistream/1.0.0\n\x07/noise\n";
  for (std::size_t i = 0; !liar.closed && i < 100; ++i) {
    if (i < script.size()) liar.send_raw(Bytes::copy(script.substr(i, 1)));
    world_->run_until([&] { return liar.closed; }, 20ms);
  }
  ASSERT_TRUE(liar.closed);
  expect_cut(victim, start - 4 * world_->latency(), 400ms);
  expect_dropped(victim, liar);
}

TEST_P(Hostile, a_silent_listener_is_given_up_at_the_deadline) {
  TestNode& victim = node(quick());
  HandPeer& liar = hand({.shakes_hands = false});
  const Multiaddr at = liar.listen();
  victim.host->connect(victim.message_index, {1}, liar.id(), std::vector{at});
  const Mono start = victim.loop.now().mono;
  ASSERT_TRUE(until([&] { return victim.messages.has_answer(1); }));
  EXPECT_LE(victim.loop.now().mono - start, 2s + 1s);
  EXPECT_FALSE(victim.messages.connected.at(1));
  EXPECT_TRUE(until([&] { return victim.is_empty(); }));
}

struct Garbage {
  std::string_view name;
  std::string bytes;
};
TEST_P(Hostile, garbage_instead_of_a_handshake_is_dropped_at_once) {
  const Garbage all[] = {
      {"http", "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(60, 'x')},
      {"endless length", std::string(64, '\xff')},
      {"empty lines", std::string(200, '\0')},
      {"no newline", "\x13/multistream/1.0.0x"},
      {"another header", "\x13/multistream/9.0.0\n"},
      {"empty noise message", std::string("\x13/multistream/1.0.0\n\x07/noise\n\0\0", 30)},
      {"short noise message", std::string("\x13/multistream/1.0.0\n\x07/noise\n\0\x05"
                                          "abcde",
                                          35)},
      {"huge noise message", std::string("\x13/multistream/1.0.0\n\x07/noise\n\xff\xff", 30)},
      {"point of low order",
       std::string("\x13/multistream/1.0.0\n\x07/noise\n\0\x20", 30) + std::string(32, '\0')},
  };
  TestNode& victim = node(quick());
  for (const Garbage& garbage : all) {
    SCOPED_TRACE(garbage.name);
    HandPeer& liar = hand({.shakes_hands = false});
    liar.dial(victim.addr);
    ASSERT_TRUE(until([&] { return liar.connected; }));
    const Mono start = victim.loop.now().mono;
    liar.send_raw(Bytes::copy(garbage.bytes));
    ASSERT_TRUE(until([&] { return liar.closed; }));
    EXPECT_LT(victim.loop.now().mono - start, 350ms);
    EXPECT_TRUE(until([&] { return victim.is_empty(); }));
  }
  TestNode& honest = node();
  join(honest, victim);
}

TEST_P(Hostile, endless_proposals_end_before_the_deadline) {
  TestNode& victim = node(quick());
  HandPeer& liar = hand({.shakes_hands = false});
  liar.dial(victim.addr);
  ASSERT_TRUE(until([&] { return liar.connected; }));
  std::string flood = "\x13/multistream/1.0.0\n";
  for (int i = 0; i < 5'000; ++i) flood += "\x09/nothing\n";
  liar.send_raw(Bytes::copy(flood));
  ASSERT_TRUE(until([&] { return liar.closed; }, 350ms));
  EXPECT_LT(liar.raw_bytes, 1'000u);
  expect_dropped(victim, liar);
}

TEST_P(Hostile, a_peer_without_the_muxer_extension_is_met_by_multistream) {
  TestNode& us = node();
  for (const bool they_dial : {true, false}) {
    SCOPED_TRACE(they_dial);
    HandPeer& other = hand({.offers_muxer = false, .asks_identify = true});
    if (they_dial)
      other.dial(us.addr);
    else
      us.host->connect(us.message_index, {1}, other.id(), std::vector{other.listen()});
    ASSERT_TRUE(until([&] { return us.host->find_peer(other.id()) && other.identified; }))
        << other.connected << other.secured << other.closed
        << (us.messages.has_answer(1) && !us.messages.connected.at(1)
                ? describe(us.messages.connected.at(1).error())
                : "");
    const StreamSlot slot =
        us.host->open(*us.host->find_peer(other.id()), us.message_index, filled(10), {});
    ASSERT_TRUE(until([&] { return us.messages.streams[slot].opened; }));
    us.host->disconnect(*us.host->find_peer(other.id()));
    ASSERT_TRUE(until([&] { return us.is_empty(); }));
  }
}

TEST_P(Hostile, an_identity_signed_by_another_key_is_dropped) {
  TestNode& victim = node(quick());
  HandPeer& liar = hand({.signs_for_another = true});
  liar.dial(victim.addr);
  expect_dropped(victim, liar);
}

TEST_P(Hostile, bytes_that_do_not_decrypt_end_the_connection) {
  TestNode& victim = node(quick());
  HandPeer& liar = hand();
  liar.dial(victim.addr);
  ASSERT_TRUE(until([&] { return victim.host->find_peer(liar.id()).has_value(); }));
  liar.send_raw(Bytes::copy(std::string("\0\x14", 2) + std::string(20, 'x')));
  expect_dropped(victim, liar);
}

TEST_P(Hostile, rubbish_inside_the_channel_is_answered_by_go_away) {
  const Bytes all[] = {
      filled(100),                                                       // no version 0
      Bytes::copy(std::string("\0\x07\0\0\0\0\0\1\0\0\0\0", 12)),        // unknown type
      Bytes::copy(std::string("\0\0\0\1\0\0\0\2\0\0\0\0", 12)),          // wrong parity of the id
      Bytes::copy(std::string("\0\0\0\1\0\0\0\1\xff\xff\xff\xff", 12)),  // more than the window
  };
  TestNode& victim = node(quick());
  for (std::size_t i = 0; i < std::size(all); ++i) {
    SCOPED_TRACE(i);
    HandPeer& liar = hand({.speaks_yamux = false});
    liar.dial(victim.addr);
    ASSERT_TRUE(until([&] { return liar.secured; }));
    liar.send_plain(all[i]);
    ASSERT_TRUE(until([&] { return liar.closed; }));
    EXPECT_TRUE(until([&] { return victim.is_empty(); }));
    const auto& plain = liar.plain;
    ASSERT_GE(plain.size(), 12u);
    EXPECT_EQ(plain[plain.size() - 11], 3);  // the last frame's type: go away
    EXPECT_EQ(plain.back(), 1);              // protocol error
  }
  TestNode& honest = node();
  join(honest, victim);
}

TEST_P(Hostile, a_peer_that_never_identifies_is_dropped_at_the_deadline) {
  TestNode& victim = node(quick());
  HandPeer& liar = hand({.answers_identify = false});
  liar.dial(victim.addr);
  ASSERT_TRUE(until([&] { return liar.secured; }));
  const Mono start = victim.loop.now().mono;
  ASSERT_TRUE(until([&] { return liar.closed; }));
  EXPECT_GE(victim.loop.now().mono - start, 400ms - 1ms - 2 * world_->latency());
  EXPECT_TRUE(victim.messages.ready.empty());
  EXPECT_TRUE(until([&] { return victim.is_empty(); }));
  // The dialling side hears of it as the reason.
  HandPeer& listener = hand({.answers_identify = false});
  victim.host->connect(victim.message_index, {1}, listener.id(), std::vector{listener.listen()});
  ASSERT_TRUE(until([&] { return victim.messages.has_answer(1); }));
  EXPECT_NE(victim.messages.connected.at(1).error().why.find("identify"), std::string::npos);
}

TEST_P(Hostile, identify_of_rubbish_or_of_somebody_else_is_dropped) {
  Rng rng(99);
  const auto other = crypto::Identity::make(rng);
  wire::IdentifyMaker maker(other, "liar", 0);
  const Bytes answers[] = {
      Bytes::copy("\x05"
                  "12345"),  // no protobuf
      Bytes::copy("\x7f"
                  "cut"),                    // ends within the message
      Bytes::copy(std::string(20, '\xff')),  // endless length
      maker.make({}, {}, {}),                // another's key
  };
  TestNode& victim = node(quick());
  for (const Bytes& answer : answers) {
    HandPeer& liar = hand();
    liar.identify_answer = answer;
    liar.dial(victim.addr);
    ASSERT_TRUE(until([&] { return liar.closed; }));
    EXPECT_TRUE(until([&] { return victim.is_empty(); }));
  }
  EXPECT_TRUE(victim.messages.ready.empty());
}

TEST_P(Hostile, what_comes_before_identify_waits_for_ready) {
  TestNode& us = node(quick());
  HandPeer& eager = hand({.answers_identify = false});
  eager.dial(us.addr);
  ASSERT_TRUE(until([&] { return eager.secured; }));
  const auto slot = eager.mux().open({}).value();
  const std::vector<std::string> id = {"/test/message/2"};
  eager.mux().write({}, slot,
                    wire::MultistreamDialer(id).start(Bytes::copy("\x03"
                                                                  "abc")));
  eager.flush();
  // The name is agreed at once; the protocol hears nothing of an unknown peer.
  ASSERT_TRUE(until([&] { return !eager.streams[slot.index].empty(); }));
  EXPECT_TRUE(us.messages.order.empty());
  EXPECT_GT(us.host->usage().assembly_bytes, 0u);
  ASSERT_TRUE(until([&] { return eager.closed && us.is_empty(); }));
  EXPECT_TRUE(us.messages.streams.empty());
}

TEST_P(Hostile, rubbish_in_a_stream_costs_the_stream_only) {
  TestNode& us = node(quick());
  HandPeer& liar = hand();
  liar.dial(us.addr);
  ASSERT_TRUE(until([&] { return us.host->find_peer(liar.id()).has_value(); }));
  const std::vector<std::string> id = {"/test/message/2"};
  const Bytes openings[] = {
      Bytes::copy("\x05"
                  "rubbish"),
      Bytes::copy(std::string(30, '\xff')),
      wire::MultistreamDialer(id).start(Bytes::copy(std::string(12, '\xff'))),
      wire::MultistreamDialer(id).start(Bytes::copy("\xff\xff\x7f")),  // 2 MiB
  };
  std::size_t resets = 0;
  for (const Bytes& opening : openings) {
    SCOPED_TRACE(resets);
    const auto slot = liar.mux().open({}).value();
    liar.mux().write({}, slot, opening);
    liar.flush();
    ++resets;
    ASSERT_TRUE(until([&] { return liar.resets == resets; }, 300ms));
  }
  const auto silent = liar.mux().open({}).value();
  liar.mux().write({}, silent, Bytes::copy("\x13/multi"));
  liar.flush();
  ASSERT_TRUE(until([&] { return liar.resets == resets + 1; }));  // negotiate_deadline
  EXPECT_TRUE(us.host->find_peer(liar.id()).has_value());
  EXPECT_TRUE(until([&] { return us.host->usage().streams == 0; }));
  EXPECT_EQ(us.host->usage().assembly_bytes, 0u);
}

TEST_P(Hostile, our_stream_that_is_never_agreed_ends_at_its_deadline) {
  TestNode& us = node(quick());
  HandPeer& mute = hand({.protocols = {"/test/raw/1"}});
  mute.dial(us.addr);
  ASSERT_TRUE(until([&] { return us.host->find_peer(mute.id()).has_value(); }));
  // The peer says in a push that it speaks the protocol; it answers "na".
  const StreamSlot refused =
      us.host->open(*us.host->find_peer(mute.id()), us.message_index, {}, Priority::normal);
  ASSERT_TRUE(until([&] { return us.messages.streams[refused].closes == 1; }));
  EXPECT_EQ(us.messages.streams[refused].error->code, Errc::unsupported);
}

TEST_P(Hostile, a_claimed_length_costs_no_memory) {
  NodeOptions options = quick();
  options.messages.message_bytes_max = 32u << 20;
  TestNode& us = node(options);
  HandPeer& liar = hand();
  liar.dial(us.addr);
  ASSERT_TRUE(until([&] { return us.host->find_peer(liar.id()).has_value(); }));
  const std::vector<std::string> id = {"/test/message/2"};
  for (int i = 0; i < 4; ++i) {
    const auto slot = liar.mux().open({}).value();
    liar.mux().write({}, slot, wire::MultistreamDialer(id).start(Bytes::copy("\xff\xff\xff\x0f.")));
  }
  liar.flush();
  ASSERT_TRUE(until([&] { return us.messages.order.size() == 4; }));
  world_->run_for(100ms);
  EXPECT_LE(us.host->usage().assembly_bytes, 4 * MessageAssembler::kClaimTrusted);
  liar.abort();
  EXPECT_TRUE(until([&] { return us.is_empty(); }));
}

TEST_P(Hostile, the_assembly_budget_resets_what_exceeds_it) {
  NodeOptions options = quick();
  options.messages.message_bytes_max = 4u << 20;
  options.limits.assembly_bytes_max = 1u << 20;
  TestNode& us = node(options);
  HandPeer& liar = hand();
  liar.dial(us.addr);
  ASSERT_TRUE(until([&] { return us.host->find_peer(liar.id()).has_value(); }));
  const std::vector<std::string> id = {"/test/message/2"};
  for (int i = 0; i < 6; ++i) {
    const auto slot = liar.mux().open({}).value();
    liar.mux().write({}, slot, wire::MultistreamDialer(id).start(Bytes::copy("\x80\x80\x80\x01")));
    liar.mux().write({}, slot, filled(250'000));  // of 2 MiB
  }
  liar.flush();
  ASSERT_TRUE(until([&] { return liar.resets > 0; }));
  EXPECT_LE(us.host->usage().assembly_bytes, 1u << 20);
  liar.abort();
  EXPECT_TRUE(until([&] { return us.is_empty(); }));
}

TEST_P(Hostile, a_reader_that_stops_is_dropped_after_the_stall) {
  NodeOptions options = quick();
  options.limits.write_stall = 600ms;
  options.raw.send_queue_bytes_max = 64u << 20;
  options.limits.send_bytes_per_connection_max = 128u << 20;
  TestNode& us = node(options);
  HandPeer& stuck = hand();
  stuck.dial(us.addr);
  ASSERT_TRUE(until([&] { return us.host->find_peer(stuck.id()).has_value(); }));
  const PeerSlot peer = *us.host->find_peer(stuck.id());
  // More than kernel buffers take: many streams, each up to its initial window.
  for (int i = 0; i < 120; ++i) {
    const StreamSlot slot = us.host->open(peer, us.raw_index, filled(3), Priority::bulk);
    us.host->send(slot, filled(250'000), Priority::bulk, 0);
  }
  stuck.pause_reading();
  const Mono start = us.loop.now().mono;
  ASSERT_TRUE(until([&] { return us.is_empty(); }));
  const Duration took = us.loop.now().mono - start;
  EXPECT_GE(took, 600ms);
  EXPECT_EQ(us.raw.gone.size(), 1u);
}

TEST_P(Hostile, a_peer_that_goes_away_is_let_go) {
  TestNode& us = node(quick());
  HandPeer& leaving = hand();
  leaving.dial(us.addr);
  ASSERT_TRUE(until([&] { return us.host->find_peer(leaving.id()).has_value(); }));
  leaving.mux().go_away();
  leaving.flush();
  ASSERT_TRUE(until([&] { return us.is_empty(); }));
  EXPECT_EQ(us.messages.gone.size(), 1u);
}

TEST_P(Hostile, unauthenticated_connections_are_capped_and_others_wait_at_the_door) {
  NodeOptions options = quick();
  options.limits.unauthenticated_max = 4;
  TestNode& victim = node(options);
  std::size_t most = 0;
  for (int i = 0; i < 7; ++i) hand({.shakes_hands = false}).dial(victim.addr);
  ASSERT_TRUE(until([&] {
    most = std::max(most, victim.host->usage().unauthenticated);
    return most == 4;
  }));
  TestNode& honest = node();
  honest.connect(victim);
  ASSERT_TRUE(until([&] {
    most = std::max(most, victim.host->usage().unauthenticated);
    return honest.messages.has_answer(1);
  }));
  EXPECT_TRUE(honest.messages.connected.at(1)) << "the door opened again when silence was cut";
  EXPECT_EQ(most, 4u);
}

TEST_P(Hostile, one_address_cannot_take_more_than_its_share) {
  if (!world_->is_virtual()) GTEST_SKIP() << "loopback is exempt";
  NodeOptions options;
  options.limits.inbound_per_prefix_max = 1;
  TestNode& victim = node(options);
  // A node's own second connection: its dialler knows no better.
  TestNode& a = node();
  join(a, victim);
  a.host->connect(a.message_index, {2}, {}, std::vector{victim.addr});
  ASSERT_TRUE(until([&] { return a.messages.has_answer(2); }));
  EXPECT_FALSE(a.messages.connected.at(2));
  EXPECT_TRUE(a.knows(victim));
  TestNode& b = node();
  join(b, victim);
}

TEST_P(Hostile, connections_in_all_are_capped_in_both_directions) {
  NodeOptions options;
  options.limits.connections_max = 2;
  TestNode& small = node(options);
  TestNode& a = node();
  TestNode& b = node();
  TestNode& c = node(quick());
  join(small, a);
  join(b, small);
  small.connect(c, 7);
  ASSERT_TRUE(until([&] { return small.messages.has_answer(7); }));
  EXPECT_NE(small.messages.connected.at(7).error().why.find("too many"), std::string::npos);
  c.connect(small, 8);
  ASSERT_TRUE(until([&] { return c.messages.has_answer(8); }));
  EXPECT_FALSE(c.messages.connected.at(8));
  EXPECT_TRUE(small.knows(a) && small.knows(b));
}

}  // namespace
}  // namespace kith::host
