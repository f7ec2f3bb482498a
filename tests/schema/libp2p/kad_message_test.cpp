#include "schema/libp2p/kad_message.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "schema/libp2p/proto.hpp"
#include "tests/schema/libp2p/fixture.hpp"
#include "tests/schema/libp2p/kad_oracle.hpp"

namespace kith::libp2p {
namespace {

PeerId id(std::string_view text) { return *PeerId::parse(text); }
Multiaddr addr(std::string_view text) { return *Multiaddr::parse(text); }
const PeerId kA = id("12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5");
const PeerId kB = id("12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq");
const PeerId kC = id("12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba");
const std::vector<Multiaddr> kAddrsA{addr("/ip4/192.0.2.1/tcp/4001"),
                                     addr("/ip6/2001:db8::1/tcp/4001")};

std::vector<KadPeer> closer_of_fixtures() {
  return {{kB, {addr("/ip4/192.0.2.2/tcp/4002")}, false},
          {kC, {addr("/ip4/192.0.2.3/tcp/4003"), addr("/dns4/c.example/tcp/443/wss")}, false}};
}
Bytes public_key_name() { return Bytes::adopt("/pk/" + std::string(kA.bytes().text())); }

TEST(KadMessage, requests_of_js_are_read_and_written_alike) {
  const Bytes find_node = fixture("js/kad_find_node_request.bin");
  const auto read = decode_kad(find_node);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (KadMessage{KadType::find_node, kA.bytes(), {}, {}, {}}));
  EXPECT_EQ(encode_kad(*read), find_node);

  const Bytes get_providers = fixture("js/kad_get_providers_request.bin");
  ASSERT_TRUE(decode_kad(get_providers));
  EXPECT_EQ(decode_kad(get_providers)->type, KadType::get_providers);
  EXPECT_EQ(encode_kad(*decode_kad(get_providers)), get_providers);

  const Bytes get_value = fixture("js/kad_get_value_request.bin");
  EXPECT_EQ(*decode_kad(get_value),
            (KadMessage{KadType::get_value, public_key_name(), {}, {}, {}}));
  EXPECT_EQ(encode_kad(*decode_kad(get_value)), get_value);
}

TEST(KadMessage, answers_of_js_are_read) {
  const auto found = decode_kad(fixture("js/kad_find_node_response.bin"));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (KadMessage{KadType::find_node, {}, {}, closer_of_fixtures(), {}}));

  const auto providers = decode_kad(fixture("js/kad_get_providers_response.bin"));
  ASSERT_TRUE(providers);
  EXPECT_EQ(providers->providers, (std::vector<KadPeer>{{kA, kAddrsA, false}}));
  EXPECT_EQ(providers->closer, closer_of_fixtures());

  const auto value = decode_kad(fixture("js/kad_get_value_response.bin"));
  ASSERT_TRUE(value && value->record);
  EXPECT_EQ(value->record->key, public_key_name());
  EXPECT_EQ(value->record->value, fixture("js/ed25519_public_key.bin"));
  EXPECT_EQ(value->closer, closer_of_fixtures());
}

TEST(KadMessage, records_and_announcements_of_js_are_read_and_written_alike) {
  const Bytes put = fixture("js/kad_put_value.bin");
  const auto read = decode_kad(put);
  ASSERT_TRUE(read && read->record);
  EXPECT_EQ(read->type, KadType::put_value);
  EXPECT_EQ(read->record->time_received, "2026-11-20T12:00:00.000000000Z");
  EXPECT_EQ(encode_kad(*read), put);

  const Bytes add = fixture("js/kad_add_provider.bin");
  ASSERT_TRUE(decode_kad(add));
  EXPECT_EQ(decode_kad(add)->providers, (std::vector<KadPeer>{{kA, kAddrsA, false}}));
  EXPECT_EQ(encode_kad(*decode_kad(add)), add);
}

TEST(KadMessage, an_empty_message_is_a_put_of_nothing) {
  const auto read = decode_kad({});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, KadType::put_value);
  EXPECT_FALSE(read->record);
}

