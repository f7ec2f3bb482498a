#include "services/cstore/cstore_core.hpp"

#include <rapidcheck/gtest.h>

#include "tests/services/cstore/core_world.hpp"

namespace kith::cstore::test {
namespace {

using gossip::Verdict;

Stamp stamp_at(const CoreWorld& world, Duration ahead = Duration::zero()) {
  HybridClock clock;
  return *clock.next(world.now.wall + ahead);
}
schema::KvBatch batch_of(const CoreWorld& world, std::uint32_t who, std::uint64_t sequence,
                         std::string_view key, std::string_view value) {
  return {"s", {peer_id(who), 1, 1}, sequence, stamp_at(world), {put_op(key, value)}};
}

TEST(CstoreCore, a_write_is_acknowledged_and_published_when_it_is_durable) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "first", "joins"));
  world.node(0).disk.hold = true;
  const RequestId put = world.run(0, Put{"s", Bytes::copy("k"), Bytes::copy("v")});
  EXPECT_EQ(world.answer(0, put), nullptr);
  EXPECT_EQ(world.node(0).told.published.size(), 1u);
  EXPECT_EQ(world.get(0, "k"), "(none)");
  world.release(0);
  ASSERT_NE(world.answer(0, put), nullptr);
  EXPECT_TRUE(world.answer(0, put)->has_value());
  EXPECT_EQ(world.node(0).told.published.size(), 2u);
  EXPECT_EQ(world.get(0, "k"), "v");
}

TEST(CstoreCore, writes_that_meet_a_busy_disk_share_one_batch) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "first", "joins"));
  world.node(0).disk.hold = true;
  for (int i = 0; i < 100; ++i)
    world.run(0, Put{"s", Bytes::copy("k" + std::to_string(i)), Bytes::copy("v")});
  world.node(0).disk.hold = false;
  world.release(0);
  EXPECT_EQ(world.info(0).keys, 101u);
  EXPECT_EQ(world.info(0).batches, 3u);
}

TEST(CstoreCore, a_batch_stays_below_what_gossip_carries) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "first", "joins"));
  world.node(0).disk.hold = true;
  const std::string large(schema::kKvValueMax, 'x');
  for (int i = 0; i < 4; ++i)
    world.run(0, Put{"s", Bytes::copy(std::string(schema::kKvKeyMax - 1, 'k') + char('0' + i)),
                     Bytes::copy(large)});
  for (int i = 0; i < 2000; ++i)
    world.run(0, Put{"s", Bytes::copy("key" + std::to_string(i)), Bytes::copy("")});
  world.release(0);
  EXPECT_EQ(world.info(0).keys, 2005u);
  for (const Bytes& message : world.node(0).told.published)
    EXPECT_LE(message.size(), schema::kKvSignedBytesMax);
}

TEST(CstoreCore, what_cannot_be_written_is_refused_and_says_why) {
  CoreWorld world(1);
  const auto code = [&](Request what) { return world.ask(0, std::move(what)).error().code; };
  const Bytes key = Bytes::copy("k");
  EXPECT_EQ(code(Put{"No Space", key, {}}), Errc::usage);
  EXPECT_EQ(code(Put{"", key, {}}), Errc::usage);
  EXPECT_EQ(code(Put{std::string(65, 'a'), key, {}}), Errc::usage);
  EXPECT_EQ(code(Put{"s", {}, {}}), Errc::usage);
  EXPECT_EQ(code(Put{"s", Bytes::copy(std::string(513, 'k')), {}}), Errc::usage);
  EXPECT_EQ(code(Put{"s", key, Bytes::copy(std::string((32u << 10) + 1, 'v'))}), Errc::oversized);
  EXPECT_EQ(code(Get{"s", key}), Errc::not_found);
  ASSERT_TRUE(world.incr(0, "n", 1));
  EXPECT_EQ(code(Put{"s", Bytes::copy("n"), key}), Errc::refused);
  ASSERT_TRUE(world.put(0, "v", "value"));
  EXPECT_EQ(code(Increment{"s", Bytes::copy("v"), 1}), Errc::refused);
  for (std::size_t i = 1; i < kSpacesMax; ++i)
    ASSERT_TRUE(world.ask(0, Put{"s" + std::to_string(i), key, key}).has_value());
  EXPECT_EQ(code(Put{"one-more", key, key}), Errc::exhausted);
}

