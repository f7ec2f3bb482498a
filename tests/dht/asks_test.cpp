#include "dht/asks.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using libp2p::KadMessage;
using libp2p::KadType;
using test::at;
using test::only;
using test::peer_slot;
using test::stream_slot;
using Kind = Outcome::Kind;

class AsksTest : public ::testing::Test {
 protected:
  Ask request(Expect expect = Expect::answer, KadType type = KadType::find_node) {
    Ask ask;
    ask.peer = book.intern(test::peer_id(1));
    ask.expect = expect;
    ask.type = type;
    ask.key = Bytes::copy("key");
    ask.message = libp2p::encode_kad({type, ask.key, {}, {}, {}});
    return ask;
  }
  void start(Ask ask, bool ready = true) {
    asks.ask(now, std::move(ask), ready ? std::optional(peer_slot(1)) : std::nullopt, {}, out,
             outcomes);
  }
  // Carries out the one OpenStream among the effects.
  host::StreamSlot opened() {
    const auto opens = only<OpenStream>(out);
    EXPECT_EQ(opens.size(), 1u);
    const host::StreamSlot stream = stream_slot(++streams);
    EXPECT_TRUE(asks.bind(opens.back().ask, stream));
    out.clear();
    return stream;
  }
  static Bytes answer(KadType type = KadType::find_node, std::string_view key = "") {
    return libp2p::encode_kad({type, Bytes::copy(key), {}, {}, {}});
  }
  std::vector<Kind> kinds() {
    std::vector<Kind> found;
    for (const Outcome& outcome : outcomes) found.push_back(outcome.kind);
    outcomes.clear();
    return found;
  }
  void wait(Duration time) {
    now = {now.mono + time, now.wall + time};
    asks.on_tick(now, out, outcomes);
  }

  PeerBook book{Rng(1)};
  Asks asks;
  Now now = at(0s);
  Effects out;
  Outcomes outcomes;
  std::uint32_t streams = 0;
};

TEST_F(AsksTest, a_ready_peer_is_asked_on_a_new_stream) {
  start(request());
  const host::StreamSlot stream = opened();
  EXPECT_TRUE(asks.on_message(now, stream, answer(), out, outcomes));
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].kind, Kind::answered);
  EXPECT_EQ(outcomes[0].slot, peer_slot(1));
  EXPECT_EQ(asks.in_flight(), 0u);
}

TEST_F(AsksTest, an_unknown_peer_is_connected_first) {
  start(request(), false);
  const auto connects = only<Connect>(out);
  ASSERT_EQ(connects.size(), 1u);
  EXPECT_EQ(connects[0].id, test::peer_id(1));
  out.clear();
  EXPECT_TRUE(asks.on_connected(now, connects[0].request, peer_slot(3), out, outcomes));
  ASSERT_EQ(only<OpenStream>(out).size(), 1u);
  EXPECT_EQ(only<OpenStream>(out)[0].peer, peer_slot(3));
}

TEST_F(AsksTest, a_peer_that_cannot_be_reached_fails_the_ask) {
  start(request(), false);
  asks.on_connected(now, only<Connect>(out)[0].request, fail(Errc::connection, "no"), out,
                    outcomes);
  EXPECT_EQ(kinds(), std::vector{Kind::failed});
  EXPECT_EQ(asks.next_deadline(), kNever);
}

TEST_F(AsksTest, where_only_a_connection_is_wanted_nothing_is_sent) {
  start(request(Expect::connection), false);
  const RequestId connecting = only<Connect>(out)[0].request;
  out.clear();
  asks.on_connected(now, connecting, peer_slot(3), out, outcomes);
  EXPECT_EQ(kinds(), std::vector{Kind::connected});
  EXPECT_TRUE(out.empty());
}

TEST_F(AsksTest, the_deadline_covers_connecting_and_answering_together) {
  start(request(), false);
  const RequestId connecting = only<Connect>(out)[0].request;
  wait(6s);
  EXPECT_EQ(kinds(), (std::vector{Kind::late, Kind::overdue}));
  out.clear();
  asks.on_connected(now, connecting, peer_slot(3), out, outcomes);
  const host::StreamSlot stream = opened();
  wait(3s);
  EXPECT_TRUE(kinds().empty());
  wait(1s);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].error.code, Errc::timeout);
  EXPECT_EQ(only<ResetStream>(out).size(), 1u);
  EXPECT_FALSE(asks.on_message(now, stream, answer(), out, outcomes)) << "the stream is forgotten";
  EXPECT_TRUE(asks.on_connected(now, connecting, peer_slot(3), out, outcomes));
}

