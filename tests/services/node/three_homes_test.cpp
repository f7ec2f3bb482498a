// Three whole nodes in virtual time: A and C know only B.
#include "tests/services/node/homes.hpp"

namespace kith::node::test {
namespace {

constexpr std::uint32_t A = 0, B = 1, C = 2;
const std::vector<std::vector<std::uint32_t>> kLine = {{B}, {}, {B}};

bool all_ready(Homes& homes, std::uint32_t peers_min) {
  return homes.cluster().run_until(
      [&] {
        for (std::uint32_t i = 0; i < homes.cluster().size(); ++i)
          if (!homes.home(i).ready || homes.node(i).status().peers < peers_min) return false;
        return true;
      },
      30s);
}

TEST(ThreeHomes, a_file_of_every_size_comes_back_byte_for_byte_on_a_third_node) {
  Homes homes(kLine, 1);
  ASSERT_TRUE(all_ready(homes, 1));
  for (const std::size_t bytes :
       {0ul, 1ul, (1ul << 20) - 1, 1ul << 20, (1ul << 20) + 1, 5'000'000ul}) {
    const std::string name = std::to_string(bytes);
    const auto cid = homes.add(A, homes.make_file(name, bytes, bytes + 1));
    ASSERT_TRUE(cid.has_value()) << describe(cid.error());
    const auto got = homes.ask_file(C, FileGet{{*cid, homes.path(name + ".out")}});
    ASSERT_TRUE(got.has_value()) << bytes << ": " << describe(got.error());
    EXPECT_TRUE(homes.content(name) == homes.content(name + ".out")) << bytes;
  }
}

TEST(ThreeHomes, what_was_spread_is_read_after_its_publisher_is_gone) {
  Homes homes(kLine, 2);
  ASSERT_TRUE(all_ready(homes, 1));
  const auto cid = homes.add(A, homes.make_file("f", 20'000'000, 7), 1);
  ASSERT_TRUE(cid.has_value()) << describe(cid.error());
  homes.cluster().crash(A);
  const auto got = homes.ask_file(C, FileGet{{*cid, homes.path("out")}});
  ASSERT_TRUE(got.has_value()) << describe(got.error());
  EXPECT_TRUE(homes.content("f") == homes.content("out"));
}

TEST(ThreeHomes, each_home_downloads_each_block_once) {
  Homes homes(kLine, 3);
  ASSERT_TRUE(all_ready(homes, 1));
  const std::size_t bytes = 12'000'000;
  const auto cid = homes.add(A, homes.make_file("f", bytes, 7), 2);
  ASSERT_TRUE(cid.has_value()) << describe(cid.error());
  const auto got = homes.ask_file(C, FileGet{{*cid, homes.path("out")}});
  ASSERT_TRUE(got.has_value()) << describe(got.error());
  for (const std::uint32_t home : {B, C}) {
    const Status status = homes.node(home).status();
    EXPECT_EQ(status.blocks_in, 12u) << home;  // the root travels inside its offer
    EXPECT_EQ(status.block_bytes_in, bytes);
    EXPECT_EQ(status.block_duplicates_in, 0u);
    EXPECT_EQ(status.block_rubbish_in, 0u);
  }
  EXPECT_EQ(homes.node(A).status().block_bytes_in, 0u);
}

TEST(ThreeHomes, a_local_file_stays_at_home) {
  Homes homes(kLine, 4);
  ASSERT_TRUE(all_ready(homes, 1));
  const auto cid = homes.add(A, homes.make_file("f", 3'000'000, 7), 0, r1fs::Visibility::local);
  ASSERT_TRUE(cid.has_value()) << describe(cid.error());
  const auto got = homes.ask_file(C, FileGet{{*cid, homes.path("out")}}, 30s);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::timeout);
  homes.cluster().run_for(1ms);  // the part goes in a turn of its own
  EXPECT_FALSE(std::filesystem::exists(homes.path("out")));
  EXPECT_FALSE(std::filesystem::exists(homes.path("out.kith-part")));
  const auto own = homes.ask_file(A, FileGet{{*cid, homes.path("out"), false}});
  ASSERT_TRUE(own.has_value()) << describe(own.error());
  EXPECT_TRUE(homes.content("f") == homes.content("out"));
}

TEST(ThreeHomes, what_is_held_nowhere_is_looked_for_until_the_deadline_and_said_so) {
  Homes homes(kLine, 5);
  ASSERT_TRUE(all_ready(homes, 1));
  const Cid nowhere = Cid::v1(kCodecRaw, Multihash::of_sha256(as_bytes("nobody has this")));
  const auto local = homes.ask_file(C, FileGet{{nowhere, homes.path("out"), false}});
  EXPECT_EQ(local.error().code, Errc::not_local);
  const auto got = homes.ask_file(C, FileGet{{nowhere, homes.path("out")}}, 25s);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, Errc::timeout);
  EXPECT_NE(got.error().why.find("looking"), std::string::npos) << got.error().why;
}

