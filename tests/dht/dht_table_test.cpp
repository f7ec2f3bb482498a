// What the core does to its table, to what the store remembers of it and to the addresses that are
// kept for it: one Dht whose peers connect and answer by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "dht/dht.hpp"
#include "dht/record_codec.hpp"
#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using libp2p::KadMessage;
using libp2p::KadType;

class DhtTable : public ::testing::Test {
 protected:
  DhtTable() {
    DhtConfig config;
    config.self = test::peer_id(0);
    dht = std::make_unique<Dht>(config, Rng(1));
    dht->on_started(now, out);
    out.clear();
  }
  void pass(Duration time) {
    now.mono += time;
    now.wall += time;
  }
  static int prefix_of(std::uint32_t number) {
    return common_prefix(Key::of(test::peer_id(0).bytes()), Key::of(test::peer_id(number).bytes()));
  }
  // Numbers of peers in a bucket (or deeper), from where the last call ended.
  std::vector<std::uint32_t> some(std::size_t count, int prefix, bool deeper = false) {
    std::vector<std::uint32_t> found;
    for (; found.size() < count; ++number_)
      if (prefix_of(number_) == prefix || (deeper && prefix_of(number_) > prefix))
        found.push_back(number_);
    return found;
  }
  // Connects, each in a network of its own. What the core asks it is left in `out`.
  void comes(std::uint32_t number) {
    dht->on_peer_ready(now, test::peer_slot(number),
                       {test::peer_id(number), test::public_addr(number), false, true}, out);
  }
  // With its streams.
  void goes(std::uint32_t number) {
    const Error lost = fail(Errc::closed, "the connection is gone");
    for (const auto& [stream, peer] : streams_)
      if (peer == test::peer_slot(number)) dht->on_closed(now, stream, &lost, out);
    std::erase_if(streams_, [&](const auto& one) { return one.second == test::peer_slot(number); });
    dht->on_peer_gone(now, test::peer_slot(number), out);
  }
  struct Question {
    host::StreamSlot stream;
    Bytes raw_key;
  };
  // What was asked, taken out of `out`, on streams that are bound; the rest stays.
  std::vector<Question> asked() {
    std::vector<Question> questions;
    const auto add = [&](host::StreamSlot stream, const Bytes& message) {
      questions.push_back({stream, libp2p::decode_kad(message)->key});
    };
    for (const OpenStream& open : test::only<OpenStream>(out)) {
      const host::StreamSlot stream = test::stream_slot(++stream_);
      EXPECT_TRUE(dht->bind(open.ask, stream));
      streams_[stream] = open.peer;
      add(stream, open.message);
    }
    for (const SendMessage& send : test::only<SendMessage>(out)) add(send.stream, send.message);
    std::erase_if(out, [](const Effect& it) {
      return std::holds_alternative<OpenStream>(it) || std::holds_alternative<SendMessage>(it);
    });
    return questions;
  }
  void answer(host::StreamSlot stream, std::vector<libp2p::KadPeer> closer = {}) {
    if (opened_.insert(stream).second) dht->on_opened(now, stream, out);
    KadMessage message;
    message.type = KadType::find_node;
    message.closer = std::move(closer);
    dht->on_message(now, stream, libp2p::encode_kad(message), out);
  }
  // Comes, is asked, and answers or breaks off.
  void met(std::uint32_t number, bool answers = true) {
    comes(number);
    const auto questions = asked();
    ASSERT_EQ(questions.size(), 1u) << number;
    const Error broken = fail(Errc::closed, "reset");
    if (answers)
      answer(questions.front().stream);
    else
      dht->on_closed(now, questions.front().stream, &broken, out);
  }
  bool knows(std::uint32_t number) const {
    bool found = false;
    dht->table().for_each(
        [&](const PeerRef& peer) { found = found || peer.id() == test::peer_id(number); });
    return found;
  }
  bool kept(std::uint32_t number) const {
    const auto all = test::only<KeepAddrs>(out);
    return std::any_of(all.begin(), all.end(), [&](const KeepAddrs& it) {
      return it.peer.id() == test::peer_id(number) && it.lifetime == kTableAddrsLifetime;
    });
  }

  Now now = test::at(0s);
  Effects out;
  std::unique_ptr<Dht> dht;

