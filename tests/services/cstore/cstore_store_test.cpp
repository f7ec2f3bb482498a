// A store that refuses batches of others for a while: what it has not taken is not told as held, is
// fetched again when there is room, and memory and disk agree.
#include <rapidcheck/gtest.h>

#include "tests/services/cstore/core_world.hpp"

namespace kith::cstore::test {
namespace {

using gossip::Verdict;

schema::KvBatch batch_of(const CoreWorld& world, std::uint32_t who, std::uint64_t sequence,
                         std::string_view key, std::string_view value) {
  HybridClock clock;
  return {"s", {peer_id(who), 1, 1}, sequence, *clock.next(world.now.wall), {put_op(key, value)}};
}

// What node i tells others that it holds of a writer: the asker says that it has nothing.
std::size_t offered(CoreWorld& world, std::uint32_t i) {
  schema::KvAsk ask;
  ask.space = "s";
  ask.full = true;
  Effects out;
  world.core(i).on_ask(world.now, {900, 0}, {900, 0}, schema::encode_kv_ask(ask), out);
  return std::get<Serve>(out.back()).keys.size();
}

// The state that a restart would find.
void expect_memory_is_disk(CoreWorld& world, std::uint32_t i) {
  const SpaceInfo before = world.info(i);
  world.node(i).disk.durable = world.node(i).disk.entries;
  world.crash(i);
  const SpaceInfo after = world.info(i);
  EXPECT_EQ(after.root, before.root);
  EXPECT_EQ(after.batches, before.batches);
}

TEST(CstoreStore, a_batch_that_the_store_refuses_is_passed_on_and_not_told_as_held) {
  for (const Errc why : {Errc::disk_full, Errc::io, Errc::exhausted}) {
    CoreWorld world(1);
    ASSERT_TRUE(world.put(0, "mine", "v"));
    const auto root = world.info(0).root;
    world.node(0).disk.refuse = fail(why, "refused");
    EXPECT_EQ(world.hear(0, batch_of(world, 9, 1, "k", "v")), Verdict::accept);
    EXPECT_EQ(world.hear(0, batch_of(world, 9, 2, "k", "w")), Verdict::accept);
    EXPECT_EQ(world.get(0, "k"), "(none)");
    EXPECT_EQ(world.info(0).root, root);
    EXPECT_EQ(offered(world, 0), 1u) << "its own only";
    EXPECT_TRUE(world.core(0).status().store_refuses);
    expect_memory_is_disk(world, 0);
  }
}

TEST(CstoreStore, a_batch_is_told_as_held_only_once_the_store_has_answered) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "mine", "v"));
  const auto root = world.info(0).root;
  world.node(0).disk.hold = true;
  for (std::uint64_t i = 1; i <= 200; ++i)  // more than may come early
    EXPECT_EQ(world.hear(0, batch_of(world, 9, i, "k", std::to_string(i))), Verdict::accept);
  EXPECT_EQ(world.hear(0, batch_of(world, 9, 7, "k", "7")), Verdict::ignore) << "it is known";
  EXPECT_EQ(offered(world, 0), 1u);
  EXPECT_EQ(world.info(0).root, root);
  world.release(0);
  EXPECT_EQ(offered(world, 0), 201u);
  EXPECT_EQ(world.get(0, "k"), "200");
  EXPECT_EQ(world.counters(0).gaps, 0u);
}

TEST(CstoreStore, what_was_refused_is_fetched_again_when_there_is_room) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  ASSERT_TRUE(world.put(1, "b", "2"));
  world.everybody_knows_everybody();
  world.pass(15s);
  ASSERT_EQ(world.info(0).root, world.info(1).root);
  world.node(1).disk.refuse = fail(Errc::disk_full, "full");
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(world.put(0, "k" + std::to_string(i), std::string(1000, 'v')));
  for (std::size_t i = 1; i < 50; ++i)
    world.hear(1, world.node(0).told.published[i], peer_id(0), peer_id(0));
  world.pass(10min);
  EXPECT_EQ(world.get(1, "k3"), "(none)");
  world.node(1).disk.refuse.reset();
  world.pass(kStoreRetryMax + 10s);
  EXPECT_EQ(world.info(1).root, world.info(0).root);
  EXPECT_FALSE(world.core(1).status().store_refuses);
  expect_memory_is_disk(world, 1);
}

