#include "net/host/peer_store.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "net/crypto/identity.hpp"

namespace kith::host {
namespace {

PeerId peer(std::uint64_t seed) {
  Rng rng(seed);
  return crypto::Identity::make(rng).id();
}
Multiaddr addr(std::size_t number) {
  return Multiaddr::parse("/ip4/10.0." + std::to_string(number / 256) + "." +
                          std::to_string(number % 256) + "/tcp/4001")
      .value();
}
Now at(Duration time) { return {Mono(time), Wall(time)}; }
std::vector<Multiaddr> one(std::size_t number) { return {addr(number)}; }

TEST(PeerStore, an_address_is_known_until_its_lifetime_ends) {
  PeerStore store(10, 4, 1h);
  store.learn(at(1s), peer(1), one(1), 10s);
  EXPECT_EQ(store.known(at(10s), peer(1)), one(1));
  EXPECT_TRUE(store.known(at(11s), peer(1)).empty());
  EXPECT_TRUE(store.known(at(1s), peer(2)).empty());
}

TEST(PeerStore, hearing_again_extends_and_never_shortens) {
  PeerStore store(10, 4, 1h);
  store.learn(at(1s), peer(1), one(1), 10s);
  store.learn(at(2s), peer(1), one(1), 5s);
  EXPECT_FALSE(store.known(at(10s), peer(1)).empty());
  store.learn(at(3s), peer(1), one(1), 60s);
  EXPECT_FALSE(store.known(at(60s), peer(1)).empty());
}

TEST(PeerStore, lifetimes_saturate_and_empty_ones_are_ignored) {
  PeerStore store(10, 4, 1h);
  store.learn(at(1s), peer(1), one(1), Duration::max());
  EXPECT_TRUE(store.known(at(1h + 2s), peer(1)).empty());
  store.learn(at(1s), peer(2), one(1), Duration::zero());
  store.learn(at(1s), peer(2), one(1), -5s);
  EXPECT_TRUE(store.known(at(1s), peer(2)).empty());
}

TEST(PeerStore, a_full_peer_drops_the_address_that_expires_first) {
  PeerStore store(10, 3, 1h);
  store.learn(at(1s), peer(1), one(1), 30s);
  store.learn(at(1s), peer(1), one(2), 10s);
  store.learn(at(1s), peer(1), one(3), 20s);
  store.learn(at(1s), peer(1), one(4), 40s);
  EXPECT_EQ(store.known(at(2s), peer(1)), (std::vector{addr(4), addr(3), addr(1)}));
}

TEST(PeerStore, a_full_store_drops_the_peer_touched_longest_ago_but_no_pinned_one) {
  PeerStore store(3, 3, 1h);
  for (std::uint64_t i = 1; i <= 3; ++i) store.learn(at(1s), peer(i), one(i), 1h);
  store.pin(at(0s), peer(1));
  store.learn(at(2s), peer(2), one(9), 1h);
  store.learn(at(3s), peer(4), one(4), 1h);
  EXPECT_TRUE(store.known(at(3s), peer(3)).empty());
  EXPECT_FALSE(store.known(at(3s), peer(1)).empty());
  store.pin(at(0s), peer(2));
  store.pin(at(0s), peer(4));
  store.learn(at(4s), peer(5), one(5), 1h);
  EXPECT_TRUE(store.known(at(4s), peer(5)).empty());
  store.unpin(at(0s), peer(1), 0s);
  store.learn(at(4s), peer(5), one(5), 1h);
  EXPECT_EQ(store.known(at(4s), peer(5)), one(5));
  EXPECT_EQ(store.peers(), 3u);
}

TEST(PeerStore, what_has_expired_goes_as_others_are_heard_of_but_no_pinned_peer) {
  PeerStore store(100, 3, 1h);
  store.learn(at(0s), peer(9), one(9), 1h);  // lives long, and holds up nobody behind it
  for (std::uint64_t i = 1; i <= 5; ++i) store.learn(at(0s), peer(i), one(i), 10s);
  store.pin(at(0s), peer(1));
  store.learn(at(1s), peer(6), one(6), 1h);
  EXPECT_EQ(store.peers(), 7u);
  const auto touch = [&](Duration when, std::uint64_t who) {
    for (int i = 0; i < 20; ++i) store.learn(at(when), peer(who), one(who), 1h);
  };
  touch(20s, 7);
  EXPECT_EQ(store.peers(), 4u) << "1, 6, 7 and 9";
  EXPECT_EQ(store.known(at(20s), peer(9)), one(9));
  store.unpin(at(20s), peer(1), 0s);
  touch(20s, 7);
  EXPECT_EQ(store.peers(), 3u);
  touch(2h, 8);
  EXPECT_EQ(store.peers(), 1u);
  EXPECT_EQ(store.known(at(2h), peer(8)), one(8));
}

TEST(PeerStore, what_a_connection_shows_does_not_expire_until_some_time_after_it) {
  PeerStore store(10, 4, 1h);
  store.learn(at(0s), peer(1), one(1), 10s);
  store.pin(at(20s), peer(1));  // what had expired stays so
  EXPECT_TRUE(store.known(at(20s), peer(1)).empty());
  store.claimed(at(20s), peer(1), one(2), 10s);
  store.answered(at(20s), peer(1), addr(3), 3000s);
  store.learn(at(20s), peer(1), one(4), 100s);  // a rumour
  EXPECT_EQ(store.known(at(100s), peer(1)), (std::vector{addr(3), addr(4), addr(2)}));
  EXPECT_EQ(store.known(at(2000s), peer(1)), (std::vector{addr(3), addr(2)}));
  store.unpin(at(2000s), peer(1), 5min);
  EXPECT_EQ(store.known(at(2299s), peer(1)), (std::vector{addr(3), addr(2)}));
  EXPECT_EQ(store.known(at(2300s), peer(1)), one(3)) << "which was known for longer";
  store.unpin(at(2400s), peer(1), 5min);  // it is none any more: nothing
  EXPECT_TRUE(store.known(at(3020s), peer(1)).empty());
}

TEST(PeerStore, what_the_last_connection_showed_can_be_kept_for_longer_and_nothing_else) {
  PeerStore store(10, 4, 10h);
  store.pin(at(0s), peer(1));
  store.claimed(at(0s), peer(1), one(1), 1min);
  store.learn(at(0s), peer(1), one(2), 1min);
  store.unpin(at(0s), peer(1), 1min);
  store.extend(at(30s), peer(1), 2h);
  EXPECT_EQ(store.known(at(1h), peer(1)), one(1));
  store.pin(at(1h), peer(1));  // it has moved
  store.claimed(at(1h), peer(1), one(3), 1min);
  store.unpin(at(1h), peer(1), 1min);
  store.extend(at(1h), peer(1), 5h);
  EXPECT_EQ(store.known(at(5h), peer(1)), one(3));
  store.extend(at(7h), peer(1), 5h);  // too late
  EXPECT_TRUE(store.known(at(7h), peer(1)).empty());
}

TEST(PeerStore, rumours_do_not_push_out_what_a_connection_shows) {
  PeerStore store(10, 3, 10h);
  store.pin(at(0s), peer(1));
  store.answered(at(0s), peer(1), addr(1), 1min);
  for (std::uint8_t i = 2; i < 9; ++i) store.learn(at(2min), peer(1), one(i), 5h);
  EXPECT_EQ(store.known(at(1h), peer(1)), (std::vector{addr(1), addr(8), addr(7)}));
}

TEST(PeerStore, the_same_record_again_makes_its_addresses_known_again) {
  PeerStore store(10, 4, 1h);
  for (const Duration when : {0s, 600s}) {
    store.pin(at(when), peer(1));
    EXPECT_TRUE(store.learn_record(at(when), peer(1), 5, one(1), 2min));
    store.unpin(at(when), peer(1), 2min);
    EXPECT_EQ(store.known(at(when), peer(1)), one(1));
    EXPECT_TRUE(store.known(at(when + 2min), peer(1)).empty());
  }
}

TEST(PeerStore, a_newer_record_does_not_shorten_what_it_names_again) {
  PeerStore store(10, 4, 48h);
  store.learn_record(at(0s), peer(1), 1, std::vector{addr(1), addr(2)}, 2min);
  store.learn(at(0s), peer(1), one(1), 24h);  // it provides something
  store.learn_record(at(1min), peer(1), 2, std::vector{addr(1), addr(3)}, 2min);
  EXPECT_EQ(store.known(at(2min), peer(1)), (std::vector{addr(3), addr(1)}));
  EXPECT_EQ(store.known(at(1h), peer(1)), one(1));
}

TEST(PeerStore, addresses_that_name_another_peer_are_ignored) {
  PeerStore store(10, 4, 1h);
  const std::vector<Multiaddr> addrs = {addr(1).with_peer_id(peer(1)),
                                        addr(2).with_peer_id(peer(2))};
  store.learn(at(1s), peer(1), addrs, 1h);
  EXPECT_EQ(store.known(at(1s), peer(1)), one(1));
}

TEST(PeerStore, a_record_replaces_the_older_and_ignores_the_replayed) {
  PeerStore store(10, 8, 1h);
  store.learn(at(1s), peer(1), one(1), 1h);
  const std::vector<Multiaddr> first = {addr(2), addr(3)};
  EXPECT_TRUE(store.learn_record(at(1s), peer(1), 5, first, 1h));
  EXPECT_TRUE(store.learn_record(at(1s), peer(1), 5, first, 1h)) << "the same once more";
  EXPECT_FALSE(store.learn_record(at(1s), peer(1), 4, one(7), 1h));
  EXPECT_TRUE(store.learn_record(at(1s), peer(1), 6, one(4), 1h));
  EXPECT_EQ(store.known(at(2s), peer(1)), (std::vector{addr(4), addr(1)}));
  EXPECT_TRUE(store.learn_record(at(1s), peer(2), 0, one(4), 1h));
}

TEST(PeerStore, what_answered_comes_first_then_what_is_certified) {
  PeerStore store(10, 8, 1h);
  store.learn(at(1s), peer(1), std::vector{addr(1), addr(2)}, 1h);
  store.learn_record(at(2s), peer(1), 1, one(3), 1h);
  store.answered(at(3s), peer(1), addr(1), 1h);
  EXPECT_EQ(store.known(at(4s), peer(1)), (std::vector{addr(1), addr(3), addr(2)}));
}

RC_GTEST_PROP(PeerStore, bounds_hold_and_known_is_what_a_naive_model_says, ()) {
  PeerStore store(4, 3, 100s);
  struct Heard {
    Mono expires;
  };
  std::map<PeerId, std::map<Multiaddr, Heard>> model;  // never drops but by time
  Duration now = 1s;
  const auto steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    now += std::chrono::seconds(*rc::gen::inRange(0, 5));
    const PeerId id = peer(*rc::gen::inRange<std::uint64_t>(1, 8));
    const Multiaddr where = addr(*rc::gen::inRange<std::size_t>(1, 8));
    const Duration life = std::chrono::seconds(*rc::gen::inRange(1, 200));
    store.learn(at(now), id, std::vector{where}, life);
    auto& heard = model[id][where];
    heard.expires = std::max(heard.expires, Mono(now + std::min(life, Duration(100s))));
    RC_ASSERT(store.peers() <= 4u);
    for (const auto& [known_id, addrs] : model) {
      const auto known = store.known(at(now), known_id);
      RC_ASSERT(known.size() <= 3u);
      for (const Multiaddr& one_addr : known) RC_ASSERT(addrs.at(one_addr).expires > Mono(now));
    }
    const auto latest = store.known(at(now), id);
    RC_ASSERT(std::find(latest.begin(), latest.end(), where) != latest.end());
  }
}

}  // namespace
}  // namespace kith::host