 private:
  std::uint32_t number_ = 1;
  std::uint32_t stream_ = 0;
  std::map<host::StreamSlot, host::PeerSlot> streams_;
  std::set<host::StreamSlot> opened_;
};

TEST_F(DhtTable, a_neighbour_whose_place_another_took_is_forgotten_by_the_store) {
  const std::vector<std::uint32_t> peers = some(kReplication + 1, 0);
  for (std::size_t i = 0; i < kReplication; ++i) met(peers[i]);
  ASSERT_EQ(test::only<PersistNeighbour>(out).size(), kRememberedPerBucket);
  goes(peers[0]);
  met(peers[0], false);  // it fails once, which alone removes nobody
  ASSERT_TRUE(knows(peers[0]));
  out.clear();
  met(peers.back());
  EXPECT_TRUE(knows(peers.back()));
  EXPECT_FALSE(knows(peers[0]));
  const auto erased = test::only<Persist>(out);
  ASSERT_EQ(erased.size(), 1u);
  EXPECT_EQ(erased[0].key, neighbour_entry_key(test::peer_id(peers[0])));
  EXPECT_FALSE(erased[0].value.has_value());
}

TEST_F(DhtTable, a_neighbour_is_written_again_once_a_day) {
  const std::uint32_t peer = some(1, 0).front();
  const auto written_when_met = [&] {
    out.clear();
    met(peer);
    const auto written = test::only<PersistNeighbour>(out);
    goes(peer);
    for (const PersistNeighbour& one : written) EXPECT_EQ(one.seen, now.wall);
    return written.size();
  };
  EXPECT_EQ(written_when_met(), 1u);
  for (int hour = 1; hour < 24; ++hour) {
    pass(1h);
    EXPECT_EQ(written_when_met(), 0u) << hour;
  }
  pass(1h);
  EXPECT_EQ(written_when_met(), 1u);
  pass(1h);
  EXPECT_EQ(written_when_met(), 0u);
}

TEST_F(DhtTable, addresses_are_kept_of_who_is_in_the_table_and_of_nobody_else) {
  const std::vector<std::uint32_t> peers = some(kReplication + 1, 0);
  for (std::size_t i = 0; i < kReplication; ++i) {
    out.clear();
    comes(peers[i]);
    EXPECT_FALSE(kept(peers[i])) << "it has not answered yet";
    for (const Question& question : asked()) answer(question.stream);
    EXPECT_TRUE(kept(peers[i]));
  }
  out.clear();
  goes(peers[0]);
  EXPECT_TRUE(kept(peers[0])) << "from the end of the connection on";
  out.clear();
  comes(peers[0]);
  EXPECT_TRUE(kept(peers[0])) << "where it is now";
  asked();
  out.clear();
  comes(peers.back());  // there is no room for it
  goes(peers.back());
  EXPECT_TRUE(test::only<KeepAddrs>(out).empty());
}

TEST_F(DhtTable, the_look_up_of_a_refresh_ends_when_its_bucket_is_full) {
  const std::vector<std::uint32_t> shallow = some(kReplication - 1, 0);
  for (const std::uint32_t peer : shallow) met(peer);
  for (const std::uint32_t peer : some(5, 1, true)) met(peer);
  // The round begins with the look-up for ourselves.
  const auto own = test::peer_id(0).bytes();
  std::vector<Question> refresh;
  for (int step = 0; refresh.empty() && step < 100; ++step) {
    pass(100ms);
    out.clear();
    dht->on_tick(now, out);
    for (auto questions = asked(); !questions.empty() && refresh.empty(); questions = asked())
      for (Question& question : questions) {
        if (equal(question.raw_key.view(), own.view()))
          answer(question.stream);
        else
          refresh.push_back(std::move(question));
      }
  }
  ASSERT_GE(refresh.size(), 2u);
  ASSERT_EQ(dht->queries(), 1u);
  // The one that is missing, nearer to what is looked for than any that we know.
  const Key target = Key::of(refresh[0].raw_key.view());
  std::uint32_t nearest = 0;
  for (std::uint32_t i = 10'000; i < 14'000; ++i) {
    if (prefix_of(i) != 0) continue;
    if (nearest == 0 || distance(target, Key::of(test::peer_id(i).bytes())) <
                            distance(target, Key::of(test::peer_id(nearest).bytes())))
      nearest = i;
  }
  out.clear();
  answer(refresh[0].stream, {{test::peer_id(nearest), {test::public_addr(nearest)}, false}});
  const auto dials = test::only<Connect>(out);
  ASSERT_EQ(dials.size(), 1u);
  ASSERT_EQ(dials[0].id, test::peer_id(nearest));
  comes(nearest);
  dht->on_connected(now, dials[0].request, test::peer_slot(nearest), out);
  for (const Question& question : asked()) answer(question.stream);
  EXPECT_TRUE(knows(nearest));
  EXPECT_EQ(dht->queries(), 0u) << "others who were asked have not answered yet";
}