TEST(CstoreStore, a_store_that_stays_full_is_asked_seldom_and_peers_too) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  ASSERT_TRUE(world.put(1, "b", "2"));
  world.everybody_knows_everybody();
  world.pass(15s);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(world.put(0, "k" + std::to_string(i), "v"));
  world.node(1).disk.refuse = fail(Errc::io, "failed");
  world.node(1).disk.commits = 0;
  world.node(0).knows.clear();
  const std::uint64_t served = world.counters(0).pages_served;
  world.pass(1h);
  // The first page is refused as a whole; then one batch after 2, 4, 8, ... 256 s, then each 300 s.
  EXPECT_LE(world.node(1).disk.commits, 100u + 20u);
  EXPECT_GE(world.node(1).disk.commits, 100u + 15u) << "it is asked again";
  EXPECT_LE(world.counters(0).pages_served - served, 2u * 22u) << "a root and a page each";
}

TEST(CstoreStore, a_disk_that_takes_only_what_is_small_takes_no_more_pages_than_a_full_one) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  ASSERT_TRUE(world.put(1, "b", "2"));
  world.everybody_knows_everybody();
  world.pass(15s);
  ASSERT_TRUE(world.put(0, "large", std::string(30'000, 'x')));
  world.node(0).knows.clear();
  world.node(1).disk.bytes_max = 20'000;
  const std::uint64_t served = world.counters(0).pages_served;
  for (int minute = 0; minute < 60; ++minute) {
    world.hear(1, batch_of(world, 9, static_cast<std::uint64_t>(minute + 1), "k", "v"));
    world.pass(1min);
  }
  EXPECT_LE(world.counters(0).pages_served - served, 100u);
  EXPECT_EQ(world.get(1, "k"), "v") << "what fits is taken";
  world.node(1).disk.bytes_max = UINT64_MAX;
  world.pass(kStoreRetryMax + 10s);
  EXPECT_EQ(world.get(1, "large").size(), 30'000u);
}

// One is refused, and the store takes those behind it: they are a hole away from the log.
TEST(CstoreStore, what_comes_behind_a_refused_batch_is_not_held_either) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  ASSERT_TRUE(world.put(1, "b", "2"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.put(0, "k" + std::to_string(i), "v"));
  const auto& published = world.node(0).told.published;
  world.hear(1, published[0], peer_id(0), peer_id(0));
  world.node(1).disk.hold = true;
  world.node(1).disk.refuse = fail(Errc::disk_full, "full");
  world.hear(1, published[1], peer_id(0), peer_id(0));
  world.node(1).disk.refuse.reset();
  world.hear(1, published[2], peer_id(0), peer_id(0));
  world.hear(1, published[3], peer_id(0), peer_id(0));
  world.release(1);
  EXPECT_EQ(offered(world, 1), 2u);
  EXPECT_EQ(world.get(1, "k2"), "(none)");
  expect_memory_is_disk(world, 1);
  world.everybody_knows_everybody();
  world.pass(1min);
  EXPECT_EQ(world.info(1).root, world.info(0).root);
  expect_memory_is_disk(world, 1);
}

TEST(CstoreStore, the_half_of_a_fork_that_the_store_refuses_is_not_taken_in_memory_either) {
  CoreWorld world(2);
  for (std::uint32_t i = 0; i < 2; ++i) ASSERT_TRUE(world.put(i, "joined", ""));
  schema::KvBatch wins = batch_of(world, 9, 1, "x", "one");
  schema::KvBatch loses = batch_of(world, 9, 1, "y", "two");
  if (sha256(schema::encode_kv_batch(loses)) < sha256(schema::encode_kv_batch(wins)))
    std::swap(wins, loses);
  world.hear(0, wins);
  world.hear(1, loses);
  world.node(1).disk.refuse = fail(Errc::disk_full, "full");
  world.hear(1, wins);
  world.pass(1min);
  expect_memory_is_disk(world, 1);
  world.node(1).disk.refuse = fail(Errc::disk_full, "full");
  world.hear(1, wins);
  world.node(1).disk.refuse.reset();
  world.everybody_knows_everybody();
  world.pass(3min);
  EXPECT_EQ(world.info(1).root, world.info(0).root);
  expect_memory_is_disk(world, 1);
}

TEST(CstoreStore, a_namespace_whose_record_was_refused_is_still_held_after_a_restart) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  world.everybody_knows_everybody();
  world.node(1).disk.refuse = fail(Errc::disk_full, "full");
  EXPECT_EQ(world.get(1, "a"), "(none)");
  world.node(1).disk.refuse.reset();
  world.pass(1min);
  EXPECT_EQ(world.get(1, "a"), "1");
  world.node(1).disk.durable = world.node(1).disk.entries;
  world.crash(1);
  EXPECT_EQ(world.core(1).status().spaces, 1u);
  EXPECT_EQ(world.get(1, "a"), "1");
}

TEST(CstoreStore, a_writer_of_whom_nothing_was_stored_takes_no_place_of_another) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "mine", "v"));
  schema::KvBatch batch = batch_of(world, 9, 1, "k", "v");
  world.node(0).disk.refuse = fail(Errc::disk_full, "full");
  for (std::uint64_t i = 0; i < kWritersMax + 5; ++i) {
    batch.writer.nonce = i;
    world.hear(0, batch);
    world.pass(1s);
  }
  EXPECT_EQ(world.info(0).writers, 1u);
  EXPECT_EQ(world.counters(0).full, 0u);
}

