#include "dht/routing_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::at;
using test::peer_id;
using Added = RoutingTable::Added;

class RoutingTableTest : public ::testing::Test {
 protected:
  PeerRef peer(std::uint64_t number) { return book.intern(peer_id(number)); }
  // The n-th peer that falls into `bucket`.
  PeerRef in_bucket(int bucket, std::size_t n = 0) {
    for (std::uint64_t number = 1;; ++number)
      if (const PeerRef found = peer(number);
          common_prefix(self.key(), found.key()) == bucket && n-- == 0)
        return found;
  }
  void fill(int bucket, std::size_t count) {
    for (std::size_t n = 0; n < count; ++n)
      ASSERT_EQ(table.add(at(0s).mono, in_bucket(bucket, n), 0), Added::added);
  }
  std::vector<PeerRef> closest(const Key& target, std::size_t count, bool healthy = false,
                               const PeerRef& except = {}) {
    std::vector<PeerRef> found;
    table.closest(target, count, except, healthy, found);
    return found;
  }
  void fail(const PeerRef& who, int times) {
    for (int i = 0; i < times; ++i) table.on_failed(at((++clock) * 40s).mono, who);
  }

  PeerBook book{Rng(1)};
  PeerRef self = book.intern(peer_id(0));
  RoutingTable table{self.key()};
  int clock = 0;
};

TEST_F(RoutingTableTest, full_bucket_keeps_oldest_live_peer) {
  fill(0, kReplication);
  EXPECT_EQ(table.add(at(1h).mono, in_bucket(0, kReplication), 0), Added::bucket_full);
  EXPECT_FALSE(table.has_room(in_bucket(0, kReplication), 0));
  for (std::size_t n = 0; n < kReplication; ++n) EXPECT_TRUE(table.contains(in_bucket(0, n)));
  EXPECT_EQ(table.add(at(1h).mono, in_bucket(1), 0), Added::added) << "other buckets have room";
}

TEST_F(RoutingTableTest, newcomer_takes_the_place_of_a_failing_peer_only) {
  fill(0, kReplication);
  fail(in_bucket(0, 7), 1);
  EXPECT_TRUE(table.has_room(in_bucket(0, kReplication), 0));
  EXPECT_EQ(table.add(at(1h).mono, in_bucket(0, kReplication), 0), Added::replaced);
  EXPECT_FALSE(table.contains(in_bucket(0, 7)));
  EXPECT_EQ(table.bucket_size(0), kReplication);
}

TEST_F(RoutingTableTest, of_several_failing_peers_the_useless_goes_first) {
  fill(0, kReplication);
  fail(in_bucket(0, 3), 1);
  fail(in_bucket(0, 5), 1);
  table.on_useful(at(1h).mono, in_bucket(0, 3));
  table.add(at(1h).mono, in_bucket(0, kReplication), 0);
  EXPECT_TRUE(table.contains(in_bucket(0, 3)));
  EXPECT_FALSE(table.contains(in_bucket(0, 5)));
}

TEST_F(RoutingTableTest, an_answer_makes_a_failing_peer_healthy_again) {
  fill(0, kReplication);
  fail(in_bucket(0, 7), 2);
  EXPECT_EQ(table.add(at(1h).mono, in_bucket(0, 7), 0), Added::known);
  EXPECT_EQ(table.add(at(1h).mono, in_bucket(0, kReplication), 0), Added::bucket_full);
}

TEST_F(RoutingTableTest, third_failure_in_a_row_removes) {
  fill(0, 2);
  EXPECT_FALSE(table.on_failed(at(0s).mono, in_bucket(0)));
  EXPECT_FALSE(table.on_failed(at(31s).mono, in_bucket(0)));
  EXPECT_TRUE(table.on_failed(at(62s).mono, in_bucket(0)));
  EXPECT_FALSE(table.contains(in_bucket(0)));
  EXPECT_TRUE(table.contains(in_bucket(0, 1)));
}

