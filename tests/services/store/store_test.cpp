// One suite for every Store; then what is particular to each.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <filesystem>
#include <thread>

#include "net/base/rng.hpp"
#include "services/store/blob_sweeper.hpp"
#include "services/store/fast_checksum.hpp"
#include "services/store/memory_store.hpp"
#include "services/store/rocks_store.hpp"
#include "tests/support/manual_loop.hpp"

namespace kith::store {
namespace {

using test::ManualLoop;

struct Recorder final : StoreSink {
  std::vector<std::pair<std::uint64_t, bool>> persisted;
  std::map<std::uint64_t, Error> errors;
  std::map<std::uint64_t, std::optional<Bytes>> read;
  std::vector<StoreEntry> scanned;
  bool more = false;
  void on_persisted(Now, std::uint64_t tag, Result<void> result) override {
    persisted.emplace_back(tag, result.has_value());
    if (!result) errors[tag] = result.error();
  }
  void on_read(Now, std::uint64_t tag, Result<std::optional<Bytes>> result) override {
    ASSERT_TRUE(result.has_value());
    read[tag] = *result;
  }
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>> result, bool m) override {
    ASSERT_TRUE(result.has_value());
    scanned = *result;
    more = m;
  }
};

Bytes b(std::string_view text) { return Bytes::copy(text); }

struct TempFolder {
  std::string path;
  TempFolder() {
    char name[] = "/tmp/kith-store-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
};

const std::vector<FamilySpec> kFamilies = {{"small", false}, {"blobs", true}};

// A disk that outlives the store on it.
struct Medium {
  virtual ~Medium() = default;
  virtual std::unique_ptr<Store> open(Loop& loop) = 0;
};
struct RocksMedium final : Medium {
  TempFolder folder;
  NullLog log;
  std::unique_ptr<Store> open(Loop& loop) override {
    RocksConfig config;
    config.folder = folder.path;
    config.free_floor_bytes = 1 << 20;
    return open_rocks(config, kFamilies, loop, log).value();
  }
};
struct MemoryMedium final : Medium {
  std::shared_ptr<MemoryDisk> disk =
      std::make_shared<MemoryDisk>(std::vector<std::string>{"small", "blobs"});
  std::unique_ptr<Store> open(Loop& loop) override {
    return std::make_unique<MemoryStore>(disk, loop);
  }
};

class AnyStore : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string_view(GetParam()) == "rocks")
      medium = std::make_unique<RocksMedium>();
    else
      medium = std::make_unique<MemoryMedium>();
    store = medium->open(loop);
  }
  std::optional<Bytes> value_of(Family family, std::string_view key) {
    store->get(family, b(key), sink, 99);
    loop.settle();
    return sink.read.at(99);
  }
  ManualLoop loop;
  std::unique_ptr<Medium> medium;
  Recorder sink;
  std::unique_ptr<Store> store;
};

TEST_P(AnyStore, committed_batch_is_read_before_it_is_durable) {
  StoreBatch batch;
  batch.put(0, b("k"), b("v"));
  store->commit(std::move(batch), Durability::synced, sink, 1);
  Bytes value;
  EXPECT_TRUE(sink.persisted.empty());
  EXPECT_EQ(store->try_get(0, as_bytes("k"), value), Store::Got::found);
  EXPECT_EQ(value.text(), "v");
  store->get(0, b("k"), sink, 2);
  EXPECT_TRUE(sink.read.empty()) << "answers come as events, never inside the call";
  loop.settle();
  EXPECT_EQ(sink.read.at(2)->text(), "v");
  ASSERT_EQ(sink.persisted.size(), 1u);
  EXPECT_TRUE(sink.persisted[0].second);
}

TEST_P(AnyStore, a_batch_is_applied_in_order_and_whole) {
  StoreBatch batch;
  batch.put(0, b("a"), b("1"));
  batch.put(0, b("a"), b("2"));
  batch.put(0, b("b"), b("3"));
  batch.erase(0, b("b"));
  batch.put(1, b("a"), b("other family"));
  store->commit(std::move(batch), Durability::buffered, sink, 1);
  loop.settle();
  EXPECT_EQ(value_of(0, "a")->text(), "2");
  EXPECT_FALSE(value_of(0, "b").has_value());
  EXPECT_EQ(value_of(1, "a")->text(), "other family");
}

TEST_P(AnyStore, acknowledgements_come_in_order_of_commit) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    StoreBatch batch;
    batch.put(0, b("k" + std::to_string(i)), b("v"));
    store->commit(std::move(batch), i % 3 == 0 ? Durability::synced : Durability::buffered, sink,
                  i);
  }
  loop.settle();
  ASSERT_EQ(sink.persisted.size(), 50u);
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(sink.persisted[i].first, i);
}

