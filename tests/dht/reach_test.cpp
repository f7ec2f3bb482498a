#include "dht/reach.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"
#include "tests/gossip/fake_host.hpp"

namespace kith::dht {
namespace {

struct FakeRouting final : Routing {
  void find_peer(RequestId request, const PeerId& id, RoutingSink& who) override {
    sought.emplace_back(request, id);
    sink = &who;
  }
  void find_closest(RequestId, Bytes, RoutingSink&) override {}
  void provide(RequestId, const Multihash&, RoutingSink&) override {}
  void unprovide(const Multihash&) override {}
  void find_providers(RequestId, const Multihash&, std::uint32_t, RoutingSink&) override {}
  void put_value(RequestId, Bytes, Bytes, RoutingSink&) override {}
  void get_value(RequestId, Bytes, RoutingSink&) override {}
  void cancel(RequestId request) override { cancelled.push_back(request); }
  void set_mode(Mode) override {}
  Mode mode() const override { return Mode::server; }
  std::size_t table_size() const override { return 0; }
  std::vector<PeerId> table_peers() const override { return {}; }

  std::vector<std::pair<RequestId, PeerId>> sought;
  std::vector<RequestId> cancelled;
  RoutingSink* sink = nullptr;
};

struct ReachTest : ::testing::Test, ReachSink {
  void on_reached(Now, RequestId request, Result<host::PeerSlot> peer) override {
    reached.emplace_back(request, std::move(peer));
  }
  void host_says(RequestId request, Result<host::PeerSlot> peer) {
    host.protocol->on_connected(now, request, std::move(peer));
  }
  void found(RequestId request, std::vector<Multiaddr> addrs) {
    RoutingAnswer answer;
    answer.peers.push_back({id, std::move(addrs)});
    routing.sink->on_routing_done(now, request, std::move(answer));
  }

  const Now now = test::at(1s);
  const PeerId id = test::peer_id(5);
  gossip::FakeHost host;
  FakeRouting routing;
  Reach reach{host, routing};
  std::vector<std::pair<RequestId, Result<host::PeerSlot>>> reached;
};

const Error kNoAddress{Errc::not_found, "no address is known of it", {}, {}};

TEST_F(ReachTest, who_is_known_is_not_looked_up) {
  const RequestId request = reach.start(id, {}, *this);
  ASSERT_EQ(host.connects.size(), 1u);
  EXPECT_EQ(host.connects[0].id, id);
  host_says(request, host::PeerSlot{3, 0});
  ASSERT_EQ(reached.size(), 1u);
  EXPECT_EQ(reached[0].first, request);
  EXPECT_EQ(reached[0].second->index, 3u);
  EXPECT_TRUE(routing.sought.empty());
  host_says(request, host::PeerSlot{3, 0});
  EXPECT_EQ(reached.size(), 1u);
}

TEST_F(ReachTest, who_is_known_by_id_alone_is_looked_up_and_dialled_where_it_was_found) {
  const RequestId request = reach.start(id, {}, *this);
  host_says(request, kNoAddress);
  ASSERT_EQ(routing.sought.size(), 1u);
  EXPECT_EQ(routing.sought[0].second, id);
  EXPECT_TRUE(reached.empty());
  const std::vector<Multiaddr> addrs{test::public_addr(9)};
  found(routing.sought[0].first, addrs);
  ASSERT_EQ(host.connects.size(), 2u);
  EXPECT_EQ(host.connects[1].addrs, addrs);
  host_says(host.connects[1].request, host::PeerSlot{4, 1});
  ASSERT_EQ(reached.size(), 1u);
  EXPECT_TRUE(reached[0].second);
}

TEST_F(ReachTest, is_asked_once_also_when_what_was_found_does_not_help) {
  const RequestId request = reach.start(id, {}, *this);
  host_says(request, kNoAddress);
  found(request, {});
  ASSERT_EQ(host.connects.size(), 2u) << "connected meanwhile, it may be";
  host_says(request, kNoAddress);
  ASSERT_EQ(reached.size(), 1u);
  EXPECT_EQ(reached[0].second.error().code, Errc::not_found);
  EXPECT_EQ(routing.sought.size(), 1u);
}

TEST_F(ReachTest, says_that_neither_knows) {
  const RequestId request = reach.start(id, {}, *this);
  host_says(request, kNoAddress);
  routing.sink->on_routing_done(now, request, fail(Errc::timeout, "the DHT found nothing"));
  ASSERT_EQ(reached.size(), 1u);
  EXPECT_EQ(reached[0].second.error().code, Errc::not_found);
  EXPECT_EQ(reached[0].second.error().what, "no address is known of it");
  EXPECT_EQ(reached[0].second.error().why, "the DHT found nothing");
}

TEST_F(ReachTest, a_peer_that_does_not_answer_and_a_nameless_one_are_not_looked_up) {
  host_says(reach.start(id, {}, *this), fail(Errc::connection, "could not connect"));
  host_says(reach.start({}, {}, *this), kNoAddress);
  EXPECT_EQ(reached.size(), 2u);
  EXPECT_TRUE(routing.sought.empty());
}

TEST_F(ReachTest, nothing_is_heard_after_a_cancel) {
  const RequestId early = reach.start(id, {}, *this);
  reach.cancel(early);
  host_says(early, kNoAddress);
  EXPECT_TRUE(routing.sought.empty());
  const RequestId late = reach.start(id, {}, *this);
  EXPECT_NE(early, late);
  host_says(late, kNoAddress);
  reach.cancel(late);
  EXPECT_EQ(routing.cancelled, (std::vector{late}));
  routing.sink->on_routing_done(now, late, fail(Errc::cancelled, "cancelled"));
  reach.cancel(late);
  EXPECT_TRUE(reached.empty());
}

}  // namespace
}  // namespace kith::dht