// Those that came first fill a bucket, and may all go in one moment.
TEST_F(DhtTable, a_look_up_whose_whole_bucket_is_dead_asks_who_is_connected) {
  const std::vector<std::uint32_t> dead = some(kReplication, 0);
  for (const std::uint32_t peer : dead) {
    met(peer);
    goes(peer);
  }
  const std::vector<std::uint32_t> living = some(5, 1, true);
  for (const std::uint32_t peer : living) met(peer);
  std::uint64_t salt = 0;
  Bytes key = Bytes::copy("key");
  while (common_prefix(Key::of(key), Key::of(test::peer_id(0).bytes())) != 0)
    key = Bytes::copy("key" + std::to_string(++salt));
  out.clear();
  dht->find_closest(now, RequestId{7}, key, out);
  std::size_t dialled = 0;
  for (int round = 0; round < 100; ++round) {
    const auto dials = test::only<Connect>(out);
    const auto questions = asked();
    std::erase_if(out, [](const Effect& it) { return std::holds_alternative<Connect>(it); });
    if (dials.empty() && questions.empty()) break;
    if (dialled < kReplication) {
      EXPECT_TRUE(questions.empty()) << "while there may be somebody nearer";
    }
    dialled += dials.size();
    for (const Connect& dial : dials)
      dht->on_connected(now, dial.request, fail(Errc::timeout, "no answer"), out);
    for (const Question& question : questions) answer(question.stream);
  }
  EXPECT_EQ(dialled, kReplication);
  const auto done = test::only<Done>(out);
  ASSERT_EQ(done.size(), 1u);
  ASSERT_TRUE(done[0].answer);
  EXPECT_EQ(done[0].answer->peers.size(), living.size());
  EXPECT_EQ(done[0].answer->counts.failed, kReplication);
  for (const std::uint32_t peer : living)
    EXPECT_TRUE(std::any_of(done[0].answer->peers.begin(), done[0].answer->peers.end(),
                            [&](const PeerInfo& info) { return info.id == test::peer_id(peer); }));
}

// Nobody is reached while our own line is down, by any number of look-ups; while its connections
// are not known to be dead yet, a look-up asks more of the table, but none of them twice.
TEST_F(DhtTable, an_outage_of_our_own_line_does_not_empty_the_table) {
  std::size_t met_in_all = 1;
  for (int bucket = 0; bucket < 6; ++bucket)
    for (const std::uint32_t peer : some(bucket == 0 ? kReplication - 1 : kReplication, bucket)) {
      met(peer);
      goes(peer);
      ++met_in_all;
    }
  const std::uint32_t believed = some(1, 0).front();
  met(believed);
  ASSERT_EQ(dht->table().size(), met_in_all);
  out.clear();
  std::uint64_t lookups = 0;
  const auto look_up_in_vain = [&](int times) {
    for (int i = 0; i < times; ++i) {
      pass(6s);
      dht->on_tick(now, out);
      const RequestId request{100 + ++lookups};
      dht->find_closest(now, request, Bytes::copy("key" + std::to_string(lookups)), out);
      for (auto dials = test::only<Connect>(out); !dials.empty();
           dials = test::only<Connect>(out)) {
        out.clear();
        for (const Connect& dial : dials)
          dht->on_connected(now, dial.request, fail(Errc::connection, "no route to host"), out);
      }
    }
  };
  look_up_in_vain(6);
  EXPECT_EQ(dht->table().size(), met_in_all) << "for half a minute";
  goes(believed);
  look_up_in_vain(6);
  EXPECT_GE(dht->table().size(), met_in_all * 6 / 10);
}

}  // namespace
}  // namespace kith::dht
