// Conformance of Host: peers, connecting, identify.
#include "support.hpp"

namespace kith::host {
namespace {

TEST_P(HostSuite, ready_and_gone_come_once_to_each_side) {
  TestNode& a = node();
  TestNode& b = node();
  a.connect(b);
  ASSERT_TRUE(until([&] { return a.knows(b) && b.knows(a); }));
  world_->run_for(500ms);
  EXPECT_EQ(a.messages.ready.size(), 1u);
  EXPECT_EQ(a.raw.ready.size(), 1u);
  EXPECT_EQ(b.messages.ready.size(), 1u);
  ASSERT_TRUE(a.messages.has_answer(1));
  EXPECT_EQ(a.messages.connected.at(1).value(), a.peer(b));
  const PeerFacts& facts = a.messages.facts_of.at(a.peer(b));
  EXPECT_EQ(facts.id, b.id());
  EXPECT_EQ(facts.agent, "kith-test/101");
  EXPECT_TRUE(facts.outbound);
  EXPECT_TRUE(facts.speaks("/test/message/2"));
  EXPECT_TRUE(facts.speaks("/ipfs/id/1.0.0"));
  EXPECT_FALSE(facts.speaks("/test/other"));
  EXPECT_EQ(facts.remote, b.addr.with_peer_id(b.id()));
  EXPECT_EQ(facts.listen_addrs, b.host->listen_addrs());
  EXPECT_FALSE(b.messages.facts_of.at(b.peer(a)).outbound);

  const PeerSlot peer = a.peer(b);
  a.host->disconnect(peer);
  ASSERT_TRUE(until([&] { return a.is_empty() && b.is_empty(); }));
  EXPECT_EQ(a.messages.gone, std::vector{peer});
  EXPECT_EQ(b.messages.gone.size(), 1u);
  EXPECT_EQ(b.raw.gone.size(), 1u);
  EXPECT_FALSE(a.knows(b));
  EXPECT_EQ(a.host->facts(peer), nullptr);
}

TEST_P(HostSuite, connecting_to_a_ready_peer_is_answered_from_the_loop) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  a.connect(b, 5);
  EXPECT_FALSE(a.messages.has_answer(5));
  ASSERT_TRUE(until([&] { return a.messages.has_answer(5); }, 1s));
  EXPECT_EQ(a.host->usage().links, 1u);
}

TEST_P(HostSuite, a_second_connect_joins_the_first) {
  TestNode& a = node();
  TestNode& b = node();
  a.connect(b, 1);
  a.connect(b, 2);
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1) && a.messages.has_answer(2); }));
  EXPECT_EQ(a.messages.connected.at(1).value(), a.messages.connected.at(2).value());
  EXPECT_EQ(a.host->usage().links, 1u);
}

TEST_P(HostSuite, a_peer_that_proves_another_id_is_refused) {
  TestNode& a = node();
  TestNode& b = node();
  TestNode& c = node();
  a.host->connect(a.message_index, {1}, c.id(), std::vector{b.addr});
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1); }));
  const auto& answer = a.messages.connected.at(1);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::identity);
  EXPECT_NE(answer.error().why.find(b.addr.text()), std::string::npos) << answer.error().why;
  ASSERT_TRUE(until([&] { return a.is_empty() && b.is_empty(); }));
  EXPECT_TRUE(a.messages.ready.empty());
  EXPECT_TRUE(b.messages.ready.empty());
}

TEST_P(HostSuite, an_address_that_names_its_peer_is_held_to_it) {
  TestNode& a = node();
  TestNode& b = node();
  TestNode& c = node();
  a.host->connect(a.message_index, {1}, {}, std::vector{b.addr.with_peer_id(c.id())});
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1); }));
  EXPECT_EQ(a.messages.connected.at(1).error().code, Errc::identity);
}

TEST_P(HostSuite, an_empty_id_takes_whoever_answers) {
  TestNode& a = node();
  TestNode& b = node();
  a.host->connect(a.message_index, {1}, {}, std::vector{b.addr});
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1); }));
  ASSERT_TRUE(a.messages.connected.at(1));
  EXPECT_EQ(a.host->facts(a.messages.connected.at(1).value())->id, b.id());
}

TEST_P(HostSuite, an_address_where_nobody_listens_is_named_in_the_error) {
  TestNode& a = node();
  TestNode& b = node();
  a.host->connect(a.message_index, {1}, b.id(), std::vector{world_->dead_addr()});
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1); }, 30s));
  const auto& answer = a.messages.connected.at(1);
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().why.find(world_->dead_addr().text()), std::string::npos);
  EXPECT_NE(answer.error().what.find(b.id().text()), std::string::npos);
  EXPECT_TRUE(until([&] { return a.is_empty(); }));
}

TEST_P(HostSuite, a_live_address_behind_dead_ones_is_reached) {
  TestNode& a = node();
  TestNode& b = node();
  std::vector<Multiaddr> addrs(5, world_->dead_addr());
  addrs.push_back(b.addr);
  a.host->connect(a.message_index, {1}, b.id(), addrs);
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1); }));
  EXPECT_TRUE(a.messages.connected.at(1)) << describe(a.messages.connected.at(1).error());
}