TEST_F(RoutingTableTest, a_short_outage_of_our_own_line_does_not_empty_the_table) {
  fill(0, 10);
  for (int burst = 0; burst < 20; ++burst)
    for (std::size_t n = 0; n < 10; ++n) table.on_failed(at(burst * 1s).mono, in_bucket(0, n));
  EXPECT_EQ(table.size(), 10u);
}

TEST_F(RoutingTableTest, never_holds_ourselves) {
  EXPECT_EQ(table.add(at(0s).mono, self, 0), Added::refused);
  EXPECT_FALSE(table.has_room(self, 0));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(RoutingTableTest, takes_two_peers_of_one_network_in_a_bucket) {
  EXPECT_EQ(table.add(at(0s).mono, in_bucket(0, 0), 77), Added::added);
  EXPECT_EQ(table.add(at(0s).mono, in_bucket(0, 1), 77), Added::added);
  EXPECT_EQ(table.add(at(0s).mono, in_bucket(0, 2), 77), Added::group_full);
  EXPECT_FALSE(table.has_room(in_bucket(0, 2), 77));
  EXPECT_EQ(table.add(at(0s).mono, in_bucket(0, 2), 78), Added::added);
}

TEST_F(RoutingTableTest, takes_three_peers_of_one_network_in_all) {
  for (int bucket = 0; bucket < 3; ++bucket)
    EXPECT_EQ(table.add(at(0s).mono, in_bucket(bucket), 77), Added::added);
  EXPECT_EQ(table.add(at(0s).mono, in_bucket(3), 77), Added::group_full);
}

TEST_F(RoutingTableTest, exempt_networks_are_not_counted) {
  fill(0, kReplication);
  fill(1, kReplication);
  EXPECT_EQ(table.size(), 2 * kReplication);
}

TEST_F(RoutingTableTest, a_failing_peer_of_the_same_network_makes_room_for_its_neighbour) {
  fill(0, kReplication - 2);
  ASSERT_EQ(table.add(at(0s).mono, in_bucket(0, 18), 77), Added::added);
  ASSERT_EQ(table.add(at(0s).mono, in_bucket(0, 19), 77), Added::added);
  fail(in_bucket(0, 18), 1);
  EXPECT_EQ(table.add(at(1h).mono, in_bucket(0, 20), 77), Added::replaced);
}

TEST_F(RoutingTableTest, healthy_answers_leave_out_failing_peers_and_the_asker) {
  fill(0, 3);
  fail(in_bucket(0, 1), 1);
  EXPECT_EQ(closest(self.key(), 20, true).size(), 2u);
  EXPECT_EQ(closest(self.key(), 20, false).size(), 3u);
  EXPECT_EQ(closest(self.key(), 20, true, in_bucket(0, 0)), std::vector<PeerRef>{in_bucket(0, 2)});
}

TEST_F(RoutingTableTest, a_bucket_wants_peers_where_some_live_one_may_be_missing) {
  EXPECT_EQ(table.wanting(at(1s).mono), 0u) << "the look-up for ourselves finds all there are";
  fill(0, kReplication);
  EXPECT_EQ(table.wanting(at(1s).mono), 0u) << "full";
  fill(2, kReplication - 5);
  fill(5, 4);
  EXPECT_EQ(table.wanting(at(1s).mono), 0u) << "19 are as near as bucket 2";
  fill(6, 1);
  EXPECT_EQ(table.wanting(at(1s).mono), 0b110u) << "the twentieth: there may be more";
  fail(in_bucket(0, 3), 1);
  EXPECT_EQ(table.wanting(at(1s).mono), 0b111u);
  table.add(at(2s).mono, in_bucket(0, 3), 0);
  EXPECT_EQ(table.wanting(at(2s).mono), 0b110u);
  EXPECT_EQ(table.wanting(at(2 * kProbeAfter).mono), 0b111u) << "silent for long";
  for (std::size_t n = 0; n < kReplication; ++n) table.remove(in_bucket(0, n));
  EXPECT_EQ(table.wanting(at(3s).mono), 0b111u) << "an empty bucket wants most";
}

TEST_F(RoutingTableTest, says_whom_a_newcomer_displaced) {
  fill(0, kReplication);
  PeerRef displaced;
  table.add(at(1s).mono, in_bucket(0, kReplication), 0, &displaced);
  EXPECT_FALSE(displaced);
  fail(in_bucket(0, 7), 1);
  table.add(at(1h).mono, in_bucket(0, kReplication), 0, &displaced);
  EXPECT_EQ(displaced, in_bucket(0, 7));
}

TEST_F(RoutingTableTest, remembers_some_of_each_bucket_once) {
  fill(0, kReplication);
  fill(3, 2);
  std::size_t remembered = 0;
  for (int round = 0; round < 2; ++round)
    for (std::size_t n = 0; n < kReplication; ++n)
      remembered += table.remember(at(0s).mono, in_bucket(0, n));
  EXPECT_EQ(remembered, kRememberedPerBucket);
  EXPECT_TRUE(table.remember(at(0s).mono, in_bucket(3, 1)));
  EXPECT_FALSE(table.remember(at(0s).mono, in_bucket(4))) << "not in the table";
  EXPECT_TRUE(table.remember(at(kRememberAgain + 1s).mono, in_bucket(0, 0))) << "anew each day";
  EXPECT_FALSE(table.remember(at(kRememberAgain + 2s).mono, in_bucket(0, 0)));
  table.remove(in_bucket(0, 0));
  EXPECT_TRUE(table.remember(at(1s).mono, in_bucket(0, kReplication - 1))) << "a place is free";
}

TEST_F(RoutingTableTest, probes_a_failing_peer_before_a_silent_one_and_nobody_else) {
  fill(0, 3);
  EXPECT_FALSE(table.to_probe(at(10min).mono));
  table.add(at(10min).mono, in_bucket(0, 0), 0);
  table.add(at(5min).mono, in_bucket(0, 2), 0);
  EXPECT_TRUE(table.to_probe(at(16min).mono) == in_bucket(0, 1)) << "silent longest";
  table.on_failed(at(16min).mono, in_bucket(0, 0));
  EXPECT_TRUE(table.to_probe(at(16min + 10s).mono) == in_bucket(0, 1)) << "failed just now";
  EXPECT_TRUE(table.to_probe(at(17min).mono) == in_bucket(0, 0));
}

TEST_F(RoutingTableTest, holds_at_most_its_maximum) {
  for (std::uint64_t number = 1; number < 4000; ++number) table.add(at(0s).mono, peer(number), 0);
  EXPECT_LE(table.size(), kTableMax);
  for (int bucket = 0; bucket < 256; ++bucket) EXPECT_LE(table.bucket_size(bucket), kReplication);
}

// A list of peers in a vector, and the rules written down as they are read.
class NaiveTable {
 public:
  explicit NaiveTable(Key self) : self_(self) {}
  struct Peer {
    PeerRef ref;
    NetworkGroup group;
    int failures = 0;
    Mono failed{};
    Mono alive{};
    Mono useful{};
  };

  bool add(Mono now, const PeerRef& ref, NetworkGroup group) {
    if (ref.key() == self_) return false;
    if (Peer* known = find(ref)) {
      known->alive = now;
      known->failures = 0;
      return true;
    }
    const Peer* worst = nullptr;
    if (bucket(ref).size() >= kReplication) {
      for (const Peer* peer : bucket(ref)) {
        if (peer->failures == 0) continue;
        if (worst == nullptr || std::tuple(-peer->failures, peer->useful, peer->alive) <
                                    std::tuple(-worst->failures, worst->useful, worst->alive))
          worst = peer;
      }
      if (worst == nullptr) return false;
    }
    std::size_t here = 0;
    std::size_t all = 0;
    for (const Peer& peer : peers) {
      if (peer.group != group || &peer == worst) continue;
      ++all;
      here += common_prefix(self_, peer.ref.key()) == common_prefix(self_, ref.key());
    }
    if (group != 0 && (here >= kGroupPerBucket || all >= kGroupPerTable)) return false;
    if (worst != nullptr) peers.erase(peers.begin() + (worst - peers.data()));
    peers.push_back({ref, group, 0, {}, now, {}});
    return true;
  }
  void on_failed(Mono now, const PeerRef& ref) {
    Peer* known = find(ref);
    if (known == nullptr) return;
    if (known->failures > 0 && now - known->failed < kFailureSpacing) return;
    known->failed = now;
    if (++known->failures == kFailuresMax) peers.erase(peers.begin() + (known - peers.data()));
  }
  void on_useful(Mono now, const PeerRef& ref) {
    if (Peer* known = find(ref)) known->useful = now;
  }
  std::vector<PeerRef> closest(const Key& target, std::size_t count, bool healthy) {
    std::vector<PeerRef> found;
    for (const Peer& peer : peers)
      if (!healthy || peer.failures == 0) found.push_back(peer.ref);
    std::sort(found.begin(), found.end(), [&](const PeerRef& a, const PeerRef& b) {
      return distance(a.key(), target) < distance(b.key(), target);
    });
    if (found.size() > count) found.resize(count);
    return found;
  }
  std::vector<Peer> peers;

 private:
  Peer* find(const PeerRef& ref) {
    for (Peer& peer : peers)
      if (peer.ref == ref) return &peer;
    return nullptr;
  }
  std::vector<const Peer*> bucket(const PeerRef& ref) {
    std::vector<const Peer*> found;
    for (const Peer& peer : peers)
      if (common_prefix(self_, peer.ref.key()) == common_prefix(self_, ref.key()))
        found.push_back(&peer);
    return found;
  }
  Key self_;
};

RC_GTEST_PROP(RoutingTable, agrees_with_a_naive_model, ()) {
  PeerBook book{Rng(1)};
  const PeerRef self = book.intern(peer_id(0));
  RoutingTable table(self.key());
  NaiveTable naive(self.key());
  const int steps = *rc::gen::inRange(1, 400);
  Mono now = at(0s).mono;
  for (int step = 0; step < steps; ++step) {
    now += std::chrono::seconds(*rc::gen::inRange(0, 20));
    const PeerRef peer = book.intern(peer_id(*rc::gen::inRange<std::uint64_t>(0, 120)));
    const auto group = *rc::gen::inRange<NetworkGroup>(0, 40);
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
        table.on_failed(now, peer);
        naive.on_failed(now, peer);
        break;
      case 1:
        table.on_useful(now, peer);
        naive.on_useful(now, peer);
        break;
      default: {
        const bool room = table.has_room(peer, group % 20);
        const Added added = table.add(now, peer, group % 20);
        const bool kept =
            added == Added::added || added == Added::replaced || added == Added::known;
        RC_ASSERT(kept == naive.add(now, peer, group % 20));
        RC_ASSERT(room == (kept && added != Added::known));
      }
    }
    RC_ASSERT(table.size() == naive.peers.size());
  }
  const Key target = Key::of(test::content(*rc::gen::inRange<std::uint64_t>(0, 50)).bytes());
  const auto count = *rc::gen::inRange<std::size_t>(1, 40);
  for (const bool healthy : {true, false})
    for (const Key& towards : {target, self.key()}) {
      std::vector<PeerRef> found;
      table.closest(towards, count, {}, healthy, found);
      RC_ASSERT(found == naive.closest(towards, count, healthy));
    }
}

}  // namespace
}  // namespace kith::dht
