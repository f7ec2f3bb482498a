// Disks that tear, rot, are slow or fail to sync: the faults of MemoryStore beyond crashes and
// room.
#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <set>

#include "services/store/memory_store.hpp"
#include "tests/support/manual_loop.hpp"

namespace kith::store {
namespace {

Bytes b(std::string_view text) { return Bytes::copy(text); }

struct Sink final : StoreSink {
  void on_persisted(Now now, std::uint64_t tag, Result<void> result) override {
    answers.emplace_back(tag, now.mono);
    if (!result) errors[tag] = result.error().code;
  }
  void on_read(Now now, std::uint64_t tag, Result<std::optional<Bytes>> result) override {
    answers.emplace_back(tag, now.mono);
    read[tag] = *result;
  }
  void on_scanned(Now now, std::uint64_t tag, Result<std::vector<StoreEntry>> result,
                  bool) override {
    answers.emplace_back(tag, now.mono);
    scanned = *result;
  }
  std::vector<std::pair<std::uint64_t, Mono>> answers;
  std::map<std::uint64_t, Errc> errors;
  std::map<std::uint64_t, std::optional<Bytes>> read;
  std::vector<StoreEntry> scanned;
};

class MemoryFaultsTest : public testing::Test {
 protected:
  void open(std::uint64_t seed) {
    store.reset();
    disk = std::make_shared<MemoryDisk>(std::vector<std::string>{"f"}, Rng(seed));
    store = std::make_unique<MemoryStore>(disk, loop);
  }
  void crash(Mono now = {}) {
    store.reset();
    disk->crash(now);
    store = std::make_unique<MemoryStore>(disk, loop);
  }
  void put(std::string_view key, std::string_view value, Durability how, std::uint64_t tag = 0) {
    StoreBatch batch;
    batch.put(0, b(key), b(value));
    store->commit(std::move(batch), how, sink, tag);
  }
  std::string value(std::string_view key) {
    Bytes found;
    return store->try_get(0, as_bytes(key), found) == Store::Got::found ? std::string(found.text())
                                                                        : "";
  }
  test::ManualLoop loop;
  Sink sink;
  std::shared_ptr<MemoryDisk> disk;
  std::unique_ptr<MemoryStore> store;
};

TEST_F(MemoryFaultsTest, what_was_not_synced_is_lost_in_a_crash_until_the_system_wrote_it_back) {
  open(1);
  put("old", "1", Durability::buffered);
  loop.advance(kWrittenBack - 1s);
  put("young", "2", Durability::buffered);
  loop.advance(1s);
  put("youngest", "3", Durability::buffered);  // the system has looked again
  crash();
  EXPECT_EQ(value("old"), "1");
  EXPECT_EQ(value("young"), "");
  EXPECT_EQ(value("youngest"), "");
  // What is synced after a part was written back is durable, no more and no less.
  put("before", "4", Durability::buffered);
  loop.advance(kWrittenBack);
  put("synced", "5", Durability::synced);
  loop.settle();
  put("after", "6", Durability::buffered);
  crash();
  EXPECT_EQ(value("before"), "4");
  EXPECT_EQ(value("synced"), "5");
  EXPECT_EQ(value("after"), "");
  // Nor does it take a write for that.
  put("last", "7", Durability::buffered);
  loop.advance(kWrittenBack);
  crash(loop.now().mono);
  EXPECT_EQ(value("last"), "7");
}

// Batch i writes its number to two keys and erases what batch i-1 left.
TEST_F(MemoryFaultsTest, torn_crash_keeps_what_was_synced_and_whole_batches_up_to_a_drawn_one) {
  std::set<std::string> ends;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    open(seed);
    disk->faults.torn = true;
    for (int i = 0; i < 10; ++i) {
      const std::string number = std::to_string(i);
      StoreBatch batch;
      batch.put(0, b("a"), b(number));
      batch.put(0, b("at " + number), b(number));
      if (i > 0) batch.erase(0, b("at " + std::to_string(i - 1)));
      batch.put(0, b("z"), b(number));
      store->commit(std::move(batch), i == 3 ? Durability::synced : Durability::buffered, sink, 0);
      if (i == 3) loop.settle();
    }
    crash();
    const std::string last = value("a");
    EXPECT_EQ(value("z"), last);
    for (int i = 0; i < 10; ++i) {
      const std::string number = std::to_string(i);
      EXPECT_EQ(value("at " + number), number == last ? number : "");
    }
    ends.insert(last);
  }
  EXPECT_EQ(ends, (std::set<std::string>{"3", "4", "5", "6", "7", "8", "9"}));
}

TEST_F(MemoryFaultsTest, torn_crash_is_the_same_for_the_same_seed) {
  const auto run = [&](std::uint64_t seed) {
    open(seed);
    disk->faults.torn = true;
    std::string ends;
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 10; ++i) put("k", std::to_string(i), Durability::buffered);
      crash();
      ends += value("k") + ",";
    }
    return ends;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST_F(MemoryFaultsTest, rotten_value_differs_in_one_bit_each_way_it_is_read) {
  open(1);
  const std::string whole(64, 'x');
  put("k", whole, Durability::synced);
  put("none", "", Durability::synced);
  const auto bits_off = [&](ByteView read) {
    int off = 0;
    for (std::size_t i = 0; i < whole.size(); ++i)
      off += std::popcount(static_cast<unsigned>(read[i] ^ static_cast<std::uint8_t>(whole[i])));
    return off;
  };
  disk->faults.rot_ppm = 100'000;
  int rotten = 0;
  for (int i = 0; i < 2'000; ++i) {
    Bytes found;
    ASSERT_EQ(store->try_get(0, as_bytes("k"), found), Store::Got::found);
    ASSERT_EQ(found.size(), whole.size());
    ASSERT_LE(bits_off(found), 1);
    rotten += bits_off(found);
  }
  EXPECT_NEAR(rotten, 200, 60);
  disk->faults.rot_ppm = 1'000'000;
  store->get(0, b("k"), sink, 7);
  store->get(0, b("none"), sink, 8);
  StoreScan scan;
  store->scan(scan, sink, 9);
  loop.settle();
  EXPECT_EQ(bits_off(*sink.read.at(7)), 1);
  EXPECT_TRUE(sink.read.at(8)->empty());
  ASSERT_EQ(sink.scanned.size(), 2u);
  EXPECT_EQ(sink.scanned[0].key.text(), "k") << "keys do not rot";
  EXPECT_EQ(bits_off(sink.scanned[0].value), 1);
  disk->faults.rot_ppm = 0;
  EXPECT_EQ(value("k"), whole) << "what is on the disk is whole";
}

TEST_F(MemoryFaultsTest, nothing_is_drawn_where_there_is_no_chance) {
  const auto run = [&](int reads_before) {
    open(5);
    put("k", "value", Durability::synced);
    for (int i = 0; i < reads_before; ++i) value("k");
    crash();
    put("k", "value", Durability::synced);
    disk->faults.rot_ppm = 300'000;
    std::string all;
    for (int i = 0; i < 50; ++i) all += value("k");
    return all;
  };
  EXPECT_EQ(run(0), run(17));
}

TEST_F(MemoryFaultsTest, slow_disk_answers_late_and_in_order) {
  open(1);
  put("k", "1", Durability::synced, 1);
  loop.settle();
  sink.answers.clear();
  disk->faults.read_delay = 50ms;
  disk->faults.write_delay = 80ms;
  const Mono start = loop.now().mono;
  store->get(0, b("k"), sink, 2);
  loop.advance(10ms);
  store->get(0, b("k"), sink, 3);
  put("k", "2", Durability::synced, 4);
  Bytes found;
  EXPECT_EQ(store->try_get(0, as_bytes("k"), found), Store::Got::pending);
  disk->faults.read_delay = {};
  store->get(0, b("k"), sink, 5);  // fast again, and does not overtake
  loop.advance(1s);
  using Answers = std::vector<std::pair<std::uint64_t, Mono>>;
  EXPECT_EQ(sink.answers,
            (Answers{{2, start + 50ms}, {3, start + 60ms}, {5, start + 60ms}, {4, start + 90ms}}));
  EXPECT_EQ(sink.read.at(3)->text(), "1") << "asked before it was written";
  EXPECT_EQ(sink.read.at(5)->text(), "2");
}

TEST_F(MemoryFaultsTest, failed_sync_breaks_the_store_and_reads_go_on) {
  open(1);
  disk->faults.fail_sync = 2;
  put("a", "1", Durability::synced, 1);
  put("b", "1", Durability::buffered, 2);
  put("c", "1", Durability::synced, 3);
  put("d", "1", Durability::buffered, 4);
  put("e", "1", Durability::synced, 5);
  loop.settle();
  EXPECT_EQ(sink.errors,
            (std::map<std::uint64_t, Errc>{{3, Errc::io}, {4, Errc::io}, {5, Errc::io}}));
  EXPECT_FALSE(store->usage().writable);
  EXPECT_EQ(value("a") + value("b") + value("c") + value("d") + value("e"), "11");
  crash();
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(value("b"), "") << "it was never synced";
  EXPECT_TRUE(store->usage().writable) << "a new process, a new chance";
}

}  // namespace
}  // namespace kith::store
