// The faults of the in-memory disk: what it tears, turns and delays.
#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "services/store/memory_store.hpp"
#include "tests/support/manual_loop.hpp"

namespace kith::store {
namespace {

using test::ManualLoop;

Bytes b(const std::string& text) { return Bytes::copy(text); }

struct Sink final : StoreSink {
  std::vector<std::uint64_t> persisted, answered;
  std::optional<Bytes> read;
  std::vector<StoreEntry> entries;
  void on_persisted(Now, std::uint64_t tag, Result<void>) override { persisted.push_back(tag); }
  void on_read(Now, std::uint64_t tag, Result<std::optional<Bytes>> got) override {
    answered.push_back(tag);
    read = *got;
  }
  void on_scanned(Now, std::uint64_t tag, Result<std::vector<StoreEntry>> got, bool) override {
    answered.push_back(tag);
    entries = *got;
  }
};

// Batch i puts a<i> and b<i>, none of them synced; what is there after a crash.
std::set<std::string> keys_after_crash(std::uint64_t seed, bool torn) {
  auto disk = std::make_shared<MemoryDisk>(std::vector<std::string>{"f"}, Rng(seed));
  disk->faults.torn = torn;
  Sink sink;
  {
    ManualLoop loop;
    MemoryStore store(disk, loop);
    for (int i = 0; i < 10; ++i) {
      StoreBatch batch;
      batch.put(0, b("a" + std::to_string(i)), b("x"));
      batch.put(0, b("b" + std::to_string(i)), b("x"));
      store.commit(std::move(batch), Durability::buffered, sink, 1);
    }
  }
  disk->crash();
  disk->faults = {};
  ManualLoop loop;
  MemoryStore store(disk, loop);
  store.scan({0, {}, {}, 100, 1u << 20, true}, sink, 2);
  loop.settle();
  std::set<std::string> keys;
  for (const StoreEntry& entry : sink.entries) keys.emplace(entry.key.text());
  return keys;
}

TEST(MemoryFaults, a_torn_crash_keeps_whole_batches_from_the_front) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto keys = keys_after_crash(seed, true);
    ASSERT_EQ(keys.size() % 2, 0u) << "a batch is there whole or not at all";
    for (std::size_t i = 0; i < keys.size() / 2; ++i) {
      EXPECT_EQ(keys.count("a" + std::to_string(i)), 1u);
      EXPECT_EQ(keys.count("b" + std::to_string(i)), 1u);
    }
    sizes.insert(keys.size() / 2);
    EXPECT_EQ(keys, keys_after_crash(seed, true)) << "the seed says where it tears";
  }
  EXPECT_GT(sizes.size(), 6u);
  EXPECT_TRUE(sizes.contains(0));
  EXPECT_TRUE(sizes.contains(10));
}

TEST(MemoryFaults, without_tearing_all_that_was_not_synced_is_gone) {
  EXPECT_TRUE(keys_after_crash(1, false).empty());
}

TEST(MemoryFaults, rot_turns_one_bit_of_what_is_read_and_leaves_the_disk_alone) {
  auto disk = std::make_shared<MemoryDisk>(std::vector<std::string>{"f"}, Rng(1));
  ManualLoop loop;
  MemoryStore store(disk, loop);
  Sink sink;
  StoreBatch batch;
  batch.put(0, b("k"), b("some value"));
  store.commit(std::move(batch), Durability::synced, sink, 1);
  disk->faults.rot_ppm = 1'000'000;
  Bytes got;
  ASSERT_EQ(store.try_get(0, as_bytes("k"), got), Store::Got::found);
  int turned = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    turned += std::popcount(static_cast<unsigned>(got.data()[i] ^ b("some value").data()[i]));
  EXPECT_EQ(turned, 1);
  disk->faults.rot_ppm = 0;
  ASSERT_EQ(store.try_get(0, as_bytes("k"), got), Store::Got::found);
  EXPECT_EQ(got.text(), "some value");
}

TEST(MemoryFaults, a_slow_disk_answers_reads_late_and_in_order) {
  auto disk = std::make_shared<MemoryDisk>(std::vector<std::string>{"f"});
  ManualLoop loop;
  MemoryStore store(disk, loop);
  Sink sink;
  StoreBatch batch;
  batch.put(0, b("k"), b("v"));
  store.commit(std::move(batch), Durability::synced, sink, 1);
  disk->faults.read_delay = 50ms;
  Bytes got;
  EXPECT_EQ(store.try_get(0, as_bytes("k"), got), Store::Got::pending);
  store.get(0, b("k"), sink, 2);
  store.scan({0, {}, {}, 100, 1u << 20, false}, sink, 3);
  loop.settle();
  EXPECT_TRUE(sink.answered.empty());
  loop.advance(49ms);
  EXPECT_TRUE(sink.answered.empty());
  loop.advance(1ms);
  EXPECT_EQ(sink.answered, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(sink.read->text(), "v");
}

}  // namespace
}  // namespace kith::store
