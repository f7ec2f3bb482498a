#include "dht/dht.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/dht/bus.hpp"

namespace kith::dht {
namespace {

using libp2p::KadMessage;
using libp2p::KadType;
using test::Bus;
using test::content;
using Index = Bus::Index;

DhtConfig with_bootstrap(std::initializer_list<Index> to, ModeChoice mode = ModeChoice::server) {
  DhtConfig config;
  config.mode = mode;
  for (const Index index : to)
    config.bootstrap.push_back(Bus::addr_of(index).with_peer_id(Bus::id_of(index)));
  return config;
}

// One hub that everybody bootstraps from.
class DhtTest : public ::testing::Test {
 protected:
  void star(Index nodes, Duration settle = 30s) {
    bus.add();
    for (Index i = 1; i < nodes; ++i) bus.add(with_bootstrap({0}));
    bus.start_all();
    bus.run_for(settle);
  }
  std::vector<PeerId> ids(const Result<RoutingAnswer>& answer) {
    std::vector<PeerId> found;
    if (answer)
      for (const PeerInfo& peer : answer->peers) found.push_back(peer.id);
    return found;
  }
  bool knows(Index index, Index other) {
    bool found = false;
    bus.dht(index).table().for_each(
        [&](const PeerRef& peer) { found = found || peer.id() == Bus::id_of(other); });
    return found;
  }
  Bus bus;
};

TEST_F(DhtTest, nodes_that_know_one_hub_get_to_know_each_other) {
  star(6, 2min);
  for (Index i = 0; i < 6; ++i) EXPECT_EQ(bus.dht(i).table().size(), 5u) << i;
}

TEST_F(DhtTest, a_peer_that_was_never_met_is_found) {
  star(6);
  const auto& answer = bus.wait(1, bus.find_peer(1, Bus::id_of(5)));
  ASSERT_TRUE(answer);
  ASSERT_EQ(ids(answer), std::vector{Bus::id_of(5)});
}

TEST_F(DhtTest, a_peer_that_is_nowhere_is_not_found_soon) {
  star(6);
  const Mono before = bus.now().mono;
  const RequestId request = bus.find_peer(1, test::peer_id(77));
  EXPECT_EQ(bus.wait(1, request).error().code, Errc::not_found);
  EXPECT_LT(bus.node(1).done_at[request] - before, 5s);
}

TEST_F(DhtTest, a_connected_peer_and_we_ourselves_are_found_at_once) {
  star(3);
  for (const Index whom : {0u, 1u}) {
    const Mono before = bus.now().mono;
    const RequestId request = bus.find_peer(1, Bus::id_of(whom));
    EXPECT_TRUE(bus.wait(1, request));
    EXPECT_EQ(bus.node(1).done_at[request], before);
  }
}

TEST_F(DhtTest, with_nobody_to_ask_a_query_fails_and_says_so) {
  bus.add();
  bus.start_all();
  EXPECT_EQ(bus.wait(0, bus.find_peer(0, Bus::id_of(5))).error().code, Errc::not_found);
  EXPECT_EQ(bus.wait(0, bus.find_providers(0, content(1))).error().code, Errc::not_found);
  EXPECT_EQ(bus.wait(0, bus.find_closest(0, Bytes::copy("x"))).error().code, Errc::not_found);
  EXPECT_EQ(bus.wait(0, bus.get(0, "/n/x")).error().code, Errc::not_found);
  EXPECT_EQ(bus.wait(0, bus.provide(0, content(1)))->stored, 0u);
}

TEST_F(DhtTest, a_query_that_comes_before_the_first_peer_waits_for_it) {
  bus.add();
  bus.add(with_bootstrap({0}));
  bus.start(0);
  bus.start(1);
  ASSERT_EQ(bus.dht(1).table().size(), 0u);
  EXPECT_TRUE(bus.wait(1, bus.find_closest(1, Bytes::copy("x"))));
}

TEST_F(DhtTest, a_query_does_not_wait_for_a_first_peer_for_ever) {
  bus.add();
  bus.add(with_bootstrap({0}));
  bus.kill(0);
  bus.start(1);
  const RequestId request = bus.find_closest(1, Bytes::copy("x"));
  EXPECT_FALSE(bus.wait(1, request));
  EXPECT_LE(bus.node(1).done_at[request], test::at(kTableWait).mono);
}

TEST_F(DhtTest, providers_are_found_by_who_never_met_them) {
  star(8);
  const auto& told = bus.wait(3, bus.provide(3, content(1)));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->stored, 7u) << "everybody is among the 20 nearest";
  const auto& answer = bus.wait(6, bus.find_providers(6, content(1)));
  ASSERT_TRUE(answer);
  EXPECT_EQ(ids(answer), std::vector{Bus::id_of(3)});
  EXPECT_EQ(answer->peers[0].addrs, std::vector{Bus::addr_of(3)});
  EXPECT_TRUE(bus.wait(6, bus.find_providers(6, content(2)))->peers.empty());
}

TEST_F(DhtTest, a_search_for_providers_stops_when_enough_are_found) {
  star(12);
  for (Index i = 1; i < 12; ++i) ASSERT_TRUE(bus.wait(i, bus.provide(i, content(1))));
  const auto& some = bus.wait(0, bus.find_providers(0, content(1), 3));
  EXPECT_GE(some->peers.size(), 3u);
  EXPECT_LT(some->counts.asked, 11u);
  EXPECT_EQ(bus.wait(0, bus.find_providers(0, content(1)))->peers.size(), 11u);
}

TEST_F(DhtTest, providers_are_reported_as_they_are_found_and_once_each) {
  star(8);
  for (const Index i : {2u, 3u}) ASSERT_TRUE(bus.wait(i, bus.provide(i, content(1))));
  const RequestId request = bus.find_providers(6, content(1));
  bus.wait(6, request);
  std::vector<PeerId> reported;
  for (const RoutingProgress& progress : bus.node(6).progress[request])
    for (const PeerInfo& peer : progress.found) reported.push_back(peer.id);
  std::sort(reported.begin(), reported.end());
  std::vector<PeerId> expected{Bus::id_of(2), Bus::id_of(3)};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(reported, expected);
}

TEST_F(DhtTest, a_value_is_found_after_its_writer_has_gone) {
  star(8);
  EXPECT_EQ(bus.wait(3, bus.put(3, "/n/x", "v1"))->stored, 7u);
  bus.kill(3);
  const auto& answer = bus.wait(6, bus.get(6, "/n/x"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value.text(), "v1");
}

TEST_F(DhtTest, an_unacceptable_value_is_not_even_put) {
  star(3);
  EXPECT_EQ(bus.wait(1, bus.put(1, "/n/x", "rubbish")).error().code, Errc::malformed);
  EXPECT_EQ(bus.wait(1, bus.put(1, "x", "v1")).error().code, Errc::refused);
  EXPECT_EQ(bus.wait(1, bus.get(1, "/n/x")).error().code, Errc::not_found);
}

TEST_F(DhtTest, reading_a_value_corrects_who_holds_an_old_one_or_none) {
  star(6, 2min);
  ASSERT_TRUE(bus.wait(1, bus.put(1, "/n/x", "v1")));
  // Node 2 alone has a newer one, as after a partition.
  Effects ignored;
  bus.run_on(2, [](Dht& dht, Now now, Effects& out) {
    dht.put_value(now, RequestId{999}, Bytes::copy("/n/x"), Bytes::copy("v2"), out);
    out.clear();  // it tells nobody
    dht.cancel(now, RequestId{999}, out);
    out.clear();
  });
  EXPECT_EQ(bus.wait(5, bus.get(5, "/n/x"))->value.text(), "v2");
  bus.run_for(5s);
  for (Index i = 0; i < 6; ++i) {
    const auto* held = bus.dht(i).values().find(bus.now().wall, as_bytes("/n/x"));
    ASSERT_NE(held, nullptr) << i;
    EXPECT_EQ(held->value.text(), "v2") << i;
  }
}

TEST_F(DhtTest, what_we_hold_for_others_survives_a_restart) {
  star(3);
  ASSERT_TRUE(bus.wait(1, bus.provide(1, content(1))));
  ASSERT_TRUE(bus.wait(1, bus.put(1, "/n/x", "v1")));
  bus.restart(0, {});
  EXPECT_EQ(bus.dht(0).providers().size(), 1u);
  EXPECT_EQ(bus.dht(0).values().size(), 1u);
}

TEST_F(DhtTest, what_we_provide_is_announced_again_by_itself_also_after_a_restart) {
  star(4);
  ASSERT_TRUE(bus.wait(1, bus.provide(1, content(1))));
  bus.run_for(10h);
  bus.restart(1, with_bootstrap({0}));
  bus.run_for(45h);  // the first record is gone after 48 hours
  const auto& answer = bus.wait(3, bus.find_providers(3, content(1)));
  EXPECT_EQ(ids(answer), std::vector{Bus::id_of(1)});
}

TEST_F(DhtTest, what_is_no_longer_provided_fades_within_two_days) {
  star(4);
  ASSERT_TRUE(bus.wait(1, bus.provide(1, content(1))));
  bus.run_on(1, [](Dht& dht, Now now, Effects& out) { dht.unprovide(now, content(1), out); });
  bus.run_for(49h);
  EXPECT_TRUE(bus.wait(3, bus.find_providers(3, content(1)))->peers.empty());
  for (Index i = 0; i < 4; ++i) EXPECT_EQ(bus.dht(i).providers().size(), 0u) << i;
}

TEST_F(DhtTest, what_nobody_took_is_announced_when_there_is_a_network) {
  bus.add();
  bus.add(with_bootstrap({0}));
  bus.add(with_bootstrap({0}));
  bus.start(1);
  bus.kill(0);
  EXPECT_EQ(bus.wait(1, bus.provide(1, content(1)))->stored, 0u);
  bus.run_for(3h);
  bus.restart(0, {});
  bus.start(2);
  bus.run_for(6min);  // back-off of the dialler is five minutes at most
  EXPECT_EQ(bus.dht(0).providers().size(), 1u);
}

TEST_F(DhtTest, neighbours_are_found_again_after_a_restart_without_any_bootstrap) {
  star(5, 2min);
  bus.restart(0, {});  // the hub knows nobody by configuration
  bus.run_for(10s);
  EXPECT_EQ(bus.dht(0).table().size(), 4u);
}

TEST_F(DhtTest, a_hub_that_comes_back_empty_is_dialled_again) {
  star(3);
  bus.kill(0);
  bus.run_for(1min);
  bus.node(0).store.clear();
  bus.restart(0, {});
  bus.run_for(6min);
  EXPECT_EQ(bus.dht(0).table().size(), 2u);
}

TEST_F(DhtTest, dead_peers_leave_the_table) {
  star(5, 2min);
  bus.kill(4);
  bus.run_for(1h);
  for (Index i = 0; i < 4; ++i) EXPECT_FALSE(knows(i, 4)) << i;
}

TEST_F(DhtTest, a_client_asks_and_is_in_nobody_s_table) {
  bus.add();
  bus.add(with_bootstrap({0}));
  bus.add(with_bootstrap({0}, ModeChoice::client));
  bus.start_all();
  bus.run_for(2min);
  EXPECT_EQ(bus.dht(0).table().size(), 1u);
  EXPECT_EQ(bus.dht(1).table().size(), 1u);
  EXPECT_EQ(bus.dht(2).table().size(), 2u);
  EXPECT_EQ(bus.node(2).served, 0u);
  EXPECT_TRUE(bus.wait(2, bus.provide(2, content(1))));
  EXPECT_EQ(ids(bus.wait(1, bus.find_providers(1, content(1)))), std::vector{Bus::id_of(2)});
}

TEST_F(DhtTest, a_client_is_found_through_a_peer_that_it_is_connected_to) {
  bus.add();
  bus.add(with_bootstrap({0}));
  bus.add(with_bootstrap({0}, ModeChoice::client));
  bus.start_all();
  bus.run_for(5s);
  EXPECT_EQ(ids(bus.wait(1, bus.find_peer(1, Bus::id_of(2)))), std::vector{Bus::id_of(2)});
}

TEST_F(DhtTest, automatic_mode_serves_once_somebody_could_reach_it) {
  bus.add(with_bootstrap({}, ModeChoice::automatic));
  bus.add(with_bootstrap({0}));
  bus.start(0);
  EXPECT_EQ(bus.dht(0).mode(), Mode::client);
  EXPECT_FALSE(bus.node(0).serving);
  bus.start(1);
  bus.run_for(2s);
  EXPECT_EQ(bus.dht(0).mode(), Mode::server);
  EXPECT_TRUE(bus.node(0).serving);
}

TEST_F(DhtTest, a_cancelled_query_ends_with_cancelled_and_nothing_after) {
  star(6);
  const RequestId request = bus.find_closest(1, Bytes::copy("x"));
  bus.run_on(1, [&](Dht& dht, Now now, Effects& out) { dht.cancel(now, request, out); });
  EXPECT_EQ(bus.wait(1, request).error().code, Errc::cancelled);
  bus.run_for(2min);
  EXPECT_EQ(bus.dht(1).queries(), 0u);
  EXPECT_EQ(bus.dht(1).asks_in_flight(), 0u);
  bus.run_on(1, [&](Dht& dht, Now now, Effects& out) {
    dht.cancel(now, request, out);  // legal, and without an answer
    EXPECT_TRUE(out.empty());
  });
}

TEST_F(DhtTest, a_cancelled_announcement_is_made_later) {
  star(4);
  const RequestId request = bus.provide(1, content(1));
  bus.run_on(1, [&](Dht& dht, Now now, Effects& out) { dht.cancel(now, request, out); });
  bus.run_for(1min);
  EXPECT_EQ(ids(bus.wait(3, bus.find_providers(3, content(1)))), std::vector{Bus::id_of(1)});
}

TEST_F(DhtTest, queries_under_way_are_bounded) {
  star(3);
  std::vector<RequestId> requests;
  for (std::size_t i = 0; i < 2 * kQueriesMax; ++i)
    requests.push_back(bus.find_closest(1, Bytes::copy(std::to_string(i))));
  std::size_t exhausted = 0;
  for (const RequestId request : requests) {
    const auto& answer = bus.wait(1, request);
    exhausted += !answer && answer.error().code == Errc::exhausted;
  }
  EXPECT_GE(exhausted, kQueriesMax - 2);
  EXPECT_LE(exhausted, kQueriesMax + 2);
}

TEST_F(DhtTest, idle_networks_fall_silent_but_for_refreshes) {
  star(25, 5min);
  bus.counts() = {};
  bus.run_for(1h);
  // Six rounds an hour, each of some lookups of 20 requests and as many answers.
  EXPECT_LT(bus.counts().messages / 25, 6u * 6u * 50u);
  for (Index i = 0; i < 25; ++i) EXPECT_EQ(bus.dht(i).table().size(), 24u);
}

// Requests that come over a stream opened by hand.
class HandlerTest : public ::testing::Test {
 protected:
  HandlerTest() {
    DhtConfig config;
    config.self = test::peer_id(0);
    dht = std::make_unique<Dht>(config, Rng(1));
    dht->on_started(now, out);
    dht->on_peer_ready(now, test::peer_slot(1),
                       {test::peer_id(1), test::public_addr(1), false, false}, out);
    out.clear();
  }
  Effects ask(const Bytes& message, std::uint32_t stream = 1) {
    out.clear();
    dht->on_stream(now, test::stream_slot(stream), test::peer_slot(1), out);
    dht->on_message(now, test::stream_slot(stream), message, out);
    return out;
  }
  static Bytes find_node() {
    return libp2p::encode_kad({KadType::find_node, Bytes::copy("x"), {}, {}, {}});
  }
  Now now = test::at(0s);
  Effects out;
  std::unique_ptr<Dht> dht;
};

TEST_F(HandlerTest, several_requests_on_one_stream_are_each_answered) {
  ask(find_node());
  for (int i = 0; i < 5; ++i) {
    out.clear();
    dht->on_message(now, test::stream_slot(1), find_node(), out);
    EXPECT_EQ(test::only<Reply>(out).size(), 1u);
  }
}

TEST_F(HandlerTest, rubbish_resets_the_stream_and_nothing_else) {
  for (const std::string_view rubbish : {"\xff", "\x08\x63", "", "hello"}) {
    const Effects effects = ask(Bytes::copy(rubbish));
    EXPECT_EQ(test::only<ResetStream>(effects).size(), 1u);
    EXPECT_TRUE(test::only<Reply>(effects).empty());
  }
  EXPECT_EQ(test::only<Reply>(ask(find_node(), 9)).size(), 1u);
}

TEST_F(HandlerTest, who_asks_too_fast_is_cut_off_and_may_come_back) {
  std::size_t answered = 0;
  std::size_t reset = 0;
  for (std::uint32_t i = 0; i < 2 * kRequestBurst; ++i) {
    const Effects effects = ask(find_node(), i + 1);
    answered += test::only<Reply>(effects).size();
    reset += test::only<ResetStream>(effects).size();
  }
  EXPECT_EQ(answered, kRequestBurst);
  EXPECT_EQ(reset, kRequestBurst);
  now.mono += 10s;
  EXPECT_EQ(test::only<Reply>(ask(find_node(), 99'999)).size(), 1u);
}

TEST_F(HandlerTest, silent_streams_are_reset) {
  ask(find_node());
  now = test::at(kInboundIdle + kSweepInterval);
  out.clear();
  dht->on_tick(now, out);
  EXPECT_EQ(test::only<ResetStream>(out).size(), 1u);
}

TEST_F(HandlerTest, a_client_serves_nobody) {
  dht->set_mode(Mode::client, out);
  EXPECT_TRUE(test::only<Reply>(ask(find_node())).empty());
}

TEST_F(HandlerTest, the_other_side_ending_its_stream_ends_ours) {
  ask(find_node());
  out.clear();
  dht->on_ended(now, test::stream_slot(1), out);
  EXPECT_EQ(test::only<CloseStream>(out).size(), 1u);
}

TEST_F(HandlerTest, private_addresses_are_dropped_where_the_configuration_says_so) {
  DhtConfig config;
  config.self = test::peer_id(0);
  config.keep_private_addrs = false;
  Dht strict(config, Rng(1));
  strict.on_started(now, out);
  strict.on_peer_ready(now, test::peer_slot(1),
                       {test::peer_id(1), test::public_addr(1), true, true}, out);
  const auto answer = [&](KadType type, std::vector<libp2p::KadPeer> closer) {
    const auto opens = test::only<OpenStream>(out);
    ASSERT_EQ(opens.size(), 1u);
    out.clear();
    static std::uint32_t streams = 100;
    const host::StreamSlot stream = test::stream_slot(++streams);
    ASSERT_TRUE(strict.bind(opens[0].ask, stream));
    strict.on_message(now, stream, libp2p::encode_kad({type, {}, {}, std::move(closer), {}}), out);
  };
  answer(KadType::find_node, {});  // the probe; now it is in the table
  out.clear();
  strict.find_closest(now, RequestId{1}, Bytes::copy("x"), out);
  const auto sends = test::only<SendMessage>(out);
  ASSERT_EQ(sends.size(), 1u) << "on the stream of the probe";
  out.clear();
  const std::vector<Multiaddr> both{test::addr("/ip4/192.168.7.7/tcp/1"), test::public_addr(5)};
  strict.on_message(
      now, sends[0].stream,
      libp2p::encode_kad({KadType::find_node, {}, {}, {{test::peer_id(2), both, false}}, {}}), out);
  const auto connects = test::only<Connect>(out);
  ASSERT_EQ(connects.size(), 1u);
  EXPECT_EQ(connects[0].addrs, std::vector{test::public_addr(5)});
}

}  // namespace
}  // namespace kith::dht
