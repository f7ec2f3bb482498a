// Whole nodes whose disk fails, fills up or loses what was not synced, at every commit of an add.
#include "tests/services/node/homes.hpp"

namespace kith::node::test {
namespace {

constexpr std::uint64_t kNoFault = 1'000'000;  // a fault so far away counts commits
constexpr std::size_t kThreeLeaves = (3u << 20) - 5;
constexpr std::size_t kManyBatches = 9u << 20;

// One home without neighbours, whose disk answers after 5 ms.
struct Alone {
  explicit Alone(std::uint64_t seed) : homes({{}}, seed) {
    homes.disk(0).faults.write_delay = 5ms;
    EXPECT_TRUE(is_ready());
  }
  bool is_ready() {
    return homes.cluster().run_until([&] { return homes.home(0).ready; }, 10s);
  }
  void settle() { homes.cluster().run_for(100ms); }
  void count_commits() { homes.disk(0).faults.fail_commit = kNoFault; }
  std::uint64_t commits() { return kNoFault - homes.disk(0).faults.fail_commit; }
  void crash() {
    homes.cluster().crash(0);
    homes.disk(0).crash();
    homes.disk(0).faults.fail_commit = homes.disk(0).faults.refuse_commit = 0;
    homes.cluster().restart(0);
    EXPECT_TRUE(is_ready());
    settle();
  }
  RequestId start_add(const std::string& path, Duration deadline = 60s) {
    return homes.node(0).start_request(FileAdd{{path, "f", r1fs::Visibility::public_, 0}}, deadline,
                                       homes.home(0).asked);
  }
  const Result<Answer>* answer(RequestId id) {
    const auto at = homes.home(0).asked.answers.find(id);
    return at == homes.home(0).asked.answers.end() ? nullptr : &at->second;
  }
  r1fs::StorageStatus storage() { return homes.node(0).status().storage; }
  std::uint64_t disk_bytes() { return homes.disk(0).bytes(); }
  std::size_t files() {
    const auto list = homes.ask_file(0, FileList{});
    return list ? list->files.size() : 999;
  }
  void expect_whole(const Cid& cid, const std::string& name) {
    const auto got = homes.ask_file(0, FileGet{{cid, homes.path("whole"), false, true}});
    ASSERT_TRUE(got.has_value()) << describe(got.error());
    EXPECT_TRUE(homes.content("whole") == homes.content(name));
  }
  void expect_nothing(std::uint64_t disk_before) {
    EXPECT_EQ(storage().blocks, 0u);
    EXPECT_EQ(storage().own_bytes, 0u);
    EXPECT_EQ(files(), 0u);
    EXPECT_EQ(disk_bytes(), disk_before);
  }
  void expect_an_add_works(const std::string& path, const std::string& name) {
    const auto cid = homes.add(0, path);
    ASSERT_TRUE(cid.has_value()) << describe(cid.error());
    expect_whole(*cid, name);
  }
  Homes homes;
};

class AtEachCommit : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, AtEachCommit, testing::Values(kThreeLeaves, kManyBatches));

TEST_P(AtEachCommit, a_crash_leaves_an_acknowledged_file_whole_and_nothing_of_another) {
  bool completed = false;
  for (std::uint64_t n = 1; !completed; ++n) {
    ASSERT_LT(n, 40u);
    // As soon as the store has the batch, and just before and after the disk has it.
    for (const Duration wait : {Duration(0), Duration(4900us), Duration(5100us)}) {
      SCOPED_TRACE("commit " + std::to_string(n) + ", " + std::to_string(wait.count()) + " ns");
      Alone alone(n);
      const std::string path = alone.homes.make_file("f", GetParam(), n);
      const std::uint64_t before = alone.disk_bytes();
      alone.count_commits();
      const RequestId add = alone.start_add(path);
      alone.homes.cluster().run_until(
          [&] { return alone.commits() >= n || alone.answer(add) != nullptr; }, 10s);
      alone.homes.cluster().run_for(wait);
      const Result<Answer>* told = alone.answer(add);
      if (told != nullptr) {
        ASSERT_TRUE(told->has_value());
        const Cid cid = std::get<r1fs::FileAnswer>(**told).file.cid;
        completed = completed || alone.commits() < n;
        alone.crash();
        EXPECT_EQ(alone.files(), 1u);
        alone.expect_whole(cid, "f");
      } else {
        alone.crash();
        if (alone.files() == 0) alone.expect_nothing(before);
      }
      alone.expect_an_add_works(path, "f");
    }
  }
}

TEST_P(AtEachCommit, a_full_disk_fails_the_add_leaves_nothing_and_the_next_add_succeeds) {
  bool completed = false;
  for (std::uint64_t n = 1; !completed; ++n) {
    ASSERT_LT(n, 40u);
    SCOPED_TRACE("commit " + std::to_string(n));
    Alone alone(n);
    const std::string path = alone.homes.make_file("f", GetParam(), n);
    const std::uint64_t before = alone.disk_bytes();
    alone.homes.disk(0).faults.refuse_commit = n;
    const auto added = alone.homes.add(0, path);
    alone.settle();
    if (added) {
      completed = true;
      EXPECT_GT(n, 1u);
    } else {
      EXPECT_EQ(added.error().code, Errc::disk_full) << describe(added.error());
      alone.expect_nothing(before);
    }
    alone.homes.disk(0).faults.refuse_commit = 0;
    alone.expect_an_add_works(path, "f");
  }
}

TEST_P(AtEachCommit, a_failed_disk_fails_the_add_and_after_a_restart_nothing_of_it_is_left) {
  bool completed = false;
  for (std::uint64_t n = 1; !completed; ++n) {
    ASSERT_LT(n, 40u);
    SCOPED_TRACE("commit " + std::to_string(n));
    Alone alone(n);
    const std::string path = alone.homes.make_file("f", GetParam(), n);
    const std::uint64_t before = alone.disk_bytes();
    alone.homes.disk(0).faults.fail_commit = n;
    const auto added = alone.homes.add(0, path);
    alone.settle();
    if (added) {
      completed = true;
    } else {
      EXPECT_EQ(added.error().code, Errc::io) << describe(added.error());
      EXPECT_EQ(alone.files(), 0u);
      alone.crash();
      alone.expect_nothing(before);
    }
    alone.crash();
    alone.expect_an_add_works(path, "f");
  }
}

TEST(HomesFaults, adding_again_on_a_full_disk_leaves_the_file_that_was_there) {
  for (std::uint64_t n = 1; n <= 3; ++n) {
    SCOPED_TRACE(n);
    Alone alone(n);
    const std::string path = alone.homes.make_file("f", kThreeLeaves, 1);
    const auto first = alone.homes.add(0, path);
    ASSERT_TRUE(first.has_value());
    alone.settle();
    const r1fs::StorageStatus before = alone.storage();
    alone.homes.disk(0).faults.refuse_commit = n;
    (void)alone.homes.add(0, path);
    alone.settle();
    EXPECT_EQ(alone.storage().own_bytes, before.own_bytes);
    EXPECT_EQ(alone.storage().blocks, before.blocks);
    alone.expect_whole(*first, "f");
    alone.crash();
    EXPECT_EQ(alone.storage().own_bytes, before.own_bytes);
    alone.expect_whole(*first, "f");
    ASSERT_TRUE(alone.homes.ask_file(0, FileRemove{*first}).has_value());
    EXPECT_EQ(alone.storage().blocks, 0u) << "no reference too many stayed";
  }
}

TEST(HomesFaults, a_removal_that_the_disk_refuses_leaves_the_file_and_can_be_repeated) {
  Alone alone(1);
  const std::uint64_t empty = alone.disk_bytes();
  const std::string path = alone.homes.make_file("f", kThreeLeaves, 1);
  const auto cid = alone.homes.add(0, path);
  ASSERT_TRUE(cid.has_value());
  alone.settle();
  const r1fs::StorageStatus before = alone.storage();
  alone.homes.disk(0).faults.refuse_commit = 1;
  EXPECT_EQ(alone.homes.ask_file(0, FileRemove{*cid}).error().code, Errc::disk_full);
  EXPECT_EQ(alone.storage().own_bytes, before.own_bytes);
  EXPECT_EQ(alone.files(), 1u);
  alone.expect_whole(*cid, "f");
  ASSERT_TRUE(alone.homes.ask_file(0, FileRemove{*cid}).has_value());
  alone.settle();
  alone.expect_nothing(empty);
}

TEST(HomesFaults, two_adds_of_the_same_content_at_once_give_one_file_whichever_of_them_fails) {
  for (std::uint64_t n = 0; n <= 6; ++n) {
    SCOPED_TRACE(n);
    Alone alone(n);
    const std::uint64_t empty = alone.disk_bytes();
    const std::string path = alone.homes.make_file("f", kThreeLeaves, 1);
    alone.homes.disk(0).faults.refuse_commit = n;
    const RequestId one = alone.start_add(path);
    const RequestId two = alone.start_add(path);
    alone.homes.cluster().run_until([&] { return alone.answer(one) && alone.answer(two); }, 10s);
    ASSERT_TRUE(alone.answer(one) && alone.answer(two));
    alone.settle();
    alone.homes.disk(0).faults.refuse_commit = 0;
    const Result<Answer>& first = *alone.answer(one);
    const Result<Answer>& second = *alone.answer(two);
    ASSERT_TRUE(first.has_value() || second.has_value()) << "one refusal, two adds";
    const Cid cid = std::get<r1fs::FileAnswer>(first ? *first : *second).file.cid;
    EXPECT_EQ(alone.files(), 1u);
    alone.expect_whole(cid, "f");
    alone.crash();
    alone.expect_whole(cid, "f");
    ASSERT_TRUE(alone.homes.ask_file(0, FileRemove{cid}).has_value());
    alone.settle();
    alone.expect_nothing(empty);
  }
}

TEST(HomesFaults, an_add_while_the_same_file_is_removed_ends_whole_or_absent) {
  for (int ms = 0; ms < 60; ms += 3) {
    SCOPED_TRACE(ms);
    Alone alone(5);
    const std::uint64_t empty = alone.disk_bytes();
    const std::string path = alone.homes.make_file("f", kThreeLeaves, 1);
    const auto cid = alone.homes.add(0, path);
    ASSERT_TRUE(cid.has_value());
    const RequestId add = alone.start_add(path);
    alone.homes.cluster().run_for(std::chrono::milliseconds(ms));
    (void)alone.homes.ask_file(0, FileRemove{*cid});
    alone.homes.cluster().run_until([&] { return alone.answer(add) != nullptr; }, 10s);
    ASSERT_NE(alone.answer(add), nullptr);
    alone.settle();
    if (alone.files() == 1) {
      alone.expect_whole(*cid, "f");
      alone.crash();
      alone.expect_whole(*cid, "f");
    } else {
      alone.expect_nothing(empty);
    }
  }
}

TEST(HomesFaults, an_add_that_is_given_up_in_any_phase_leaves_nothing_and_a_later_one_works) {
  int given_up = 0;
  for (int us = 100; us < 200'000; us = us * 3 / 2) {
    SCOPED_TRACE(us);
    Alone alone(5);
    const std::uint64_t empty = alone.disk_bytes();
    const std::string path = alone.homes.make_file("f", kManyBatches, 1);
    const RequestId add = alone.start_add(path, std::chrono::microseconds(us));
    alone.homes.cluster().run_for(1s);
    ASSERT_NE(alone.answer(add), nullptr);
    if (!alone.answer(add)->has_value()) {
      ++given_up;
      EXPECT_EQ(alone.answer(add)->error().code, Errc::timeout);
      // A file whose last batch was on its way stays, whole.
      if (alone.files() == 0) alone.expect_nothing(empty);
    }
    alone.expect_an_add_works(path, "f");
  }
  EXPECT_GT(given_up, 3);
}

TEST(HomesFaults, a_get_that_is_given_up_in_any_phase_leaves_no_part_and_a_later_one_works) {
  int given_up = 0;
  Alone alone(5);
  const std::string path = alone.homes.make_file("f", kManyBatches, 1);
  const auto cid = alone.homes.add(0, path);
  ASSERT_TRUE(cid.has_value());
  for (int us = 10; us < 200'000; us = us * 3 / 2) {
    SCOPED_TRACE(us);
    const std::string out = alone.homes.path("out");
    const auto got =
        alone.homes.ask_file(0, FileGet{{*cid, out, false}}, std::chrono::microseconds(us));
    alone.settle();
    EXPECT_FALSE(std::filesystem::exists(out + ".kith-part"));
    if (!got) ++given_up;
    if (std::filesystem::exists(out)) {
      EXPECT_TRUE(alone.homes.content("out") == alone.homes.content("f"));
    } else {
      EXPECT_FALSE(got.has_value());
    }
    std::filesystem::remove(out);
    alone.expect_whole(*cid, "f");
  }
  EXPECT_GT(given_up, 3);
}

TEST(HomesFaults, where_the_output_cannot_be_written_the_error_says_why_and_nothing_is_touched) {
  Alone alone(5);
  const auto cid = alone.homes.add(0, alone.homes.make_file("f", kThreeLeaves, 1));
  ASSERT_TRUE(cid.has_value());
  const auto get = [&](const std::string& path, bool overwrite) {
    return alone.homes.ask_file(0, FileGet{{*cid, path, false, overwrite}});
  };
  alone.homes.make_file("there", 10, 3);
  const std::string there = alone.homes.content("there");
  EXPECT_EQ(get(alone.homes.path("there"), false).error().code, Errc::in_use);
  EXPECT_EQ(alone.homes.content("there"), there);
  EXPECT_EQ(get(alone.homes.path("no/such/folder/f"), false).error().code, Errc::not_found);
  EXPECT_EQ(get(alone.homes.path(""), true).error().code, Errc::in_use) << "a folder";
  EXPECT_TRUE(get(alone.homes.path("there"), true).has_value());
  EXPECT_TRUE(alone.homes.content("there") == alone.homes.content("f"));
  if (std::filesystem::exists("/dev/full")) {
    std::filesystem::create_symlink("/dev/full", alone.homes.path("full.kith-part"));
    EXPECT_FALSE(get(alone.homes.path("full"), false).has_value()) << "a link is not followed";
    EXPECT_FALSE(std::filesystem::exists(alone.homes.path("full")));
  }
  EXPECT_EQ(alone.homes.add(0, alone.homes.path("missing")).error().code, Errc::not_found);
  EXPECT_EQ(alone.homes.add(0, alone.homes.path("")).error().code, Errc::unsupported);
}

TEST(HomesFaults, two_gets_to_one_path_do_not_mix) {
  Alone alone(5);
  const auto cid = alone.homes.add(0, alone.homes.make_file("f", kManyBatches, 1));
  ASSERT_TRUE(cid.has_value());
  Asked& asked = alone.homes.home(0).asked;
  const r1fs::GetFile what{*cid, alone.homes.path("out"), false};
  const RequestId one = alone.homes.node(0).start_request(FileGet{what}, 10s, asked);
  const RequestId two = alone.homes.node(0).start_request(FileGet{what}, 10s, asked);
  alone.homes.cluster().run_until([&] { return alone.answer(one) && alone.answer(two); }, 20s);
  EXPECT_TRUE(alone.answer(one)->has_value());
  EXPECT_EQ(alone.answer(two)->error().code, Errc::in_use);
  EXPECT_TRUE(alone.homes.content("out") == alone.homes.content("f"));
}

// Overwrites every stored block of a home, as a rotting disk does.
struct Rot final : StoreSink {
  Rot(Homes& homes, std::uint32_t home)
      : disk(std::shared_ptr<void>(), &homes.disk(home)), store(disk, homes.cluster().loop(home)) {
    StoreScan scan;
    scan.family = store.family("r1fs_blocks");
    scan.bytes_max = 64u << 20;
    store.scan(std::move(scan), *this, 0);
    homes.cluster().run_until([&] { return blocks > 0; }, 1s);
  }
  void on_persisted(Now, std::uint64_t, Result<void>) override {}
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override {}
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>> all, bool) override {
    StoreBatch batch;
    for (const StoreEntry& entry : *all) {
      const Bytes whole = entry.value;
      if (whole.empty()) continue;
      batch.put(store.family("r1fs_blocks"), entry.key,
                Bytes::make(whole.size(), [&](std::span<std::uint8_t> to) {
                  std::copy(whole.data(), whole.data() + whole.size(), to.begin());
                  to[to.size() / 2] ^= 1;
                }));
      ++blocks;
    }
    store.commit(std::move(batch), Durability::buffered, *this, 0);
  }
  std::shared_ptr<store::MemoryDisk> disk;
  store::MemoryStore store;
  std::size_t blocks = 0;
};

