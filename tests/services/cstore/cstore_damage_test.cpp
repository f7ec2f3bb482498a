// Disks that give back other bytes than were written: never taken for batches, fetched again.
#include "tests/services/cstore/core_world.hpp"

namespace kith::cstore::test {
namespace {

using Entries = std::map<std::pair<Family, Bytes>, Bytes>;

// The first two of three nodes: of one state, with batches of each, and without a word to each
// other from now on.
CoreWorld two_alike() {
  CoreWorld world(3);
  world.node(0).knows = {1};
  world.node(1).knows = {0};
  for (const char* key : {"a", "b", "c"})
    for (std::uint32_t i = 0; i < 2; ++i)
      EXPECT_TRUE(world.put(i, key + std::to_string(i), "value"));
  world.pass(1min);
  EXPECT_EQ(world.info(0).root, world.info(1).root);
  for (std::uint32_t i = 0; i < 2; ++i) {
    world.node(i).knows.clear();
    world.node(i).disk.durable = world.node(i).disk.entries;
  }
  return world;
}

// Of what the disk holds durably: the batch with this number of this writer.
Bytes& stored(CoreWorld& world, std::uint32_t i, std::uint32_t writer, std::uint64_t sequence) {
  for (auto& [key, value] : world.node(i).disk.durable) {
    const auto place = key.first == 2 ? place_of_log_key(key.second) : std::nullopt;
    if (place && place->writer.id == peer_id(writer) && place->sequence == sequence) return value;
  }
  ADD_FAILURE() << "there is no such batch";
  return world.node(i).disk.durable.begin()->second;
}

void meet(CoreWorld& world, std::uint64_t forks = 0) {
  world.node(0).knows = {1};
  world.node(1).knows = {0};
  world.pass(1min);
  EXPECT_EQ(world.info(0).root, world.info(1).root);
  EXPECT_EQ(world.counters(0).forks + world.counters(1).forks, forks);
}

TEST(CstoreDamage, no_turned_bit_is_taken_for_a_batch_and_others_mend_it) {
  CoreWorld world = two_alike();
  const Entries whole = world.node(1).disk.durable;
  const SpaceInfo before = world.info(1);
  const std::size_t bits = 8 * stored(world, 1, 0, 2).size();
  for (std::size_t bit = 0; bit < bits; ++bit) {
    world.node(1).disk.durable = whole;
    Bytes& value = stored(world, 1, 0, 2);
    value = turned(value, bit);
    world.crash(1);
    ASSERT_EQ(world.counters(1).damaged, 1u) << bit;
    ASSERT_EQ(world.node(1).told.damaged, 1u) << "it is told";
    ASSERT_EQ(world.info(1).batches, before.batches - 2) << "nor what lies behind it";
    ASSERT_EQ(world.get(1, "b0"), "(none)");
    if (bit % 97 != 0) continue;
    meet(world);
    EXPECT_EQ(world.info(1).root, before.root);
    EXPECT_EQ(world.node(1).disk.entries, whole);
    for (std::uint32_t i = 0; i < 2; ++i) world.node(i).knows.clear();
  }
}

TEST(CstoreDamage, a_number_of_ours_that_was_damaged_is_not_used_again) {
  CoreWorld world = two_alike();
  Bytes& value = stored(world, 1, 1, 3);
  value = turned(value, 200);
  world.crash(1);
  ASSERT_TRUE(world.put(1, "later", "v"));
  EXPECT_EQ(world.info(1).own_sequence, 1u) << "of a new incarnation";
  meet(world);
  EXPECT_EQ(world.get(0, "later"), "v");
  EXPECT_EQ(world.get(1, "c1"), "value");
}

TEST(CstoreDamage, ours_that_nobody_else_has_survives_damage_before_it) {
  CoreWorld world = two_alike();
  ASSERT_TRUE(world.put(1, "untold", "v"));
  Bytes& value = stored(world, 1, 1, 2);
  value = turned(value, 200);
  world.crash(1);
  EXPECT_EQ(world.get(1, "untold"), "(none)");
  meet(world);
  EXPECT_EQ(world.get(0, "untold"), "v");
}

TEST(CstoreDamage, what_was_read_wrong_once_is_read_again) {
  CoreWorld world = two_alike();
  ASSERT_TRUE(world.put(1, "untold", "v"));
  const SpaceInfo before = world.info(1);
  world.node(1).disk.misreads = kRereadsMax;
  world.crash(1);
  EXPECT_EQ(world.info(1).root, before.root);
  EXPECT_EQ(world.info(1).own_sequence, before.own_sequence);
  EXPECT_EQ(world.counters(1).damaged, 0u);
}

TEST(CstoreDamage, a_damaged_batch_is_not_served_and_comes_again_from_others) {
  CoreWorld world = two_alike();
  const Entries whole = world.node(1).disk.entries;
  Bytes& value = stored(world, 1, 0, 2);
  value = turned(value, 200);
  world.node(1).disk.entries = world.node(1).disk.durable;
  world.node(2).knows = {1};
  EXPECT_EQ(world.get(2, "b0"), "(none)");
  EXPECT_EQ(world.get(1, "b0"), "value") << "memory knows it";
  EXPECT_GE(world.counters(1).damaged, 1u);
  meet(world);
  EXPECT_EQ(world.node(1).disk.entries, whole);
  EXPECT_EQ(world.get(2, "b0"), "value");
  EXPECT_EQ(world.counters(2).malformed + world.counters(2).forged, 0u);
}

TEST(CstoreDamage, a_namespace_is_not_folded_from_damaged_batches) {
  CoreWorld world = two_alike();
  HybridClock clock;
  schema::KvBatch smaller{
      "s", {peer_id(9), 1, 1}, 1, *clock.next(world.now.wall), {put_op("fork", "1")}};
  schema::KvBatch larger = smaller;
  larger.ops = {put_op("fork", "2")};
  if (sha256(schema::encode_kv_batch(larger)) < sha256(schema::encode_kv_batch(smaller)))
    std::swap(smaller, larger);
  world.hear(1, larger);
  world.node(1).disk.durable = world.node(1).disk.entries;
  const Bytes was = stored(world, 1, 0, 2);
  Bytes& value = stored(world, 1, 0, 2);
  value = turned(value, 200);
  world.node(1).disk.entries = world.node(1).disk.durable;
  world.hear(1, smaller);  // so that it folds anew
  world.pass(2 * kRefoldEvery);
  EXPECT_EQ(world.get(1, "b0"), "value");
  meet(world, 1);
  EXPECT_EQ(world.get(0, "fork"), smaller.ops[0].value.text());
  world.node(1).disk.durable = world.node(1).disk.entries;
  EXPECT_EQ(stored(world, 1, 0, 2), was);
}

}  // namespace
}  // namespace kith::cstore::test