TEST_P(HostSuite, no_known_address_is_not_found_and_oneself_is_refused) {
  TestNode& a = node();
  TestNode& b = node();
  a.host->connect(a.message_index, {1}, b.id(), {});
  a.host->connect(a.message_index, {2}, a.id(), std::vector{a.addr});
  a.host->connect(a.message_index, {3}, {}, std::vector{a.addr});
  ASSERT_TRUE(until([&] { return a.messages.connected.size() == 3; }));
  EXPECT_EQ(a.messages.connected.at(1).error().code, Errc::not_found);
  EXPECT_EQ(a.messages.connected.at(2).error().code, Errc::refused);
  EXPECT_FALSE(a.messages.connected.at(3));
  EXPECT_TRUE(until([&] { return a.is_empty(); }));
}

TEST_P(HostSuite, learned_addresses_are_dialled_and_kept_after_the_connection) {
  TestNode& a = node();
  TestNode& b = node();
  a.host->learn_addrs(b.id(), std::vector{b.addr.with_peer_id(b.id())}, 1h);
  a.host->connect(a.message_index, {1}, b.id(), {});
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1); }));
  ASSERT_TRUE(a.messages.connected.at(1));
  a.host->disconnect(a.peer(b));
  ASSERT_TRUE(until([&] { return a.is_empty() && b.is_empty(); }));
  ASSERT_FALSE(a.host->known_addrs(b.id()).empty());
  EXPECT_EQ(a.host->known_addrs(b.id()).front(), b.addr);
  // The accepting side learned where the other listens from its signed record.
  EXPECT_EQ(b.host->known_addrs(a.id()), a.host->listen_addrs());
}

// With the same signed record as the first time, where there are records.
TEST_P(HostSuite, who_comes_again_after_its_addresses_were_forgotten_is_known_again) {
  if (!world_->is_virtual()) GTEST_SKIP() << "takes minutes";
  TestNode& a = node();
  TestNode& b = node();
  const auto visit = [&](std::uint64_t request) {
    a.host->connect(a.message_index, {request}, b.id(), std::vector{b.addr});
    ASSERT_TRUE(until([&] { return a.knows(b) && b.knows(a); }));
    EXPECT_EQ(b.host->known_addrs(a.id()), a.host->listen_addrs());
    a.host->disconnect(a.peer(b));
    ASSERT_TRUE(until([&] { return a.is_empty() && b.is_empty(); }));
  };
  visit(1);
  world_->run_for(HostLimits{}.connected_lifetime + 1s);
  EXPECT_TRUE(b.host->known_addrs(a.id()).empty());
  visit(2);
  b.host->keep_addrs(a.id(), 1h);
  world_->run_for(30min);
  EXPECT_EQ(b.host->known_addrs(a.id()), a.host->listen_addrs());
}

TEST_P(HostSuite, two_that_dial_each_other_are_one_peer_each) {
  TestNode& a = node();
  TestNode& b = node();
  a.connect(b);
  b.connect(a);
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1) && b.messages.has_answer(1); }));
  world_->run_for(500ms);
  EXPECT_TRUE(a.messages.connected.at(1));
  EXPECT_TRUE(b.messages.connected.at(1));
  EXPECT_EQ(a.messages.ready.size(), 1u);
  EXPECT_EQ(b.messages.ready.size(), 1u);
  EXPECT_TRUE(a.messages.gone.empty());
  stream(a, b);
  stream(b, a);
  a.host->disconnect(a.peer(b));
  ASSERT_TRUE(until([&] { return a.is_empty() && b.is_empty(); }));
  EXPECT_EQ(a.messages.gone.size(), 1u);
  EXPECT_EQ(b.messages.gone.size(), 1u);
}

TEST_P(HostSuite, a_protocol_that_stops_serving_is_told_to_peers_and_refused) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  b.host->set_serving(b.message_index, false);
  ASSERT_TRUE(until([&] { return a.messages.changes > 0; }));
  EXPECT_FALSE(a.host->facts(a.peer(b))->speaks("/test/message/2"));
  EXPECT_TRUE(a.host->facts(a.peer(b))->speaks("/test/raw/1"));
  const StreamSlot refused = a.open(b, a.message_index, filled(3));
  ASSERT_TRUE(until([&] { return a.messages.streams[refused].closes == 1; }));
  EXPECT_EQ(a.messages.streams[refused].error->code, Errc::unsupported);
  b.host->set_serving(b.message_index, true);
  ASSERT_TRUE(until([&] { return a.host->facts(a.peer(b))->speaks("/test/message/2"); }));
  stream(a, b);
}

TEST_P(HostSuite, pushes_are_bounded) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  for (int i = 0; i < 12; ++i) {
    b.host->set_serving(b.message_index, i % 2 == 1);
    world_->run_for(150ms);
  }
  EXPECT_LE(a.messages.changes, static_cast<int>(HostLimits{}.pushes_burst));
  EXPECT_TRUE(a.knows(b));
}