TEST(HomesFaults, rubbish_from_one_keeper_is_refused_and_the_file_arrives_from_another) {
  constexpr std::uint32_t publisher = 0, rotten = 1, reader = 3;  // 2 is whole
  Homes homes({{rotten}, {}, {rotten}, {rotten}}, 3);
  ASSERT_TRUE(homes.cluster().run_until(
      [&] { return homes.home(reader).ready && homes.node(rotten).status().peers == 3; }, 30s));
  homes.cluster().crash(reader);
  const auto cid = homes.add(publisher, homes.make_file("f", 4u << 20, 7), 2);
  ASSERT_TRUE(cid.has_value()) << describe(cid.error());
  homes.cluster().crash(publisher);
  EXPECT_GE(Rot(homes, rotten).blocks, 5u);
  homes.cluster().restart(reader);
  ASSERT_TRUE(homes.cluster().run_until([&] { return homes.home(reader).ready; }, 10s));
  const auto got = homes.ask_file(reader, FileGet{{*cid, homes.path("out")}}, 120s);
  ASSERT_TRUE(got.has_value()) << describe(got.error());
  EXPECT_TRUE(homes.content("f") == homes.content("out"));
  EXPECT_GT(homes.node(reader).status().block_rubbish_in, 0u);
  // The rotten home heals by its own next get.
  EXPECT_EQ(homes.ask_file(rotten, FileGet{{*cid, homes.path("o2"), false}}).error().code,
            Errc::corrupt);
  ASSERT_TRUE(homes.ask_file(rotten, FileGet{{*cid, homes.path("o3")}}).has_value());
  homes.cluster().run_for(1s);
  ASSERT_TRUE(homes.ask_file(rotten, FileGet{{*cid, homes.path("o4"), false}}).has_value());
  EXPECT_TRUE(homes.content("f") == homes.content("o4"));
}

TEST(HomesFaults, a_sink_that_goes_away_hears_nothing_of_a_request_above_the_limit) {
  Alone alone(5);
  auto gone = std::make_unique<Asked>();
  for (int i = 0; i < 1100; ++i)
    (void)alone.homes.node(0).start_request(TopicSubscribe{"t"}, {}, *gone);
  alone.homes.node(0).drop_sink(*gone);
  gone.reset();
  alone.settle();
  Asked& asked = alone.homes.home(0).asked;
  std::vector<RequestId> ids;
  for (int i = 0; i < 1030; ++i)
    ids.push_back(alone.homes.node(0).start_request(TopicSubscribe{"t"}, {}, asked));
  alone.settle();
  EXPECT_EQ(asked.answers.size(), 6u);
  EXPECT_EQ(asked.answers.at(ids.back()).error().code, Errc::exhausted);
  alone.homes.node(0).drop_sink(asked);
}

}  // namespace
}  // namespace kith::node::test
