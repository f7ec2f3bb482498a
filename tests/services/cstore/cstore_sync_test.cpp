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

TEST(CstoreSync, one_who_joins_late_gets_all_page_by_page_and_its_first_read_waits) {
  CoreWorld world(2);
  const std::string large(30'000, 'x');
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(world.put(0, "k" + std::to_string(i), large));
  world.node(1).knows = {0};
  EXPECT_EQ(world.get(1, "k39"), large);
  EXPECT_EQ(world.info(1).root, world.info(0).root);
  EXPECT_GE(world.counters(0).pages_served, 6u);
}

// A daemon listens before its log is read: peers may be there first.
TEST(CstoreSync, peers_and_time_before_the_log_is_loaded_ask_for_nothing) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "k", "v"));
  CoreConfig config;
  config.self = peer_id(0);
  config.families = {1, 2};
  config.space_bytes_max = kSpaceBytesMax;
  CstoreCore core(config, Rng(6));
  Effects out;
  core.start(world.now, out);
  ASSERT_EQ(out.size(), 1u);
  const Scan spaces = std::get<Scan>(out.front());
  std::vector<StoreEntry> entries;
  for (const auto& [key, value] : world.node(0).disk.entries)
    if (key.first == spaces.what.family) entries.push_back({key.second, value});
  ASSERT_FALSE(entries.empty());
  out.clear();
  core.on_scanned(world.now, spaces.tag, std::move(entries), false, out);
  ASSERT_EQ(out.size(), 1u) << "the log is asked for";
  out.clear();
  Now later = world.now;
  core.on_peer_ready(later);
  EXPECT_EQ(core.next_deadline(), kNever);
  later.mono += 10s;
  core.on_tick(later, out);
  EXPECT_TRUE(out.empty());
}

TEST(CstoreSync, a_read_of_a_namespace_that_nobody_else_holds_waits_only_so_long) {
  CoreWorld world(1);
  const RequestId get = world.run(0, Get{"s", Bytes::copy("k")});
  EXPECT_EQ(world.answer(0, get), nullptr);
  world.pass(kFirstSyncWait);
  ASSERT_NE(world.answer(0, get), nullptr);
  EXPECT_EQ(world.answer(0, get)->error().code, Errc::not_found);
}

TEST(CstoreSync, equal_nodes_exchange_roots_and_no_more) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "k", "v"));
  world.everybody_knows_everybody();
  EXPECT_EQ(world.get(1, "k"), "v");
  world.pass(5s);
  std::size_t asked = 0;
  world.impostor = [&](std::uint32_t, const Bytes& message) -> std::optional<Bytes> {
    const auto ask = schema::decode_kv_ask(message);
    EXPECT_TRUE(ask && !ask->full && ask->marks.empty());
    ++asked;
    return std::nullopt;
  };
  world.pass(1min);
  EXPECT_GE(asked, 8u);
  EXPECT_LE(asked, 14u);
}

TEST(CstoreSync, an_asker_that_has_more_is_asked_back) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  ASSERT_TRUE(world.put(1, "b", "2"));
  world.node(0).knows = {1};
  world.node(1).knows = {0};
  world.pass(15s);
  EXPECT_EQ(world.get(0, "b"), "2");
  EXPECT_EQ(world.get(1, "a"), "1");
}

TEST(CstoreSync, a_gap_is_filled_within_seconds) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "a", "1"));
  world.everybody_knows_everybody();
  EXPECT_EQ(world.get(1, "a"), "1");
  ASSERT_TRUE(world.put(0, "a", "2"));
  ASSERT_TRUE(world.put(0, "a", "3"));
  EXPECT_EQ(world.hear(1, world.node(0).told.published[2], peer_id(0), peer_id(0)),
            Verdict::accept);
  world.pass(2 * kPullSoon);
  EXPECT_EQ(world.get(1, "a"), "3");
}

