#include "dht/server.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "dht/reply.hpp"
#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using libp2p::KadMessage;
using libp2p::KadRecord;
using libp2p::KadType;
using test::at;
using test::content;
using test::only;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    validators.add("n", greater);
    for (std::uint64_t n = 100; n < 160; ++n) table.add(at(0s).mono, peer(n), 0);
    connected[test::peer_id(1)] = {asker.peer, test::peer_slot(1)};
  }
  PeerRef peer(std::uint64_t number) { return book.intern(test::peer_id(number)); }
  Result<void> ask(const KadMessage& request) {
    out.clear();
    return server.on_request(at(0s), test::stream_slot(4), asker, request, out);
  }
  Reply answer(const KadMessage& request) {
    EXPECT_TRUE(ask(request));
    const auto replies = only<Reply>(out);
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? Reply{} : replies[0];
  }
  static KadMessage put(std::string_view key, std::string_view value, std::string_view record_key) {
    return {KadType::put_value,
            Bytes::copy(key),
            KadRecord{Bytes::copy(record_key), Bytes::copy(value), ""},
            {},
            {}};
  }
  KadMessage announce(const Multihash& key, std::uint64_t provider) {
    return {KadType::add_provider, key.bytes(), {}, {}, {{test::peer_id(provider), {addr}, false}}};
  }

  const Multiaddr addr = test::addr("/ip4/1.2.3.4/tcp/5");
  PeerBook book{Rng(1)};
  PeerRef self = book.intern(test::peer_id(0));
  Requester asker{book.intern(test::peer_id(1)), 0};
  test::GreaterWins greater;
  Validators validators;
  RoutingTable table{self.key()};
  ProviderRecords providers{Rng(1)};
  ValueRecords values{validators, Rng(2)};
  Provided provided{Rng(3)};
  std::map<PeerId, Connected> connected;
  Server server{self, {&table, &providers, &values, &provided, &connected}};
  Effects out;
};

TEST_F(ServerTest, find_node_answers_with_the_k_nearest) {
  const Bytes key = Bytes::copy("some key");
  std::vector<PeerRef> expected;
  table.closest(Key::of(key), kReplication, {}, true, expected);
  const Reply reply = answer({KadType::find_node, key, {}, {}, {}});
  EXPECT_EQ(reply.closer, expected);
  EXPECT_EQ(reply.type, KadType::find_node);
  EXPECT_EQ(reply.stream, test::stream_slot(4));
}

TEST_F(ServerTest, nobody_is_told_about_itself) {
  table.add(at(0s).mono, asker.peer, 0);
  const Reply reply = answer({KadType::find_node, test::peer_id(1).bytes(), {}, {}, {}});
  EXPECT_EQ(std::count(reply.closer.begin(), reply.closer.end(), asker.peer), 0);
}

TEST_F(ServerTest, a_connected_client_is_found_although_no_table_has_it) {
  connected[test::peer_id(2)] = {peer(2), test::peer_slot(2)};
  const Reply reply = answer({KadType::find_node, test::peer_id(2).bytes(), {}, {}, {}});
  ASSERT_FALSE(reply.closer.empty());
  EXPECT_TRUE(reply.closer[0] == peer(2));
  EXPECT_EQ(reply.closer.size(), kReplication + 1);
}

TEST_F(ServerTest, who_asks_for_us_is_told_where_we_are) {
  const Reply reply = answer({KadType::find_node, test::peer_id(0).bytes(), {}, {}, {}});
  EXPECT_TRUE(reply.closer[0] == self);
}

TEST_F(ServerTest, a_provider_is_recorded_when_it_announces_itself) {
  EXPECT_TRUE(ask(announce(content(1), 1)));
  EXPECT_TRUE(only<Reply>(out).empty()) << "ADD_PROVIDER has no answer";
  ASSERT_EQ(only<LearnAddrs>(out).size(), 1u);
  EXPECT_EQ(only<LearnAddrs>(out)[0].addrs, std::vector<Multiaddr>{addr});
  asker.peer = peer(9);
  const Reply reply = answer({KadType::get_providers, content(1).bytes(), {}, {}, {}});
  EXPECT_EQ(reply.providers, std::vector<PeerRef>{peer(1)});
  EXPECT_EQ(reply.closer.size(), kReplication);
}

TEST_F(ServerTest, a_provider_record_for_somebody_else_is_refused) {
  EXPECT_EQ(ask(announce(content(1), 2)).error().code, Errc::refused);
  EXPECT_EQ(providers.size(), 0u);
  EXPECT_TRUE(out.empty());
}

TEST_F(ServerTest, of_several_providers_named_only_the_sender_is_recorded) {
  KadMessage message = announce(content(1), 2);
  message.providers.push_back({test::peer_id(1), {addr}, false});
  EXPECT_TRUE(ask(message));
  EXPECT_EQ(providers.find(at(0s).wall, content(1)), std::vector<PeerRef>{peer(1)});
}

TEST_F(ServerTest, we_are_among_the_providers_of_what_we_provide) {
  provided.add(at(0s).wall, content(1), out);
  const Reply reply = answer({KadType::get_providers, content(1).bytes(), {}, {}, {}});
  EXPECT_EQ(reply.providers, std::vector<PeerRef>{self});
}

