#include "gossip/mesh.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <set>

namespace kith::gossip {
namespace {

host::PeerSlot slot(std::uint32_t number) { return {number, 0}; }

TEST(Mesh, is_a_set_in_slot_order) {
  Mesh mesh;
  EXPECT_TRUE(mesh.add(slot(3), false));
  EXPECT_TRUE(mesh.add(slot(1), true));
  EXPECT_FALSE(mesh.add(slot(3), true));
  EXPECT_EQ(mesh.peers(), (std::vector{slot(1), slot(3)}));
  EXPECT_EQ(mesh.outbound(), 1u);
  EXPECT_TRUE(mesh.has(slot(3)));
  EXPECT_FALSE(mesh.has({3, 1})) << "another generation is another peer";
  EXPECT_TRUE(mesh.remove(slot(3)));
  EXPECT_FALSE(mesh.remove(slot(3)));
}

RC_GTEST_PROP(MeshProperty, excess_leaves_the_degree_and_the_outbound_quota,
              (const std::vector<bool>& outbound, std::uint64_t seed)) {
  Mesh mesh;
  std::size_t dialled = 0;
  for (std::uint32_t i = 0; i < outbound.size(); ++i) {
    mesh.add(slot(i), outbound[i]);
    dialled += outbound[i];
  }
  const auto degree = static_cast<std::size_t>(*rc::gen::inRange(1, 9));
  const auto degree_out = static_cast<std::size_t>(*rc::gen::inRange(0, 5));
  Rng rng(seed);
  const auto leaving = mesh.excess(degree, degree_out, rng);
  RC_ASSERT(mesh.size() - leaving.size() == std::min(mesh.size(), degree));
  for (const host::PeerSlot peer : leaving) RC_ASSERT(mesh.remove(peer));
  RC_ASSERT(mesh.outbound() >= std::min({dialled, degree_out, degree}));
}

TEST(Mesh, who_leaves_is_not_always_the_same) {
  Mesh mesh;
  for (std::uint32_t i = 0; i < 13; ++i) mesh.add(slot(i), false);
  Rng rng(1);
  std::set<host::PeerSlot> ever;
  for (int i = 0; i < 20; ++i)
    for (const host::PeerSlot peer : mesh.excess(6, 2, rng)) ever.insert(peer);
  EXPECT_EQ(ever.size(), 13u);
}

constexpr Mono kStart(1000s);
constexpr Mono after(Duration time) { return kStart + time; }

TEST(Backoffs, hold_the_peer_until_their_end_and_us_a_little_longer) {
  Backoffs backoffs;
  backoffs.set(kStart, 1, 60s);
  EXPECT_TRUE(backoffs.holds(after(60s - 1ns), 1));
  EXPECT_FALSE(backoffs.holds(after(60s), 1));
  EXPECT_TRUE(backoffs.holds_us(after(60s), 1));
  EXPECT_FALSE(backoffs.holds_us(after(60s + kBackoffSlack), 1));
  EXPECT_FALSE(backoffs.holds(kStart, 2));
}

TEST(Backoffs, never_get_shorter) {
  Backoffs backoffs;
  backoffs.set(kStart, 1, 60s);
  backoffs.set(after(10s), 1, 10s);
  EXPECT_TRUE(backoffs.holds(after(59s), 1));
}

TEST(Backoffs, extending_doubles_up_to_an_hour) {
  Backoffs backoffs;
  backoffs.set(kStart, 1, 60s);
  EXPECT_EQ(backoffs.extend(after(1s), 1), 120s);
  EXPECT_TRUE(backoffs.holds(after(120s), 1)) << "the new length counts from the extension";
  EXPECT_EQ(backoffs.extend(after(2s), 1), 240s);
  for (int i = 0; i < 20; ++i) backoffs.extend(after(3s), 1);
  EXPECT_EQ(backoffs.extend(after(3s), 1), kBackoffMax);
  EXPECT_FALSE(backoffs.holds(after(3s + kBackoffMax), 1));
}

TEST(Backoffs, short_one_is_extended_to_the_usual_length_at_least) {
  Backoffs backoffs;
  backoffs.set(kStart, 1, 1s);
  EXPECT_EQ(backoffs.extend(kStart, 1), kBackoff);
}

TEST(Backoffs, full_table_lets_go_of_the_one_that_ends_first) {
  Backoffs backoffs;
  for (std::uint64_t peer = 1; peer <= kBackoffsPerTopicMax; ++peer)
    backoffs.set(kStart, peer, peer == 7 ? 10s : 60s);
  backoffs.set(kStart, 5000, 60s);
  EXPECT_EQ(backoffs.size(), kBackoffsPerTopicMax);
  EXPECT_FALSE(backoffs.holds(kStart, 7));
  EXPECT_TRUE(backoffs.holds(kStart, 8) && backoffs.holds(kStart, 5000));
}

TEST(Backoffs, are_forgotten_when_they_hold_nobody) {
  Backoffs backoffs;
  backoffs.set(kStart, 1, 60s);
  backoffs.expire(after(60s));
  EXPECT_FALSE(backoffs.empty());
  backoffs.expire(after(60s + kBackoffSlack));
  EXPECT_TRUE(backoffs.empty());
}

// CVE-2026-33040: a backoff of 2^64 seconds overflowed, twice.
TEST(Backoffs, whatever_a_peer_asks_for_saturates_at_an_hour) {
  EXPECT_EQ(backoff_of(0), kBackoff);
  EXPECT_EQ(backoff_of(5), 5s);
  EXPECT_EQ(backoff_of(3601), kBackoffMax);
  EXPECT_EQ(backoff_of(UINT64_MAX), kBackoffMax);
  EXPECT_EQ(backoff_of(UINT64_MAX / 1'000'000'000 + 1), kBackoffMax);
  Backoffs backoffs;
  backoffs.set(kNever - 1s, 1, backoff_of(UINT64_MAX));
  EXPECT_TRUE(backoffs.holds(kNever - 1ns, 1));
}

TEST(Backoffs, are_told_in_whole_seconds_rounded_up) {
  EXPECT_EQ(backoff_seconds(60s), 60u);
  EXPECT_EQ(backoff_seconds(1ms), 1u);
}

}  // namespace
}  // namespace kith::gossip