// A writer signs two batches of one number and gives each to another node.
TEST(CstoreSync, the_halves_of_a_fork_converge_to_the_smaller_hash) {
  for (const bool smaller_first : {false, true}) {
    CoreWorld world(3);
    for (std::uint32_t i = 0; i < 3; ++i) ASSERT_TRUE(world.put(i, "joined", ""));
    schema::KvBatch one = batch_of(world, 9, 1, "x", "one");
    schema::KvBatch two = batch_of(world, 9, 1, "y", "two");
    const bool one_smaller =
        sha256(schema::encode_kv_batch(one)) < sha256(schema::encode_kv_batch(two));
    if (one_smaller != smaller_first) std::swap(one, two);
    // Many batches behind it, so that finding the fork takes pages.
    world.hear(0, one);
    world.hear(1, two);
    const std::string large(20'000, 'z');
    for (std::uint64_t i = 2; i < 40; ++i) {
      const schema::KvBatch next = batch_of(world, 9, i, "k" + std::to_string(i), large);
      world.hear(0, next);
      world.hear(1, next);
    }
    EXPECT_NE(world.info(0).root, world.info(1).root);
    EXPECT_EQ(world.hear(0, seal(two), peer_id(9), peer_id(8)), Verdict::ignore);
    EXPECT_EQ(world.counters(0).forks, 1u);
    world.everybody_knows_everybody();
    world.pass(3min);
    const std::string winner = one_smaller ? "one" : "two";
    for (std::uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(world.info(i).root, world.info(0).root) << i;
      const bool has_one = world.get(i, "x") == "one";
      const bool has_two = world.get(i, "y") == "two";
      EXPECT_NE(has_one, has_two);
      EXPECT_EQ(world.get(i, winner == "one" ? "x" : "y"), winner);
    }
    const auto root = world.info(1).root;
    world.node(1).disk.durable = world.node(1).disk.entries;
    world.crash(1);
    EXPECT_EQ(world.info(1).root, root) << "the store has the same half";
  }
}

TEST(CstoreSync, a_writer_that_equivocates_is_blamed_itself) {
  CoreWorld world(1);
  ASSERT_TRUE(world.put(0, "joined", ""));
  world.hear(0, batch_of(world, 9, 1, "x", "one"));
  EXPECT_EQ(world.hear(0, batch_of(world, 9, 1, "x", "two")), Verdict::reject);
}

TEST(CstoreSync, a_peer_that_serves_rubbish_is_not_asked_again) {
  for (const int kind : {0, 1, 2, 3}) {
    CoreWorld world(2);
    ASSERT_TRUE(world.put(0, "k", "v"));
    ASSERT_TRUE(world.put(1, "l", "w"));
    world.node(0).knows = {1};
    int asked = 0;
    world.impostor = [&](std::uint32_t, const Bytes&) -> std::optional<Bytes> {
      ++asked;
      schema::KvBatch batch = batch_of(world, 9, 1, "k", "false");
      const Bytes body = schema::encode_kv_batch(batch);
      schema::KvPage page;
      page.more = true;
      if (kind == 0) return Bytes::copy("rubbish!");
      if (kind == 1) page.batches = {schema::encode_kv_signed(body, sign(peer_id(8), body))};
      batch.space = "other";
      if (kind == 2) page.batches = {seal(batch)};
      if (kind == 3) page.batches = {Bytes::copy("12345678")};
      return schema::encode_kv_page(page);
    };
    world.pass(2min);
    EXPECT_LE(asked, 2) << kind;
    EXPECT_EQ(world.get(0, "k"), "v");
    Effects out;
    world.core(0).on_peer_gone(world.now, {1, 0}, out);
    world.impostor = {};
    world.pass(1min);
    EXPECT_EQ(world.get(0, "l"), "w") << "another connection is another chance";
  }
}

TEST(CstoreSync, a_peer_that_promises_more_for_ever_does_not_hold_us) {
  CoreWorld world(2);
  ASSERT_TRUE(world.put(0, "k", "v"));
  world.node(0).knows = {1};
  std::size_t asked = 0;
  const schema::KvBatch batch = batch_of(world, 9, 1, "k", "v");
  world.impostor = [&](std::uint32_t, const Bytes&) -> std::optional<Bytes> {
    ++asked;
    schema::KvPage page;
    page.more = true;
    page.batches = {seal(batch)};
    return schema::encode_kv_page(page);
  };
  world.pass(1min);
  EXPECT_LE(asked, 40u);
}

TEST(CstoreSync, a_question_of_extremes_gets_an_answer_within_bounds) {
  CoreWorld world(1);
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(world.put(0, "k" + std::to_string(i), std::string(30'000, 'x')));
  schema::KvAsk ask;
  ask.space = "s";
  ask.full = true;
  ask.marks = {{{peer_id(0), 0, 0}, UINT64_MAX, {}}, {{peer_id(5), UINT64_MAX, 0}, 0, {}}};
  for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    ask.walk = {from == 0 ? Writer{} : Writer{peer_id(0), 0, 0}, from, {}};
    Effects out;
    world.core(0).on_ask(world.now, {900, 0}, {1, 0}, schema::encode_kv_ask(ask), out);
    ASSERT_FALSE(out.empty());
    const auto& serve = std::get<Serve>(out.back());
    EXPECT_LE(serve.keys.size() * 30'000, schema::kKvStreamBytesMax);
  }
}

}  // namespace
}  // namespace kith::cstore::test
