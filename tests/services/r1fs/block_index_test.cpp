#include "services/r1fs/block_index.hpp"

#include <gtest/gtest.h>

#include "net/base/rng.hpp"
#include "services/r1fs/tree_walker.hpp"

namespace kith::r1fs {
namespace {

Multihash hash_of(std::uint64_t i) { return Multihash::of_sha256(as_bytes(std::to_string(i))); }
schema::BlockRecord record(std::uint32_t size, std::uint32_t refs, const Multihash& kept_for = {}) {
  schema::BlockRecord made;
  made.size = size;
  made.public_refs = refs;
  made.kept_for = kept_for;
  return made;
}

TEST(BlockIndex, own_bytes_are_never_evicted_and_kept_roots_go_least_recently_used_first) {
  BlockIndex index({1000, 500});
  index.set(hash_of(1), record(400, 1));
  index.set(hash_of(2), record(200, 0, hash_of(100)));
  index.set(hash_of(3), record(200, 0, hash_of(101)));
  EXPECT_EQ(index.own_bytes(), 400u);
  EXPECT_EQ(index.kept_bytes(), 400u);
  index.touch(hash_of(100));
  EXPECT_FALSE(index.reserve(BlockIndex::Use::own, 300));
  EXPECT_EQ(index.eviction_candidate(BlockIndex::Use::own, 300), hash_of(101));
  EXPECT_FALSE(index.eviction_candidate(BlockIndex::Use::own, 700).has_value())
      << "not even without all that is kept";
}

TEST(BlockIndex, a_block_that_is_kept_and_then_own_counts_once) {
  BlockIndex index({1000, 500});
  index.set(hash_of(1), record(100, 0, hash_of(9)));
  index.set(hash_of(1), record(100, 1, hash_of(9)));
  EXPECT_EQ(index.own_bytes(), 100u);
  EXPECT_EQ(index.kept_bytes(), 0u);
  index.set(hash_of(1), record(100, 0, hash_of(9)));
  EXPECT_EQ(index.kept_bytes(), 100u);
  EXPECT_EQ(index.blocks_kept_for(hash_of(9)).size(), 1u);
}

TEST(BlockIndex, accounts_as_a_naive_model_does) {
  Rng rng(5);
  BlockIndex index({5000, 2000});
  std::map<std::uint64_t, schema::BlockRecord> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t key = rng.below(50);
    if (rng.below(4) == 0) {
      index.erase(hash_of(key));
      model.erase(key);
    } else {
      const auto refs = static_cast<std::uint32_t>(rng.below(3));
      const bool kept = rng.below(2) == 0 || refs == 0;
      schema::BlockRecord made = record(static_cast<std::uint32_t>(1 + rng.below(100)), refs,
                                        kept ? hash_of(1000 + rng.below(4)) : Multihash());
      index.set(hash_of(key), made);
      model[key] = made;
    }
    std::uint64_t own = 0, kept = 0;
    std::map<Multihash, std::size_t> by_root;
    for (const auto& [unused, one] : model) {
      (one.public_refs > 0 ? own : kept) += one.size;
      if (!one.kept_for.empty()) ++by_root[one.kept_for];
    }
    ASSERT_EQ(index.own_bytes(), own);
    ASSERT_EQ(index.kept_bytes(), kept);
    for (std::uint64_t root = 1000; root < 1004; ++root)
      ASSERT_EQ(index.blocks_kept_for(hash_of(root)).size(), by_root[hash_of(root)]);
    const std::uint64_t wish = rng.below(3000);
    const bool fits = own + kept + wish <= 5000 && kept + wish <= 2000;
    ASSERT_EQ(index.reserve(BlockIndex::Use::kept, wish), fits);
    if (fits) index.release(BlockIndex::Use::kept, wish);
  }
}

// Hostile trees: what a block says of its children is a claim.
Bytes node_of(std::vector<libp2p::DagLink> links) { return libp2p::encode_dag_file(links); }
Cid leaf(std::uint64_t i) { return Cid::v1(kCodecRaw, hash_of(i)); }
Cid inner(std::uint64_t i) { return Cid::v1(kCodecDagPb, hash_of(i)); }

TEST(TreeWalker, gives_leaves_at_their_offsets_in_file_order) {
  TreeWalker walker(inner(0));
  auto root = walker.next();
  ASSERT_TRUE(root.has_value());
  EXPECT_FALSE(walker.next().has_value()) << "waits for the root";
  ASSERT_TRUE(
      walker.on_node(*root, node_of({{leaf(1), 10, 10}, {inner(2), 30, 20}, {leaf(3), 5, 5}})));
  EXPECT_EQ(walker.next()->offset, 0u);
  const auto middle = walker.next();
  EXPECT_EQ(middle->offset, 10u);
  EXPECT_EQ(walker.next()->offset, 30u) << "what stands behind need not wait for the middle";
  ASSERT_TRUE(walker.on_node(*middle, node_of({{leaf(4), 15, 15}, {leaf(5), 5, 5}})));
  EXPECT_EQ(walker.next()->offset, 10u);
  EXPECT_EQ(walker.next()->offset, 25u);
  EXPECT_TRUE(walker.done());
  EXPECT_EQ(walker.file_bytes(), 35u);
}

TEST(TreeWalker, refuses_sizes_that_do_not_add_up_and_trees_without_end) {
  {
    TreeWalker walker(inner(0));
    const auto root = walker.next();
    ASSERT_TRUE(walker.on_node(*root, node_of({{inner(1), 10, 10}})));
    const auto child = walker.next();
    EXPECT_EQ(walker.on_node(*child, node_of({{leaf(2), 9, 9}})).error().code, Errc::corrupt);
  }
  {
    TreeWalker walker(inner(0));
    auto place = walker.next();
    Result<Bytes> step{Bytes()};
    for (std::size_t depth = 0; depth < kTreeDepthMax + 1 && step; ++depth) {
      step = walker.on_node(*place, node_of({{inner(depth + 1), 10, 10}}));
      if (step) place = walker.next();
    }
    ASSERT_FALSE(step.has_value());
    EXPECT_EQ(step.error().code, Errc::oversized);
  }
  TreeWalker walker(inner(0));
  const auto root = walker.next();
  ASSERT_TRUE(walker.on_node(*root, node_of({{leaf(1), 10, 10}})));
  EXPECT_EQ(walker.on_leaf(*walker.next(), 11).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace kith::r1fs