TEST_F(AsksTest, late_and_overdue_come_once_and_the_answer_may_still_follow) {
  start(request());
  const host::StreamSlot stream = opened();
  wait(kLateFirst);
  wait(1s);
  EXPECT_EQ(kinds(), std::vector{Kind::late});
  wait(kOverdueFirst - kLateFirst);
  wait(1s);
  EXPECT_EQ(kinds(), std::vector{Kind::overdue});
  asks.on_message(now, stream, answer(), out, outcomes);
  EXPECT_EQ(kinds(), std::vector{Kind::answered});
}

TEST(AnswerTimes, conclude_from_what_answers_took) {
  AnswerTimes times;
  EXPECT_EQ(times.late_after(), kLateFirst);
  EXPECT_EQ(times.overdue_after(), kOverdueFirst);
  for (int i = 0; i < 100; ++i) times.add(20ms);
  EXPECT_EQ(times.late_after(), kLateMin);
  EXPECT_EQ(times.overdue_after(), kOverdueMin);
  for (int i = 0; i < 200; ++i) times.add(i % 2 == 0 ? 600ms : 800ms);
  EXPECT_GT(times.late_after(), 800ms);
  EXPECT_LT(times.late_after(), 1s);
  EXPECT_GT(times.overdue_after(), times.late_after());
  for (int i = 0; i < 100; ++i) times.add(1h);
  EXPECT_EQ(times.late_after(), kLateMax);
  EXPECT_EQ(times.overdue_after(), kOverdueMax);
}

TEST_F(AsksTest, dialled_peers_are_measured_apart) {
  for (int i = 0; i < 50; ++i) {
    start(request(), false);
    const RequestId connecting = only<Connect>(out).back().request;
    out.clear();
    wait(900ms);
    asks.on_connected(now, connecting, peer_slot(1), out, outcomes);
    const bool reused = only<OpenStream>(out).empty();
    const host::StreamSlot stream = reused ? stream_slot(streams) : opened();
    out.clear();
    asks.on_message(now, stream, answer(), out, outcomes);
  }
  EXPECT_EQ(asks.times(false).late_after(), kLateFirst);
  EXPECT_NE(asks.times(true).late_after(), kLateFirst);
}

TEST_F(AsksTest, an_idle_stream_is_used_again) {
  start(request());
  const host::StreamSlot stream = opened();
  asks.on_message(now, stream, answer(), out, outcomes);
  start(request());
  EXPECT_TRUE(only<OpenStream>(out).empty());
  ASSERT_EQ(only<SendMessage>(out).size(), 1u);
  EXPECT_EQ(only<SendMessage>(out)[0].stream, stream);
  asks.on_message(now, stream, answer(), out, outcomes);
  EXPECT_EQ(kinds(), (std::vector{Kind::answered, Kind::answered}));
}

TEST_F(AsksTest, an_idle_stream_is_closed_after_a_while) {
  start(request());
  const host::StreamSlot stream = opened();
  asks.on_message(now, stream, answer(), out, outcomes);
  EXPECT_EQ(asks.next_deadline(), now.mono + kIdleStream);
  wait(kIdleStream);
  ASSERT_EQ(only<CloseStream>(out).size(), 1u);
  EXPECT_EQ(asks.idle_streams(), 0u);
  EXPECT_EQ(asks.next_deadline(), kNever);
}

TEST_F(AsksTest, a_reused_stream_that_had_ended_costs_one_more_try_and_not_the_answer) {
  start(request());
  const host::StreamSlot stream = opened();
  asks.on_message(now, stream, answer(), out, outcomes);
  outcomes.clear();
  start(request());
  out.clear();
  const Error reset = fail(Errc::closed, "reset");
  asks.on_closed(now, stream, &reset, out, outcomes);
  EXPECT_TRUE(outcomes.empty());
  const host::StreamSlot second = opened();
  asks.on_closed(now, second, &reset, out, outcomes);
  EXPECT_EQ(kinds(), std::vector{Kind::failed}) << "once only";
}