TEST(CstoreCore, a_full_namespace_takes_nothing_from_anybody) {
  CoreWorld world(1, 4096);
  int taken = 0;
  while (taken < 1000 && world.put(0, "k" + std::to_string(taken), "v")) ++taken;
  EXPECT_GT(taken, 5);
  const auto refused = world.ask(0, Put{"s", Bytes::copy("k"), Bytes::copy("v")});
  EXPECT_EQ(refused.error().code, Errc::exhausted);
  EXPECT_LE(world.info(0).bytes, 4096u + 512u);
  EXPECT_EQ(world.hear(0, batch_of(world, 9, 1, "k", "v")), Verdict::ignore);
  EXPECT_EQ(world.counters(0).full, 1u);
}

TEST(CstoreCore, a_write_that_the_disk_refuses_was_never_there) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "a", "1"));
  world.node(0).disk.refuse = fail(Errc::disk_full, "full");
  EXPECT_FALSE(world.put(0, "b", "2"));
  world.node(0).disk.refuse.reset();
  EXPECT_EQ(world.get(0, "b"), "(none)");
  ASSERT_TRUE(world.put(0, "c", "3"));
  EXPECT_EQ(world.info(0).own_sequence, 2u);
  EXPECT_EQ(world.node(0).told.published.size(), 2u);
}

TEST(CstoreCore, what_was_acknowledged_outlives_a_crash_and_numbers_go_on) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "a", "1"));
  ASSERT_TRUE(world.incr(0, "n", 5));
  const auto root = world.info(0).root;
  world.node(0).disk.hold = true;
  world.run(0, Put{"s", Bytes::copy("b"), Bytes::copy("2")});
  world.crash(0);
  EXPECT_EQ(world.get(0, "a"), "1");
  EXPECT_EQ(world.get(0, "b"), "(none)");
  EXPECT_EQ(world.info(0).root, root);
  ASSERT_TRUE(world.incr(0, "n", -2));
  EXPECT_EQ(world.count(0, "n"), 3);
  EXPECT_EQ(world.info(0).own_sequence, 3u);
  EXPECT_EQ(world.info(0).writers, 1u);
}

TEST(CstoreCore, an_empty_store_begins_a_new_incarnation) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  ASSERT_TRUE(world.incr(0, "n", 1));
  world.everybody_knows_everybody();
  EXPECT_EQ(world.get(1, "a"), "1");
  world.node(0).disk.durable.clear();
  world.crash(0);
  ASSERT_TRUE(world.incr(0, "n", 10));
  world.pass(1min);
  EXPECT_EQ(world.info(0).writers, 2u);
  EXPECT_EQ(world.count(0, "n"), 11);
  EXPECT_EQ(world.info(0).root, world.info(1).root);
  EXPECT_EQ(world.counters(0).forks + world.counters(1).forks, 0u);
}

TEST(CstoreCore, an_older_copy_of_the_store_is_noticed) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  const auto old = world.node(0).disk.durable;
  ASSERT_TRUE(world.put(0, "b", "2"));
  world.everybody_knows_everybody();
  EXPECT_EQ(world.get(1, "b"), "2");
  world.node(0).disk.durable = old;
  world.crash(0);
  world.pass(30s);
  ASSERT_TRUE(world.put(0, "c", "3"));
  world.pass(1min);
  EXPECT_EQ(world.get(0, "b"), "2");
  EXPECT_EQ(world.get(1, "c"), "3");
  EXPECT_EQ(world.info(0).writers, 2u);
  EXPECT_EQ(world.counters(1).forks, 0u);
}

TEST(CstoreCore, a_hole_in_the_log_of_our_own_ends_the_incarnation) {
  CoreWorld world(1);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.put(0, "k" + std::to_string(i), "v"));
  auto& durable = world.node(0).disk.durable;
  durable.erase(std::next(durable.lower_bound({2, {}})));
  world.crash(0);
  ASSERT_TRUE(world.put(0, "later", "v"));
  EXPECT_EQ(world.info(0).writers, 2u);
}