TEST(KadMessage, unknown_types_are_refused) {
  for (const std::uint64_t type : {6ull, 255ull, ~0ull, 1ull << 40 | 6})
    EXPECT_EQ(decode_kad(encode([&](auto& to) { to.varint(1, type); })).error().code,
              Errc::unsupported);
}

template <class Fields>
Bytes peer_message(Fields&& fields) {
  return encode([&](auto& to) {
    to.varint(1, 4);
    to.message(8, fields);
    to.message(8, [](auto& peer) {
      peer.bytes(1, kB.bytes());
      peer.bytes(2, addr("/ip4/192.0.2.2/tcp/4002").bytes());
    });
  });
}

TEST(KadMessage, a_peer_with_an_unreadable_id_is_left_out) {
  for (const Bytes& bad : {Bytes::copy("rubbish"), Bytes(), kA.bytes().slice(0, 20)}) {
    const auto read = decode_kad(peer_message([&](auto& peer) { peer.bytes(1, bad); }));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->closer.size(), 1u);
    EXPECT_EQ(read->closer[0].id, kB);
  }
}

TEST(KadMessage, unreadable_addresses_are_left_out_and_the_peer_kept) {
  const auto read = decode_kad(peer_message([&](auto& peer) {
    peer.bytes(1, kA.bytes());
    peer.bytes(2, as_bytes("\xff\xff rubbish"));
    peer.bytes(2, kAddrsA[0].bytes());
    peer.bytes(2, {});
  }));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->closer.size(), 2u);
  EXPECT_EQ(read->closer[0].addrs, std::vector{kAddrsA[0]});
}

TEST(KadMessage, addresses_lose_their_own_peer_id_and_must_not_name_another) {
  const Multiaddr relayed = addr("/ip4/192.0.2.9/tcp/1/p2p/" + kC.text() + "/p2p-circuit");
  const auto read = decode_kad(peer_message([&](auto& peer) {
    peer.bytes(1, kA.bytes());
    peer.bytes(2, kAddrsA[0].with_peer_id(kA).bytes());
    peer.bytes(2, kAddrsA[1].with_peer_id(kB).bytes());
    peer.bytes(2, relayed.bytes());
    peer.bytes(2, Multiaddr().with_peer_id(kA).bytes());
  }));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->closer[0].addrs, (std::vector{kAddrsA[0], relayed}));
}

TEST(KadMessage, lists_are_cut_at_their_maxima) {
  const auto read = decode_kad(encode([&](auto& to) {
    to.varint(1, 4);
    for (int i = 0; i < 100; ++i)
      to.message(8, [&](auto& peer) {
        peer.bytes(1, kA.bytes());
        for (int j = 0; j < 50; ++j) peer.bytes(2, kAddrsA[0].bytes());
      });
  }));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->closer.size(), kKadPeersMax);
  EXPECT_EQ(read->closer[0].addrs.size(), kKadAddrsMax);
}

TEST(KadMessage, endless_lists_are_refused_before_anything_is_kept) {
  const auto of = [](std::size_t count) {
    return encode([&](auto& to) {
      for (std::size_t i = 0; i < count; ++i) to.bytes(9, {});
    });
  };
  EXPECT_TRUE(decode_kad(of(kKadListEntriesMax)));
  EXPECT_EQ(decode_kad(of(kKadListEntriesMax + 1)).error().code, Errc::oversized);
}

TEST(KadMessage, oversized_parts_are_refused) {
  const auto refused = [](const Bytes& message) {
    const auto read = decode_kad(message);
    return !read && read.error().code == Errc::oversized;
  };
  const auto record = [](std::uint32_t field, std::size_t size) {
    return encode([&](auto& to) {
      to.message(3, [&](auto& inner) { inner.text(field, std::string(size, 'x')); });
    });
  };
  EXPECT_TRUE(refused(encode([](auto& to) { to.text(2, std::string(kKadKeyMax + 1, 'x')); })));
  EXPECT_TRUE(refused(record(1, kKadKeyMax + 1)));
  EXPECT_TRUE(refused(record(2, kKadValueMax + 1)));
  EXPECT_TRUE(refused(record(5, kKadTimeMax + 1)));
  EXPECT_FALSE(refused(record(2, kKadValueMax)));
  EXPECT_TRUE(refused(Bytes::copy(std::string(kKadMessageInMax + 1, '\0'))));
}

