// Many routers together: what must hold for the mesh as a whole, whatever the seed.
#include <gtest/gtest.h>

#include "tests/gossip/bus.hpp"

namespace kith::gossip {
namespace {

constexpr std::string_view kTopic = "a";

std::string data_of(std::size_t node, int round) {
  return "message of " + std::to_string(node) + " in round " + std::to_string(round);
}

// Every subscriber but the author has it.
void expect_heard_by_all(Bus& bus, const std::string& data, std::size_t author) {
  for (std::size_t node = 0; node < bus.size(); ++node)
    EXPECT_TRUE(node == author || bus.heard(node).contains(data)) << node << " missed " << data;
}

// Each mesh within its bounds, and mutual.
void expect_sound_meshes(Bus& bus) {
  for (std::size_t node = 0; node < bus.size(); ++node) {
    const std::set<std::size_t> mesh = bus.mesh(node, kTopic);
    EXPECT_LE(mesh.size(), 12u) << node;
    std::size_t links = 0;
    for (const auto& [ends, link] : bus.links()) links += ends.first == node || ends.second == node;
    EXPECT_GE(mesh.size(), std::min<std::size_t>(links, 1)) << node;
    for (const std::size_t peer : mesh)
      EXPECT_TRUE(bus.mesh(peer, kTopic).contains(node)) << node << " and " << peer;
  }
}

TEST(RouterProperty, connected_subscribers_hear_every_message_exactly_once) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    Bus bus(25, seed);
    for (std::size_t i = 0; i < bus.size(); ++i) bus.subscribe(i, kTopic);
    bus.connect_at_random(seed % 5);
    bus.run(5s);
    expect_sound_meshes(bus);
    for (std::size_t i = 0; i < bus.size(); ++i) bus.publish(i, kTopic, data_of(i, 0));
    bus.run(10s);
    for (std::size_t i = 0; i < bus.size(); ++i) expect_heard_by_all(bus, data_of(i, 0), i);
  }
}

TEST(RouterProperty, churn_of_links_loses_nothing_while_the_network_stays_connected) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Bus bus(20, seed);
    for (std::size_t i = 0; i < bus.size(); ++i) bus.subscribe(i, kTopic);
    bus.connect_at_random(3);
    bus.run(3s);
    Rng rng(seed);
    std::vector<std::pair<std::size_t, int>> published;
    for (int round = 0; round < 60; ++round) {
      for (int i = 0; i < 3; ++i) bus.churn();
      const std::size_t author = rng.below(bus.size());
      bus.publish(author, kTopic, data_of(author, round));
      published.emplace_back(author, round);
      bus.run(std::chrono::milliseconds(rng.below(500)));
    }
    bus.run(15s);
    for (const auto& [author, round] : published)
      expect_heard_by_all(bus, data_of(author, round), author);
  }
}

TEST(RouterProperty, slow_judges_delay_messages_and_lose_none) {
  Bus bus(20, 3);
  bus.judge_time_max = 4s;
  for (std::size_t i = 0; i < bus.size(); ++i) bus.subscribe(i, kTopic);
  bus.connect_at_random(3);
  bus.run(3s);
  for (std::size_t i = 0; i < bus.size(); ++i) bus.publish(i, kTopic, data_of(i, 0));
  bus.run(60s);
  for (std::size_t i = 0; i < bus.size(); ++i) expect_heard_by_all(bus, data_of(i, 0), i);
}

TEST(RouterProperty, healed_partition_hears_again_and_its_meshes_are_sound) {
  Bus bus(24, 9);
  for (std::size_t i = 0; i < bus.size(); ++i) bus.subscribe(i, kTopic);
  bus.connect_at_random(4);
  bus.run(3s);
  std::vector<std::pair<std::size_t, std::size_t>> cut;
  for (const auto& [ends, link] : bus.links())
    if (ends.first < 12 && ends.second >= 12) cut.push_back(ends);
  for (const auto& [a, b] : cut) bus.unlink(a, b);
  bus.run(10s);
  bus.publish(0, kTopic, data_of(0, 1));
  bus.run(2s);
  EXPECT_TRUE(bus.heard(5).contains(data_of(0, 1)) && !bus.heard(20).contains(data_of(0, 1)));
  for (const auto& [a, b] : cut) bus.link(a, b);
  // Still within the windows in which it is offered: the other half gets it by IHAVE and IWANT.
  bus.run(5s);
  expect_heard_by_all(bus, data_of(0, 1), 0);
  bus.publish(20, kTopic, data_of(20, 2));
  bus.run(5s);
  expect_heard_by_all(bus, data_of(20, 2), 20);
  expect_sound_meshes(bus);
}

TEST(RouterProperty, everybody_linked_to_everybody_keeps_meshes_within_bounds) {
  Bus bus(40, 5);
  for (std::size_t i = 0; i < bus.size(); ++i) bus.subscribe(i, kTopic);
  for (std::size_t a = 0; a < bus.size(); ++a)
    for (std::size_t b = a + 1; b < bus.size(); ++b) bus.link(a, b);
  for (int round = 0; round < 20; ++round) {
    bus.run(5s);
    // A peer that we dialled may exceed the bound until the next heartbeat.
    for (std::size_t i = 0; i < bus.size(); ++i) EXPECT_LE(bus.mesh(i, kTopic).size(), 14u);
  }
  expect_sound_meshes(bus);
  bus.publish(0, kTopic, data_of(0, 0));
  bus.run(2s);
  expect_heard_by_all(bus, data_of(0, 0), 0);
}

TEST(RouterProperty, publisher_that_does_not_subscribe_is_heard) {
  Bus bus(12, 2);
  for (std::size_t i = 1; i < bus.size(); ++i) bus.subscribe(i, kTopic);
  bus.connect_at_random(2);
  bus.run(3s);
  bus.publish(0, kTopic, "small");
  bus.publish(0, kTopic, std::string(50'000, 'x'));
  bus.run(5s);
  expect_heard_by_all(bus, "small", 0);
  expect_heard_by_all(bus, std::string(50'000, 'x'), 0);
}

TEST(RouterProperty, same_seed_runs_the_same) {
  const auto run = [](std::uint64_t seed) {
    Bus bus(15, seed);
    bus.judge_time_max = 1s;
    for (std::size_t i = 0; i < bus.size(); ++i) bus.subscribe(i, kTopic);
    bus.connect_at_random(3);
    for (int i = 0; i < 20; ++i) {
      bus.churn();
      bus.publish(0, kTopic, data_of(0, i));
      bus.run(300ms);
    }
    return bus.trace();
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace kith::gossip