TEST(CstoreCore, a_replay_changes_nothing_and_is_ignored) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "mine", "v"));
  const schema::KvBatch batch = batch_of(world, 9, 1, "k", "v");
  EXPECT_EQ(world.hear(0, batch), Verdict::accept);
  const auto root = world.info(0).root;
  EXPECT_EQ(world.hear(0, batch), Verdict::ignore);
  EXPECT_EQ(world.hear(0, world.node(0).told.published[0], peer_id(0), peer_id(9)),
            Verdict::ignore);
  EXPECT_EQ(world.info(0).root, root);
  EXPECT_EQ(world.counters(0).replayed, 2u);
}

TEST(CstoreCore, forged_batches_are_rejected) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "k", "true"));
  const auto root = world.info(0).root;
  const schema::KvBatch batch = batch_of(world, 9, 1, "k", "false");
  const Bytes body = schema::encode_kv_batch(batch);
  const Bytes badly = schema::encode_kv_signed(body, sign(peer_id(8), body));
  EXPECT_EQ(world.hear(0, badly, peer_id(9), peer_id(9)), Verdict::reject);
  EXPECT_EQ(world.hear(0, seal(batch), peer_id(8), peer_id(8)), Verdict::reject);
  schema::KvBatch elsewhere = batch;
  elsewhere.space = "other";
  EXPECT_EQ(world.hear(0, elsewhere), Verdict::reject);
  EXPECT_EQ(world.counters(0).forged, 3u);
  EXPECT_EQ(world.info(0).root, root);
}

TEST(CstoreCore, truncated_and_oversized_batches_are_rejected_before_anything_else) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "k", "v"));
  const Bytes whole = seal(batch_of(world, 9, 1, "k", "v"));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(world.hear(0, whole.slice(0, size), peer_id(9), peer_id(9)), Verdict::accept);
  EXPECT_EQ(world.counters(0).truncated, whole.size());
  const Bytes huge = Bytes::copy(std::string(schema::kKvSignedBytesMax + 8, 'x'));
  EXPECT_EQ(world.hear(0, huge, peer_id(9), peer_id(9)), Verdict::reject);
  EXPECT_EQ(world.counters(0).oversized, 1u);
  EXPECT_EQ(world.info(0).writers, 1u);
}

TEST(CstoreCore, batches_from_the_future_are_refused_and_blamed_on_who_must_know) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "k", "v"));
  schema::KvBatch batch = batch_of(world, 9, 1, "k", "later");
  batch.stamp = stamp_at(world, kClockAheadMax + 1s);
  EXPECT_EQ(world.hear(0, batch), Verdict::ignore) << "its clock may have been led astray";
  EXPECT_EQ(world.hear(0, seal(batch), peer_id(9), peer_id(8)), Verdict::ignore);
  batch.stamp = UINT64_MAX;
  EXPECT_EQ(world.hear(0, seal(batch), peer_id(9), peer_id(8)), Verdict::reject);
  EXPECT_EQ(world.counters(0).future, 3u);
  EXPECT_EQ(world.get(0, "k"), "v");
  batch.stamp = stamp_at(world, kClockAheadMax - 1s);
  EXPECT_EQ(world.hear(0, batch), Verdict::accept);
  EXPECT_EQ(world.get(0, "k"), "later");
  ASSERT_TRUE(world.put(0, "k", "mine")) << "what is written after having seen it wins";
  EXPECT_EQ(world.get(0, "k"), "mine");
}

TEST(CstoreCore, batches_that_come_early_wait_for_the_one_before) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "mine", "v"));
  const schema::KvBatch first = batch_of(world, 9, 1, "k", "1");
  EXPECT_EQ(world.hear(0, batch_of(world, 9, 3, "k", "3")), Verdict::accept);
  EXPECT_EQ(world.hear(0, batch_of(world, 9, 2, "k", "2")), Verdict::accept);
  EXPECT_EQ(world.info(0).waiting, 2u);
  EXPECT_EQ(world.get(0, "k"), "(none)");
  EXPECT_EQ(world.hear(0, first), Verdict::accept);
  EXPECT_EQ(world.info(0).waiting, 0u);
  EXPECT_EQ(world.get(0, "k"), "3");
}