// Disks that fill, fail and heal in between writes, messages and crashes: a node never offers what
// a crash without losses would not find, and all is well when there is room.
RC_GTEST_PROP(CstoreStore, memory_is_what_the_disk_holds_whatever_it_refuses, ()) {
  CoreWorld world(3);
  std::vector<std::pair<std::uint32_t, Bytes>> post;
  for (std::uint32_t i = 0; i < 3; ++i) world.put(i, "joined" + std::to_string(i), "");
  std::map<std::string, std::string> last;
  const int steps = *rc::gen::inRange(0, 60);
  for (int step = 0; step < steps; ++step) {
    const auto i = *rc::gen::inRange<std::uint32_t>(0, 3);
    Disk& disk = world.node(i).disk;
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        disk.refuse = fail(Errc::disk_full, "full");
        break;
      case 1:
        disk.refuse.reset();
        break;
      case 2:
        disk.hold = true;
        break;
      case 3:
        world.release(i);
        break;
      case 4:
        world.pass(*rc::gen::element<Duration>(1s, 10s, 60s));
        break;
      case 5: {
        const std::string key = "k" + std::to_string(step);
        const RequestId put =
            world.run(i, Put{"s", Bytes::copy(key), Bytes::copy(std::to_string(step))});
        const auto* answer = world.answer(i, put);
        if (answer != nullptr && answer->has_value()) last[key] = std::to_string(step);
        break;
      }
      default:
        if (!post.empty()) {
          const auto& [from, message] = *rc::gen::elementOf(post);
          if (from != i) world.hear(i, message, peer_id(from), peer_id(from));
        }
    }
    for (std::uint32_t j = 0; j < 3; ++j)
      for (const Bytes& message : std::exchange(world.node(j).told.published, {}))
        post.emplace_back(j, message);
    if (step % 10 == 9) {
      world.release(i);
      const auto before = world.info(i);
      disk.durable = disk.entries;
      world.crash(i);
      RC_ASSERT(world.info(i).root == before.root);
      RC_ASSERT(world.info(i).batches == before.batches);
    }
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    world.release(i);
    world.node(i).disk.refuse.reset();
  }
  world.everybody_knows_everybody();
  world.pass(kStoreRetryMax + 1min);
  const auto root = world.info(0).root;
  for (std::uint32_t i = 0; i < 3; ++i) {
    RC_ASSERT(world.info(i).root == root);
    for (const auto& [key, value] : last) RC_ASSERT(world.get(i, key) == value);
    RC_ASSERT(world.counters(i).forks == 0u);
  }
}

}  // namespace
}  // namespace kith::cstore::test