TEST_P(AnyStore, scans_are_ordered_bounded_and_see_every_earlier_commit) {
  StoreBatch batch;
  for (const char* key : {"b", "a", "d", "c"}) batch.put(0, b(key), b(std::string("v") + key));
  store->commit(std::move(batch), Durability::buffered, sink, 1);
  StoreScan what;
  what.from = b("b");
  what.entries_max = 2;
  store->scan(what, sink, 2);
  loop.settle();
  ASSERT_EQ(sink.scanned.size(), 2u);
  EXPECT_EQ(sink.scanned[0].key.text(), "b");
  EXPECT_EQ(sink.scanned[1].value.text(), "vc");
  EXPECT_TRUE(sink.more);
  what.to = b("c");
  what.keys_only = true;
  store->scan(what, sink, 3);
  loop.settle();
  ASSERT_EQ(sink.scanned.size(), 1u);
  EXPECT_TRUE(sink.scanned[0].value.empty());
  EXPECT_FALSE(sink.more);
}

TEST_P(AnyStore, large_values_come_back_whole_after_reopening) {
  Bytes value = Bytes::make(1u << 20, [](std::span<std::uint8_t> to) { Rng(7).fill(to); });
  StoreBatch batch;
  batch.put(1, b("big"), value);
  store->commit(std::move(batch), Durability::synced, sink, 1);
  loop.settle();
  store.reset();
  store = medium->open(loop);
  EXPECT_EQ(*value_of(1, "big"), value);
}

TEST_P(AnyStore, a_forgotten_sink_is_not_called_and_its_writes_stay) {
  StoreBatch batch;
  batch.put(0, b("k"), b("v"));
  store->commit(std::move(batch), Durability::synced, sink, 1);
  store->forget(sink);
  loop.settle();
  EXPECT_TRUE(sink.persisted.empty());
  EXPECT_EQ(value_of(0, "k")->text(), "v");
}

TEST_P(AnyStore, behaves_as_a_map_under_random_batches_and_reopening) {
  std::map<std::string, std::string> model;
  Rng rng(42);
  for (int round = 0; round < 300; ++round) {
    StoreBatch batch;
    const std::uint64_t writes = 1 + rng.below(5);
    for (std::uint64_t i = 0; i < writes; ++i) {
      std::string key = "k" + std::to_string(rng.below(40));
      if (rng.below(4) == 0) {
        batch.erase(0, b(key));
        model.erase(key);
      } else {
        std::string value = std::to_string(rng.next());
        batch.put(0, b(key), b(value));
        model[key] = value;
      }
    }
    store->commit(std::move(batch), Durability::synced, sink, 0);
    if (rng.below(3) == 0) loop.settle();
    if (rng.below(60) == 0) {
      loop.settle();
      store.reset();
      store = medium->open(loop);
    }
    const std::string probe = "k" + std::to_string(rng.below(40));
    Bytes got;
    const Store::Got state = store->try_get(0, as_bytes(probe), got);
    const auto expected = model.find(probe);
    if (state == Store::Got::found) {
      ASSERT_NE(expected, model.end());
      EXPECT_EQ(got.text(), expected->second);
    } else if (state == Store::Got::absent) {
      EXPECT_EQ(expected, model.end());
    }
  }
  loop.settle();
  StoreScan all;
  store->scan(all, sink, 1);
  loop.settle();
  ASSERT_EQ(sink.scanned.size(), model.size());
  auto at = model.begin();
  for (const StoreEntry& entry : sink.scanned) {
    EXPECT_EQ(entry.key.text(), at->first);
    EXPECT_EQ(entry.value.text(), at->second);
    ++at;
  }
}

INSTANTIATE_TEST_SUITE_P(, AnyStore, testing::Values("rocks", "memory"),
                         [](const auto& at) { return std::string(at.param); });

TEST(MemoryStoreFaults, crash_loses_exactly_what_was_not_synced) {
  ManualLoop loop;
  MemoryMedium medium;
  Recorder sink;
  auto store = medium.open(loop);
  auto put = [&](const char* key, Durability durability, std::uint64_t tag) {
    StoreBatch batch;
    batch.put(0, b(key), b("new"));
    store->commit(std::move(batch), durability, sink, tag);
  };
  put("a", Durability::buffered, 1);
  put("b", Durability::synced, 2);
  loop.settle();
  put("c", Durability::buffered, 3);
  loop.settle();
  put("a", Durability::buffered, 4);
  store.reset();
  medium.disk->crash();
  store = medium.open(loop);
  Bytes value;
  EXPECT_EQ(store->try_get(0, as_bytes("a"), value), Store::Got::found) << "synced with b";
  EXPECT_EQ(store->try_get(0, as_bytes("b"), value), Store::Got::found);
  EXPECT_EQ(store->try_get(0, as_bytes("c"), value), Store::Got::absent);
}