TEST(CstoreCore, the_number_of_waiting_batches_is_bounded) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "mine", "v"));
  for (std::uint64_t i = 2; i < 3 * kEarlyPerWriterMax; ++i)
    world.hear(0, batch_of(world, 9, i, "k", "v"));
  EXPECT_LE(world.info(0).waiting, kEarlyPerWriterMax);
  EXPECT_EQ(world.hear(0, batch_of(world, 9, UINT64_MAX, "k", "v")), Verdict::ignore);
}

TEST(CstoreCore, the_number_of_writers_is_bounded) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "mine", "v"));
  schema::KvBatch batch = batch_of(world, 9, 1, "k", "v");
  for (std::uint64_t i = 0; i < kWritersMax + 5; ++i) {
    batch.writer.nonce = i;
    world.hear(0, batch);
  }
  EXPECT_EQ(world.info(0).writers, kWritersMax);
  EXPECT_EQ(world.counters(0).full, 6u);
}

TEST(CstoreCore, watchers_hear_of_changes_below_their_prefix) {
  CoreWorld world(1);
  const RequestId watch = world.run(0, Watch{"s", Bytes::copy("a/")});
  ASSERT_TRUE(world.put(0, "a/1", "v"));
  ASSERT_TRUE(world.put(0, "b/1", "v"));
  world.hear(0, batch_of(world, 9, 1, "a/2", "w"));
  const auto& changes = world.node(0).told.changes;
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].item.value.text(), "w");
  EXPECT_EQ(changes[1].item.writer, peer_id(9));
  world.core(0).cancel(watch);
  ASSERT_TRUE(world.put(0, "a/3", "v"));
  EXPECT_EQ(changes.size(), 2u);
}

// Random writes of three nodes, whose messages come in any order, twice, or not at all, with
// crashes in between; then catch-ups.
RC_GTEST_PROP(CstoreCore, comes_to_one_state_that_has_all_that_was_acknowledged, ()) {
  CoreWorld world(3);
  std::map<std::string, std::int64_t> counted;
  std::map<std::string, std::string> last;  // keys of one writer each
  std::vector<std::pair<std::uint32_t, Bytes>> post;
  const auto collect = [&](std::uint32_t i) {
    for (const Bytes& message : std::exchange(world.node(i).told.published, {}))
      post.emplace_back(i, message);
  };
  for (std::uint32_t i = 0; i < 3; ++i) world.put(i, "joined" + std::to_string(i), "");
  const int steps = *rc::gen::inRange(0, 40);
  for (int step = 0; step < steps; ++step) {
    world.pass(*rc::gen::element<Duration>(1ms, 100ms, 3s));
    const auto i = *rc::gen::inRange<std::uint32_t>(0, 3);
    const int what = *rc::gen::inRange(0, 6);
    if (what < 2) {
      const std::string key = std::to_string(i) + char('a' + *rc::gen::inRange(0, 3));
      if (world.put(i, key, std::to_string(step))) last[key] = std::to_string(step);
    } else if (what == 2) {
      const std::int64_t by = *rc::gen::inRange(-5, 6);
      if (world.incr(i, "n", by)) counted["n"] += by;
    } else if (what == 3) {
      world.crash(i);
    } else if (!post.empty()) {
      const auto& [from, message] = *rc::gen::elementOf(post);
      if (from != i) world.hear(i, message, peer_id(from), peer_id(from));
    }
    for (std::uint32_t j = 0; j < 3; ++j) collect(j);
  }
  world.everybody_knows_everybody();
  world.pass(2min);
  const auto root = world.info(0).root;
  for (std::uint32_t i = 0; i < 3; ++i) {
    RC_ASSERT(world.info(i).root == root);
    for (const auto& [key, value] : last) RC_ASSERT(world.get(i, key) == value);
    if (!counted.empty()) RC_ASSERT(world.count(i, "n") == counted["n"]);
    RC_ASSERT(world.counters(i).forks == 0u);
  }
}

}  // namespace
}  // namespace kith::cstore::test