TEST_F(ServerTest, provider_keys_must_be_multihashes) {
  EXPECT_FALSE(ask({KadType::get_providers, Bytes::copy("no multihash"), {}, {}, {}}));
  KadMessage message = announce(content(1), 1);
  message.key = Bytes::copy("no multihash");
  EXPECT_FALSE(ask(message));
}

TEST_F(ServerTest, a_valid_value_is_stored_and_echoed) {
  const KadMessage request = put("/n/x", "v1", "/n/x");
  EXPECT_EQ(answer(request).record, request.record);
  const Reply reply = answer({KadType::get_value, Bytes::copy("/n/x"), {}, {}, {}});
  ASSERT_TRUE(reply.record);
  EXPECT_EQ(reply.record->value.text(), "v1");
  EXPECT_EQ(reply.record->key.text(), "/n/x");
  EXPECT_EQ(reply.record->time_received, rfc3339(at(0s).wall)) << "js refuses records without one";
  EXPECT_EQ(reply.closer.size(), kReplication);
}

TEST_F(ServerTest, bad_values_are_refused) {
  EXPECT_FALSE(ask(put("/n/x", "rubbish", "/n/x")));
  EXPECT_FALSE(ask(put("/n/x", "v1", "/n/y"))) << "a record of another key";
  EXPECT_FALSE(ask(put("/unknown/x", "v1", "/unknown/x")));
  EXPECT_FALSE(ask(put("x", "v1", "x")));
  EXPECT_FALSE(ask({KadType::put_value, Bytes::copy("/n/x"), {}, {}, {}})) << "no record";
  EXPECT_EQ(values.size(), 0u);
}

TEST_F(ServerTest, a_value_that_is_not_here_is_answered_with_nearer_peers) {
  const Reply reply = answer({KadType::get_value, Bytes::copy("/n/x"), {}, {}, {}});
  EXPECT_FALSE(reply.record);
  EXPECT_EQ(reply.closer.size(), kReplication);
}

TEST_F(ServerTest, requests_without_a_key_are_refused_but_ping) {
  for (const KadType type : {KadType::find_node, KadType::get_value, KadType::put_value,
                             KadType::get_providers, KadType::add_provider})
    EXPECT_FALSE(ask({type, {}, {}, {}, {}}));
  EXPECT_EQ(answer({KadType::ping, {}, {}, {}, {}}).type, KadType::ping);
}

TEST(RequestRate, allows_a_burst_and_then_its_rate) {
  RequestRate rate;
  Mono now = at(0s).mono;
  std::uint32_t taken = 0;
  while (rate.take(now)) ++taken;
  EXPECT_EQ(taken, kRequestBurst);
  taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    now += 1ms;
    taken += rate.take(now);
  }
  EXPECT_EQ(taken, 10 * kRequestRate);
  now += 1h;
  taken = 0;
  while (rate.take(now)) ++taken;
  EXPECT_EQ(taken, kRequestBurst);
}

class Everywhere : public AddrSource {
 public:
  std::vector<Multiaddr> addrs_of(const PeerId& id) const override {
    return id == test::peer_id(5) ? std::vector<Multiaddr>{} : addrs;
  }
  std::vector<Multiaddr> addrs;
};

TEST_F(ServerTest, replies_stay_below_what_rust_accepts) {
  Everywhere source;
  for (int i = 0; i < 60; ++i)
    source.addrs.push_back(test::addr("/dns4/" + std::string(200, 'x') + "/tcp/1"));
  Reply reply;
  reply.record = KadRecord{Bytes::copy(std::string(256, 'k')), Bytes::copy(std::string(4096, 'v')),
                           rfc3339(at(0s).wall)};
  reply.key = reply.record->key;
  for (std::uint64_t n = 100; n < 120; ++n) {
    reply.closer.push_back(peer(n));
    reply.providers.push_back(peer(n));
  }
  const Bytes encoded = encode_reply(reply, source, true);
  EXPECT_LE(encoded.size(), libp2p::kKadMessageOutMax);
  EXPECT_GT(encoded.size(), libp2p::kKadMessageOutMax / 2);
  const auto read = libp2p::decode_kad(encoded);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->providers[0].addrs.size(), kReplyAddrsMax);
}

TEST_F(ServerTest, peers_without_addresses_are_left_out_of_replies) {
  Everywhere source;
  source.addrs = {addr, test::addr("/ip4/192.168.0.9/tcp/5")};
  Reply reply;
  reply.closer = {peer(5), peer(6)};
  const auto read = libp2p::decode_kad(encode_reply(reply, source, true));
  ASSERT_EQ(read->closer.size(), 1u);
  EXPECT_EQ(read->closer[0].id, test::peer_id(6));
  EXPECT_EQ(read->closer[0].addrs, source.addrs);
  const auto filtered = libp2p::decode_kad(encode_reply(reply, source, false));
  EXPECT_EQ(filtered->closer[0].addrs, std::vector<Multiaddr>{addr});
}

}  // namespace
}  // namespace kith::dht