TEST(MemoryStoreFaults, unanswered_sync_may_be_lost_and_an_answered_one_is_not) {
  ManualLoop loop;
  MemoryMedium medium;
  medium.disk->faults.write_delay = 10ms;
  Recorder sink;
  auto store = medium.open(loop);
  StoreBatch batch;
  batch.put(0, b("k"), b("v"));
  store->commit(std::move(batch), Durability::synced, sink, 1);
  loop.advance(9ms);
  EXPECT_TRUE(sink.persisted.empty());
  store.reset();
  medium.disk->crash();
  EXPECT_EQ(medium.disk->bytes(), 0u);
}

TEST(MemoryStoreFaults, full_disk_refuses_and_keeps_nothing_of_the_batch) {
  ManualLoop loop;
  MemoryMedium medium;
  medium.disk->faults.bytes_max = 10;
  Recorder sink;
  auto store = medium.open(loop);
  StoreBatch batch;
  batch.put(0, b("a"), b("1"));
  batch.put(0, b("b"), b("123456789"));
  store->commit(std::move(batch), Durability::synced, sink, 1);
  loop.settle();
  EXPECT_EQ(sink.errors.at(1).code, Errc::disk_full);
  EXPECT_EQ(medium.disk->bytes(), 0u);
  StoreBatch small;
  small.put(0, b("a"), b("1"));
  store->commit(std::move(small), Durability::synced, sink, 2);
  loop.settle();
  EXPECT_EQ(sink.errors.count(2), 0u) << "a refusal is not the end";
}

TEST(RocksStoreFaults, below_the_floor_writes_are_refused_and_reads_go_on) {
  ManualLoop loop;
  NullLog log;
  TempFolder folder;
  RocksConfig config;
  config.folder = folder.path;
  config.free_floor_bytes = 1;
  Recorder sink;
  {
    auto store = open_rocks(config, kFamilies, loop, log).value();
    StoreBatch batch;
    batch.put(0, b("k"), b("v"));
    store->commit(std::move(batch), Durability::synced, sink, 1);
    loop.settle();
  }
  config.free_floor_bytes = UINT64_MAX / 4;
  auto store = open_rocks(config, kFamilies, loop, log).value();
  StoreBatch batch;
  batch.put(0, b("k"), b("other"));
  store->commit(std::move(batch), Durability::synced, sink, 2);
  loop.settle();
  EXPECT_EQ(sink.errors.at(2).code, Errc::disk_full);
  EXPECT_FALSE(sink.errors.at(2).fix.empty());
  Bytes value;
  store->get(0, b("k"), sink, 3);
  loop.settle();
  EXPECT_EQ(sink.read.at(3)->text(), "v");
}

TEST(RocksStoreFaults, the_second_store_on_a_folder_is_told_so) {
  ManualLoop loop;
  NullLog log;
  TempFolder folder;
  RocksConfig config;
  config.folder = folder.path;
  auto first = open_rocks(config, kFamilies, loop, log);
  ASSERT_TRUE(first.has_value());
  auto second = open_rocks(config, kFamilies, loop, log);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::in_use);
}

// A real volume that fills up: a tmpfs, where mounting is allowed (CI runs as root).
struct Volume {
  const char* size;
  std::uint64_t floor;
  std::size_t kept_min;  // of 1,500 values of 64 KiB
};
class TinyVolume : public testing::TestWithParam<Volume> {};

