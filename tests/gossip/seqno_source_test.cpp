#include "gossip/seqno_source.hpp"

#include <gtest/gtest.h>

#include "services/store/memory_store.hpp"
#include "tests/support/manual_loop.hpp"

namespace kith::gossip {
namespace {

struct Listener final : SeqnoListener {
  int durable = 0;
  std::vector<Errc> failures;
  void on_seqnos(Now, const Error* error) override {
    if (error == nullptr) {
      ++durable;
    } else {
      failures.push_back(error->code);
    }
  }
};

// A disk, on which one process after another takes numbers.
struct Seqnos : ::testing::Test {
  std::shared_ptr<store::MemoryDisk> disk =
      std::make_shared<store::MemoryDisk>(std::vector<std::string>{"other", "gossip"});
  test::ManualLoop loop;
  Listener listener;
  std::unique_ptr<store::MemoryStore> store;
  std::unique_ptr<SeqnoSource> source;
  std::uint64_t highest = 0;

  void start(Wall wall) {
    stop();
    store = std::make_unique<store::MemoryStore>(disk, loop);
    source = std::make_unique<SeqnoSource>(Now{loop.now().mono, wall}, store.get(), listener);
  }
  void stop() {
    source.reset();
    store.reset();
  }
  // Until the next try is over.
  void tick() {
    loop.advance(source->next_deadline() - loop.now().mono);
    source->on_tick(loop.now());
    loop.settle();
  }
  // Takes one and checks that it was never taken before.
  std::uint64_t take() {
    const Result<std::uint64_t> seqno = source->take();
    EXPECT_TRUE(seqno) << seqno.error().what;
    EXPECT_GT(*seqno, highest);
    highest = *seqno;
    return *seqno;
  }
};

constexpr Wall kNoon(std::chrono::seconds(1'800'000'000));
constexpr std::uint64_t kNoonNumber = 1'800'000'000'000'000'000;

TEST_F(Seqnos, start_at_the_wall_clock_and_grow_by_one) {
  start(kNoon);
  EXPECT_EQ(take(), kNoonNumber);
  EXPECT_EQ(take(), kNoonNumber + 1);
}

TEST_F(Seqnos, may_be_sent_only_when_the_mark_above_them_is_durable) {
  disk->faults.write_delay = 1s;
  start(kNoon);
  const std::uint64_t first = take();
  EXPECT_FALSE(source->may_send(first));
  loop.advance(2s);
  EXPECT_TRUE(source->may_send(first));
  EXPECT_EQ(listener.durable, 1);
}

TEST_F(Seqnos, clock_that_was_set_back_does_not_repeat_one) {
  start(kNoon);
  loop.settle();
  for (int i = 0; i < 10; ++i) take();
  for (const Duration back : {Duration(1h), Duration(24h * 365), Duration(10ms)}) {
    start(kNoon - back);
    loop.settle();
    EXPECT_TRUE(source->may_send(take()));
  }
}

TEST_F(Seqnos, crash_that_loses_unsynced_writes_does_not_repeat_one) {
  for (int run = 0; run < 5; ++run) {
    disk->faults.write_delay = 1s;
    start(kNoon - std::chrono::hours(run));
    std::uint64_t sent = 0;
    for (int i = 0; i < 100; ++i) {
      const Result<std::uint64_t> seqno = source->take();
      if (i == 50) loop.advance(2s);
      if (seqno && source->may_send(*seqno)) {
        EXPECT_GT(*seqno, highest);
        sent = *seqno;
      }
    }
    highest = sent;
    stop();
    disk->crash();
  }
}

TEST_F(Seqnos, mark_is_raised_ahead_of_need) {
  start(kNoon);
  loop.settle();
  for (std::uint64_t i = 0; i < 3 * kSeqnoBlock; ++i) {
    const std::uint64_t seqno = take();
    ASSERT_TRUE(source->may_send(seqno)) << i;
    loop.settle();
  }
  EXPECT_LE(listener.durable, 8) << "a write for half a block, not for each";
}

TEST_F(Seqnos, disk_that_does_not_keep_up_bounds_what_is_given_out) {
  disk->faults.write_delay = 1h;
  start(kNoon);
  std::uint64_t given = 0;
  Result<std::uint64_t> seqno = source->take();
  for (; seqno; seqno = source->take()) ASSERT_LE(++given, kSeqnoBlock);
  EXPECT_EQ(seqno.error().code, Errc::exhausted);
}

TEST_F(Seqnos, full_disk_is_told_once_and_tried_again_until_it_has_room) {
  disk->faults.bytes_max = 0;
  start(kNoon);
  const std::uint64_t waits = take();
  loop.settle();
  std::uint32_t tries = 0;
  for (const Mono end = loop.now().mono + 1h; loop.now().mono < end; ++tries) {
    const Result<std::uint64_t> seqno = source->take();
    ASSERT_FALSE(seqno);
    EXPECT_EQ(seqno.error().code, Errc::disk_full);
    ASSERT_NE(source->next_deadline(), kNever) << "without anybody who takes one";
    tick();
  }
  EXPECT_EQ(listener.failures, (std::vector{Errc::disk_full}));
  EXPECT_GE(tries, 60u) << "at least one a minute";
  EXPECT_LE(tries, 70u);
  EXPECT_FALSE(source->may_send(waits));
  disk->faults.bytes_max = UINT64_MAX;
  tick();
  EXPECT_EQ(listener.durable, 1);
  EXPECT_TRUE(source->may_send(waits));
  EXPECT_TRUE(source->may_send(take()));
  EXPECT_EQ(source->next_deadline(), kNever);
}

TEST_F(Seqnos, mark_that_was_read_wrong_is_read_again) {
  for (const bool cold : {false, true}) {
    start(kNoon);
    loop.settle();
    highest = std::max(highest, *source->take());
    disk->faults.forget_cache = cold;
    disk->faults.rot_ppm = 1'000'000;
    start(kNoon - 1h);
    loop.settle();
    const Result<std::uint64_t> seqno = source->take();
    ASSERT_FALSE(seqno) << "a wrong mark is not believed";
    EXPECT_EQ(seqno.error().code, Errc::corrupt);
    disk->faults.rot_ppm = 0;
    tick();
    EXPECT_TRUE(source->may_send(take()));
  }
}

TEST_F(Seqnos, damaged_mark_is_not_guessed_at) {
  for (const std::string& value :
       {std::string("short"), std::string(9, 'x'), std::string(8, '\xff')}) {
    disk = std::make_shared<store::MemoryDisk>(std::vector<std::string>{"gossip"});
    start(kNoon);
    StoreBatch batch;
    struct Nothing final : StoreSink {
      void on_persisted(Now, std::uint64_t, Result<void>) override {}
      void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override {}
      void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool) override {}
    } nothing;
    batch.put(store->family("gossip"), Bytes::copy("seqno-mark"), Bytes::copy(value));
    store->commit(std::move(batch), Durability::synced, nothing, 0);
    loop.settle();
    start(kNoon);
    EXPECT_EQ(source->take().error().code, Errc::corrupt);
  }
}

TEST_F(Seqnos, mark_that_is_not_in_memory_is_waited_for) {
  start(kNoon);
  loop.settle();
  highest = take();
  disk->faults.forget_cache = true;
  start(kNoon - 1h);
  EXPECT_EQ(source->take().error().code, Errc::refused);
  loop.settle();
  EXPECT_TRUE(source->may_send(take()));
}

TEST_F(Seqnos, without_a_store_the_clock_decides) {
  source = std::make_unique<SeqnoSource>(Now{{}, kNoon}, nullptr, listener);
  EXPECT_TRUE(source->may_send(take()));
  EXPECT_EQ(source->next(), kNoonNumber + 1);
  source = std::make_unique<SeqnoSource>(Now{{}, Wall(-5s)}, nullptr, listener);
  EXPECT_EQ(*source->take(), 0u) << "a clock before 1970 counts as 1970";
}

}  // namespace
}  // namespace kith::gossip