TEST(KadMessage, cut_messages_are_refused_or_shorter_lists) {
  const Bytes whole = fixture("js/kad_get_providers_response.bin");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = decode_kad(whole.slice(0, size));
    if (read) {
      EXPECT_LT(read->providers.size() + read->closer.size(), 3u) << size;
    }
  }
}

TEST(KadMessage, the_size_of_a_peer_is_what_it_adds) {
  KadMessage message{KadType::find_node, {}, {}, {}, {}};
  const std::size_t before = encode_kad(message).size();
  message.closer = {{kA, kAddrsA, true}};
  EXPECT_EQ(encode_kad(message).size() - before, encoded_size_kad(message.closer[0]));
}

std::string any_bytes(int size_max) {
  return *rc::gen::resize(size_max, rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
}

void fill(pb::KadMessage::Peer& peer) {
  const Bytes good = *rc::gen::element(kA.bytes(), kB.bytes(), Bytes::copy("bad"));
  peer.set_id(std::string(good.text()));
  for (int i = *rc::gen::element(0, 1, 2, 20, 21); i-- > 0;) {
    const Multiaddr one = *rc::gen::element(kAddrsA[0], kAddrsA[1], kAddrsA[0].with_peer_id(kA));
    peer.add_addrs(*rc::gen::inRange(0, 5) == 0 ? any_bytes(12) : std::string(one.bytes().text()));
  }
  if (*rc::gen::arbitrary<bool>())
    peer.set_connection(static_cast<pb::KadMessage::Connection>(*rc::gen::inRange(0, 4)));
}

std::string random_message() {
  pb::KadMessage message;
  if (*rc::gen::arbitrary<bool>())
    message.set_type(static_cast<pb::KadMessage::Type>(*rc::gen::inRange(0, 6)));
  if (*rc::gen::arbitrary<bool>())
    message.set_key(std::string(*rc::gen::element<std::size_t>(0, 1, 34, 256, 257), 'k'));
  if (*rc::gen::arbitrary<bool>()) {
    message.mutable_record()->set_key(any_bytes(40));
    message.mutable_record()->set_value(any_bytes(80));
    if (*rc::gen::arbitrary<bool>()) message.mutable_record()->set_time_received(any_bytes(80));
  }
  for (int i = *rc::gen::element(0, 1, 3, 21, 22); i-- > 0;) fill(*message.add_closer_peers());
  for (int i = *rc::gen::element(0, 1, 3); i-- > 0;) fill(*message.add_provider_peers());
  return message.SerializeAsString();
}

RC_GTEST_PROP(KadMessage, agrees_with_protoc_on_messages, ()) {
  RC_ASSERT(oracle::agrees<oracle::KadMessages>(as_bytes(random_message())));
}

RC_GTEST_PROP(KadMessage, agrees_with_protoc_on_damaged_messages, ()) {
  std::string message = random_message() + any_bytes(8);
  if (message.empty()) return;
  for (int i = *rc::gen::inRange(0, 4); i-- > 0;)
    message[*rc::gen::inRange<std::size_t>(0, message.size())] = *rc::gen::arbitrary<char>();
  message.resize(message.size() - *rc::gen::inRange<std::size_t>(0, message.size()) / 8);
  RC_ASSERT(oracle::agrees<oracle::KadMessages>(as_bytes(message)));
}

RC_GTEST_PROP(KadMessage, agrees_with_protoc_on_noise, ()) {
  RC_ASSERT(oracle::agrees<oracle::KadMessages>(as_bytes(any_bytes(100))));
}

}  // namespace
}  // namespace kith::libp2p