TEST_P(TinyVolume, fills_up_without_a_crash_and_every_acknowledged_value_is_there) {
  TempFolder folder;
  const std::string size = std::string("size=") + GetParam().size;
  if (::mount("tmpfs", folder.path.c_str(), "tmpfs", 0, size.c_str()) != 0)
    GTEST_SKIP() << "mounting a tmpfs needs root";
  struct Unmount {
    std::string path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } unmount{folder.path};
  ManualLoop loop;
  NullLog log;
  Recorder sink;
  RocksConfig config;
  config.folder = folder.path + "/store";
  config.free_floor_bytes = GetParam().floor;
  auto opened = open_rocks(config, kFamilies, loop, log);
  ASSERT_TRUE(opened.has_value()) << describe(opened.error());
  auto store = std::move(*opened);
  const Bytes value = Bytes::make(64u << 10, [](std::span<std::uint8_t> to) { Rng(7).fill(to); });
  for (std::uint64_t i = 0; i < 1500; ++i) {
    StoreBatch batch;
    batch.put(1, b("k" + std::to_string(i)), value);
    store->commit(std::move(batch), Durability::synced, sink, i);
    loop.settle();
  }
  ASSERT_EQ(sink.persisted.size(), 1500u);
  std::size_t kept = 0;
  store.reset();
  store = open_rocks(config, kFamilies, loop, log).value();
  for (const auto& [tag, ok] : sink.persisted) {
    store->get(1, b("k" + std::to_string(tag)), sink, 10'000 + tag);
    loop.settle();
    EXPECT_EQ(sink.read.at(10'000 + tag).has_value(), ok) << tag;
    kept += ok ? 1 : 0;
  }
  EXPECT_LT(kept, 1500u);
  EXPECT_GE(kept, GetParam().kept_min) << "the volume is used, not just refused";
  for (const auto& [tag, error] : sink.errors) EXPECT_EQ(error.code, Errc::disk_full) << tag;

  // Erasing goes on when writing does not, and gives the room back.
  for (std::uint64_t i = 0; i < 1500; ++i) {
    StoreBatch batch;
    batch.erase(1, b("k" + std::to_string(i)));
    store->commit(std::move(batch), Durability::synced, sink, 20'000 + i);
    loop.settle();
    EXPECT_EQ(sink.errors.count(20'000 + i), 0u);
  }
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  for (std::uint64_t tag = 30'000;; ++tag) {
    StoreBatch batch;
    batch.put(1, b("new"), value);
    store->commit(std::move(batch), Durability::synced, sink, tag);
    loop.settle();
    if (sink.errors.count(tag) == 0) break;
    ASSERT_LT(std::chrono::steady_clock::now(), deadline)
        << "the room did not come back: " << describe(sink.errors.at(tag));
    std::this_thread::sleep_for(20ms);
  }
}

TEST(RocksStore, erased_blobs_give_their_room_back) {
  TempFolder folder;
  ManualLoop loop;
  NullLog log;
  Recorder sink;
  RocksConfig config;
  config.folder = folder.path + "/store";
  config.free_floor_bytes = 1 << 20;
  config.memtable_bytes = 4u << 20;
  auto store = open_rocks(config, kFamilies, loop, log).value();
  const Bytes value = Bytes::make(1u << 20, [](std::span<std::uint8_t> to) { Rng(7).fill(to); });
  for (int i = 0; i < 256; ++i) {
    StoreBatch batch;
    batch.put(1, b("k" + std::to_string(i)), value);
    store->commit(std::move(batch), Durability::buffered, sink, 1);
    loop.settle();
  }
  // Two of three, so that every blob file holds live ones too.
  for (int i = 0; i < 256; ++i) {
    if (i % 3 == 0) continue;
    StoreBatch batch;
    batch.erase(1, b("k" + std::to_string(i)));
    store->commit(std::move(batch), Durability::buffered, sink, 1);
    loop.settle();
  }
  const std::uint64_t live = 86ull << 20;
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (store->usage().bytes_used > live + live / 3 + kSweepBytes) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << store->usage().bytes_used;
    std::this_thread::sleep_for(20ms);
  }
  for (int i = 0; i < 256; ++i) {
    store->get(1, b("k" + std::to_string(i)), sink, 1000u + static_cast<unsigned>(i));
    loop.settle();
    const auto& got = sink.read.at(1000u + static_cast<unsigned>(i));
    ASSERT_EQ(got.has_value(), i % 3 == 0) << i;
    if (got) {
      ASSERT_EQ(*got, value);
    }
  }
}

TEST(FastChecksum, is_crc32c_and_takes_the_place_of_the_librarys) {
  EXPECT_TRUE(fast_checksum_in_place());
  // RFC 3720 appendix B.4, and the check value of the catalogue of CRCs.
  const std::string zeros(32, '\0'), ones(32, '\xff');
  EXPECT_EQ(crc32c_extend(0, zeros.data(), 32), 0x8a9136aau);
  EXPECT_EQ(crc32c_extend(0, ones.data(), 32), 0x62a8ab43u);
  const std::string digits = "123456789";
  for (std::size_t cut = 0; cut <= digits.size(); ++cut) {
    const std::uint32_t first = crc32c_extend(0, digits.data(), cut);
    EXPECT_EQ(crc32c_extend(first, digits.data() + cut, digits.size() - cut), 0xe3069283u) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(, TinyVolume,
                         testing::Values(Volume{"1m", 128u << 10, 1}, Volume{"64m", 8u << 20, 200}),
                         [](const auto& at) { return std::string(at.param.size); });

}  // namespace
}  // namespace kith::store