TEST_F(AsksTest, the_other_side_ending_an_idle_stream_is_no_failure) {
  start(request());
  const host::StreamSlot stream = opened();
  asks.on_message(now, stream, answer(), out, outcomes);
  outcomes.clear();
  asks.on_ended(now, stream, out);
  asks.on_closed(now, stream, nullptr, out, outcomes);
  EXPECT_TRUE(outcomes.empty());
  start(request());
  EXPECT_EQ(only<OpenStream>(out).size(), 1u);
}

TEST_F(AsksTest, ending_without_an_answer_fails) {
  start(request());
  const host::StreamSlot stream = opened();
  asks.on_ended(now, stream, out);
  asks.on_closed(now, stream, nullptr, out, outcomes);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].error.code, Errc::closed);
}

TEST_F(AsksTest, delivery_is_done_when_the_other_side_took_the_stream) {
  start(request(Expect::delivery, KadType::add_provider));
  const host::StreamSlot stream = opened();
  EXPECT_TRUE(outcomes.empty());
  asks.on_opened(now, stream, out, outcomes);
  EXPECT_EQ(kinds(), std::vector{Kind::delivered});
}

TEST_F(AsksTest, delivery_to_a_peer_that_refuses_the_stream_fails) {
  start(request(Expect::delivery, KadType::add_provider));
  const host::StreamSlot stream = opened();
  const Error refused = fail(Errc::unsupported, "no such protocol");
  asks.on_closed(now, stream, &refused, out, outcomes);
  EXPECT_EQ(kinds(), std::vector{Kind::failed});
}

TEST_F(AsksTest, wrong_answers_fail_and_reset) {
  const auto refused = [&](Bytes message) {
    start(request());
    const host::StreamSlot stream = opened();
    asks.on_message(now, stream, message, out, outcomes);
    const bool reset = only<ResetStream>(out).size() == 1;
    out.clear();
    return kinds() == std::vector{Kind::failed} && reset && asks.idle_streams() == 0;
  };
  EXPECT_TRUE(refused(answer(KadType::get_value)));
  EXPECT_TRUE(refused(answer(KadType::find_node, "another key")));
  EXPECT_TRUE(refused(Bytes::copy("\xff\xff\xff")));
  EXPECT_TRUE(refused(Bytes::copy(std::string(libp2p::kKadMessageInMax + 1, '\0'))));
  EXPECT_FALSE(refused(answer(KadType::find_node, "key")));
}

TEST_F(AsksTest, an_answer_to_nothing_resets_the_idle_stream) {
  start(request());
  const host::StreamSlot stream = opened();
  asks.on_message(now, stream, answer(), out, outcomes);
  out.clear();
  asks.on_message(now, stream, answer(), out, outcomes);
  EXPECT_EQ(only<ResetStream>(out).size(), 1u);
  EXPECT_EQ(kinds(), std::vector{Kind::answered});
  EXPECT_EQ(asks.idle_streams(), 0u);
}

TEST_F(AsksTest, asks_under_way_are_bounded) {
  for (std::size_t i = 0; i <= kAsksInFlightMax; ++i) start(request(), false);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].error.code, Errc::exhausted);
  EXPECT_EQ(asks.in_flight(), kAsksInFlightMax);
}

TEST_F(AsksTest, idle_streams_are_bounded) {
  for (std::uint32_t i = 0; i < kIdleStreamsMax + 5; ++i) {
    Ask ask = request();
    asks.ask(now, std::move(ask), peer_slot(i), {}, out, outcomes);
    const host::StreamSlot stream = opened();
    asks.on_message(now, stream, answer(), out, outcomes);
    EXPECT_EQ(only<CloseStream>(out).size(), i < kIdleStreamsMax ? 0u : 1u);
    out.clear();
  }
  EXPECT_EQ(asks.idle_streams(), kIdleStreamsMax);
}

TEST_F(AsksTest, streams_of_others_are_none_of_its_business) {
  EXPECT_FALSE(asks.on_message(now, stream_slot(9), answer(), out, outcomes));
  EXPECT_FALSE(asks.on_opened(now, stream_slot(9), out, outcomes));
  EXPECT_FALSE(asks.on_ended(now, stream_slot(9), out));
  EXPECT_FALSE(asks.on_closed(now, stream_slot(9), nullptr, out, outcomes));
  EXPECT_FALSE(asks.on_connected(now, RequestId{5}, peer_slot(1), out, outcomes));
  EXPECT_TRUE(out.empty() && outcomes.empty());
}

}  // namespace
}  // namespace kith::dht
