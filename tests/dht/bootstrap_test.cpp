#include "dht/bootstrap.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::at;
using test::only;
using test::peer_id;

Multiaddr named(std::uint64_t number) {
  return test::public_addr(static_cast<std::uint32_t>(number)).with_peer_id(peer_id(number));
}

class BootstrapTest : public ::testing::Test {
 protected:
  std::vector<Connect> tick(Bootstrap& bootstrap, Now now, bool wanted = true) {
    Effects out;
    bootstrap.on_tick(now, wanted, out);
    return only<Connect>(out);
  }
  PeerId self = peer_id(0);
};

TEST_F(BootstrapTest, dials_every_configured_peer_at_the_start) {
  Bootstrap bootstrap(self, {named(1), named(2), named(0)}, Rng(1));
  const auto connects = tick(bootstrap, at(0s));
  ASSERT_EQ(connects.size(), 2u) << "not ourselves";
  EXPECT_EQ(connects[0].id, peer_id(1));
  EXPECT_EQ(connects[0].addrs, std::vector{test::public_addr(1)});
  EXPECT_TRUE(tick(bootstrap, at(1h)).empty()) << "they are under way";
}

TEST_F(BootstrapTest, several_addresses_of_one_peer_are_one_dial) {
  const Multiaddr other = test::public_addr(77).with_peer_id(peer_id(1));
  Bootstrap bootstrap(self, {named(1), other}, Rng(1));
  const auto connects = tick(bootstrap, at(0s));
  ASSERT_EQ(connects.size(), 1u);
  EXPECT_EQ(connects[0].addrs.size(), 2u);
}

TEST_F(BootstrapTest, backs_off_with_jitter_up_to_five_minutes) {
  Bootstrap bootstrap(self, {named(1)}, Rng(1));
  Now now = at(0s);
  Duration base = kDialFirst;
  for (int i = 0; i < 14; ++i) {
    const auto connects = tick(bootstrap, now);
    ASSERT_EQ(connects.size(), 1u) << i;
    bootstrap.on_connected(now, connects[0].request, nullptr);
    const Duration wait = bootstrap.next_deadline(true) - now.mono;
    EXPECT_GE(wait, base / 2);
    EXPECT_LE(wait, base);
    EXPECT_TRUE(tick(bootstrap, {now.mono + wait - 1ms, now.wall}).empty());
    now.mono += wait;
    base = std::min(base * 2, kDialMax);
  }
  EXPECT_EQ(base, kDialMax);
}

TEST_F(BootstrapTest, nodes_that_lost_one_peer_do_not_come_back_together) {
  std::set<Duration> waits;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Bootstrap bootstrap(self, {named(1)}, Rng(seed));
    const auto connects = tick(bootstrap, at(0s));
    bootstrap.on_connected(at(0s), connects[0].request, nullptr);
    waits.insert(bootstrap.next_deadline(true) - at(0s).mono);
  }
  EXPECT_GT(waits.size(), 15u);
}

TEST_F(BootstrapTest, leaves_connected_peers_alone_and_returns_when_they_go) {
  Bootstrap bootstrap(self, {named(1)}, Rng(1));
  const auto connects = tick(bootstrap, at(0s));
  bootstrap.on_peer_ready(peer_id(1));
  const PeerId reached = peer_id(1);
  bootstrap.on_connected(at(0s), connects[0].request, &reached);
  EXPECT_TRUE(tick(bootstrap, at(10min)).empty());
  EXPECT_EQ(bootstrap.next_deadline(true), kNever);
  bootstrap.on_peer_gone(at(10min), peer_id(1));
  EXPECT_EQ(tick(bootstrap, at(10min + kDialFirst)).size(), 1u);
}

TEST_F(BootstrapTest, an_address_without_a_name_belongs_to_who_answers_there) {
  Bootstrap bootstrap(self, {test::public_addr(1)}, Rng(1));
  const auto connects = tick(bootstrap, at(0s));
  ASSERT_EQ(connects.size(), 1u);
  EXPECT_TRUE(connects[0].id.empty());
  const PeerId reached = peer_id(5);
  bootstrap.on_connected(at(0s), connects[0].request, &reached);
  EXPECT_TRUE(tick(bootstrap, at(10min)).empty());
  bootstrap.on_peer_gone(at(10min), peer_id(5));
  EXPECT_EQ(tick(bootstrap, at(11min))[0].id, peer_id(5));
}

TEST_F(BootstrapTest, a_table_with_enough_peers_needs_no_dials) {
  Bootstrap bootstrap(self, {named(1)}, Rng(1));
  EXPECT_TRUE(tick(bootstrap, at(0s), false).empty());
  EXPECT_EQ(bootstrap.next_deadline(false), kNever);
}

TEST_F(BootstrapTest, remembered_neighbours_are_dialled_a_few_at_a_time) {
  Bootstrap bootstrap(self, {}, Rng(1));
  for (std::uint64_t n = 1; n <= 10; ++n)
    EXPECT_TRUE(bootstrap.on_neighbour({peer_id(n), {test::public_addr(1)}}));
  auto connects = tick(bootstrap, at(0s));
  EXPECT_EQ(connects.size(), kNeighboursAtOnce);
  EXPECT_EQ(bootstrap.next_deadline(true), kNever);
  bootstrap.on_connected(at(1s), connects[0].request, nullptr);
  EXPECT_EQ(tick(bootstrap, at(1s)).size(), 1u);
  EXPECT_TRUE(tick(bootstrap, at(2s), false).empty());
  bootstrap.on_connected(at(2s), connects[1].request, nullptr);
  EXPECT_TRUE(tick(bootstrap, at(3s)).empty()) << "the rest was not needed";
}

TEST_F(BootstrapTest, is_bounded) {
  std::vector<Multiaddr> many;
  for (std::uint64_t n = 1; n <= 200; ++n) many.push_back(named(n));
  Bootstrap bootstrap(self, many, Rng(1));
  EXPECT_EQ(tick(bootstrap, at(0s)).size(), kBootstrapMax);
  std::size_t taken = 0;
  for (std::uint64_t n = 1; n <= 200; ++n)
    taken += bootstrap.on_neighbour({peer_id(n), {test::public_addr(1)}});
  EXPECT_EQ(taken, kNeighboursMax);
}

}  // namespace
}  // namespace kith::dht