TEST_P(HostSuite, the_address_that_others_see_is_kept) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  ASSERT_EQ(a.host->observed_addrs().size(), 1u);
  EXPECT_EQ(a.host->observed_addrs().front(), b.host->facts(b.peer(a))->remote.without_peer_id());
}

TEST_P(HostSuite, status_counts_bytes_and_measures_the_round_trip) {
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  const StreamSlot slot = stream(a, b);
  a.send(slot, filled(30'000));
  ASSERT_TRUE(until([&] { return b.messages.last().messages.size() == 2; }));
  ASSERT_TRUE(until([&] { return a.host->peers().front().round_trip > Duration::zero(); }));
  const PeerStatus at_a = a.host->peers().front();
  EXPECT_EQ(at_a.facts.id, b.id());
  EXPECT_GT(at_a.bytes_out, 30'000u);
  EXPECT_LT(at_a.bytes_out, 40'000u);
  EXPECT_GT(b.host->peers().front().bytes_in, 30'000u);
  if (world_->is_virtual()) {
    EXPECT_EQ(at_a.round_trip, 2 * world_->latency());
  }
}

TEST_P(HostSuite, ping_measures_rounds_and_ends_its_stream) {
  struct Sink final : PingSink {
    void on_ping(Now, RequestId, std::uint32_t number, Duration trip) override {
      numbers.push_back(number);
      longest = std::max(longest, trip);
    }
    void on_ping_done(Now, RequestId, Result<void> result) override {
      done.push_back(result ? Errc::malformed : result.error().code);
      ok += result.has_value();
    }
    std::vector<std::uint32_t> numbers;
    Duration longest{};
    std::vector<Errc> done;
    int ok = 0;
  } sink;
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  a.ping->ping({1}, a.peer(b), 3, sink);
  a.ping->ping({2}, a.peer(b), 2, sink);
  a.ping->ping({3}, a.peer(b), 1'000, sink);
  EXPECT_EQ(a.ping->streams(), 1u);  // one a peer
  ASSERT_TRUE(until([&] { return sink.ok == 2; }));
  EXPECT_EQ(sink.numbers.size(), 5u);
  EXPECT_GT(sink.longest, Duration::zero());
  a.ping->cancel({3});
  ASSERT_TRUE(until([&] { return sink.done.size() == 3; }));
  EXPECT_EQ(sink.done.back(), Errc::cancelled);
  ASSERT_TRUE(until([&] { return a.ping->streams() + b.ping->streams() == 0; }));
  a.host->disconnect(a.peer(b));
  const PeerSlot gone = a.messages.ready.front();
  ASSERT_TRUE(until([&] { return a.is_empty(); }));
  a.ping->ping({4}, gone, 1, sink);
  ASSERT_TRUE(until([&] { return sink.done.size() == 4; }));
  EXPECT_EQ(sink.done.back(), Errc::closed);
}

TEST_P(HostSuite, stopping_says_good_bye_and_takes_nobody_new) {
  TestNode& a = node();
  TestNode& b = node();
  TestNode& c = node();
  join(a, b);
  a.host->connect(a.message_index, {9}, c.id(), std::vector{world_->dead_addr()});
  a.host->stop();
  ASSERT_TRUE(until([&] { return a.is_empty() && b.is_empty(); }));
  EXPECT_EQ(a.messages.connected.at(9).error().code, Errc::cancelled);
  EXPECT_EQ(a.messages.gone.size(), 1u);
  EXPECT_EQ(b.messages.gone.size(), 1u);
  a.connect(b, 10);
  ASSERT_TRUE(until([&] { return a.messages.has_answer(10); }));
  EXPECT_FALSE(a.messages.connected.at(10));
}

TEST_P(HostSuite, ready_takes_three_round_trips_of_which_tcp_is_one) {
  if (!world_->is_virtual()) GTEST_SKIP() << "needs exact time";
  TestNode& a = node();
  TestNode& b = node();
  world_->run_for(1s);
  const Mono start = a.loop.now().mono;
  a.connect(b);
  ASSERT_TRUE(until([&] { return a.messages.has_answer(1); }));
  EXPECT_EQ(a.loop.now().mono - start, 3 * 2 * world_->latency());
  ASSERT_TRUE(until([&] { return b.knows(a); }));
  EXPECT_EQ(b.loop.now().mono - start, 7 * world_->latency());
}

TEST_P(HostSuite, a_request_and_its_answer_take_one_round_trip_with_the_streams_opening) {
  if (!world_->is_virtual()) GTEST_SKIP() << "needs exact time";
  TestNode& a = node();
  TestNode& b = node();
  join(a, b);
  world_->run_for(1s);
  b.messages.on_each_message = [&](StreamSlot slot, const Bytes& message) {
    b.send(slot, message);
  };
  const Mono start = a.loop.now().mono;
  const StreamSlot slot = a.open(b, a.message_index, filled(100));
  ASSERT_TRUE(until([&] { return a.messages.streams[slot].messages.size() == 1; }));
  EXPECT_EQ(a.loop.now().mono - start, 2 * world_->latency());
}

}  // namespace
}  // namespace kith::host