TEST(ThreeHomes, an_acknowledged_file_survives_a_crash_and_goes_on_spreading) {
  Homes homes(kLine, 6);
  ASSERT_TRUE(all_ready(homes, 1));
  homes.cluster().crash(B);
  homes.cluster().run_for(1s);
  const auto cid = homes.add(A, homes.make_file("f", 6'000'000, 9));
  ASSERT_TRUE(cid.has_value()) << describe(cid.error());
  homes.cluster().crash(A);
  homes.disk(A).crash();
  homes.cluster().restart(B);
  homes.cluster().restart(A);
  ASSERT_TRUE(all_ready(homes, 1));
  const auto spread = [&] {
    const auto stat = homes.ask_file(A, FileStat{*cid});
    return stat && stat->file.blocks_held == stat->file.blocks && !stat->file.keepers.empty();
  };
  bool kept = false;
  for (int i = 0; i < 60 && !kept; ++i) {
    homes.cluster().run_for(2s);
    kept = spread();
  }
  EXPECT_TRUE(kept);
}

TEST(ThreeHomes, removing_one_of_two_files_that_share_blocks_leaves_the_other_whole) {
  Homes homes(kLine, 7);
  ASSERT_TRUE(all_ready(homes, 1));
  const std::string long_path = homes.make_file("long", 4u << 20, 3);
  std::filesystem::copy_file(long_path, homes.path("short"));
  std::filesystem::resize_file(homes.path("short"), 2u << 20);
  const auto long_cid = homes.add(A, long_path);
  const auto short_cid = homes.add(A, homes.path("short"));
  ASSERT_TRUE(long_cid && short_cid);
  const auto removed = homes.ask_file(A, FileRemove{*long_cid});
  ASSERT_TRUE(removed.has_value()) << describe(removed.error());
  EXPECT_GT(removed->bytes_freed, 2u << 20);
  EXPECT_LT(removed->bytes_freed, (2u << 20) + 4096);
  const auto got = homes.ask_file(A, FileGet{{*short_cid, homes.path("out"), false}});
  ASSERT_TRUE(got.has_value()) << describe(got.error());
  EXPECT_TRUE(homes.content("short") == homes.content("out"));
  EXPECT_EQ(homes.ask_file(A, FileGet{{*long_cid, homes.path("o2"), false}}).error().code,
            Errc::not_local);
}

TEST(ThreeHomes, the_same_seed_gives_the_same_trace) {
  const auto run = [](std::uint64_t seed) {
    Homes homes(kLine, seed);
    EXPECT_TRUE(all_ready(homes, 1));
    const auto cid = homes.add(A, homes.make_file("f", 3'000'000, 7), 1);
    EXPECT_TRUE(cid.has_value());
    EXPECT_TRUE(homes.ask_file(C, FileGet{{*cid, homes.path("out")}}).has_value());
    return homes.cluster().trace_hash();
  };
  EXPECT_EQ(run(8), run(8));
  EXPECT_NE(run(8), run(9));
}

}  // namespace
}  // namespace kith::node::test
