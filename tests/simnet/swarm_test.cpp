#include "simnet/swarm.hpp"

#include <gtest/gtest.h>

namespace kith::simnet {
namespace {

TEST(Swarm, equal_seeds_draw_equal_links_and_disks_and_others_do_not) {
  const auto draw = [](std::uint64_t seed) {
    Rng rng(seed);
    std::vector<LinkOptions> links;
    std::vector<store::MemoryFaults> disks;
    for (int i = 0; i < 20; ++i) {
      links.push_back(swarm_link(rng));
      disks.push_back(swarm_disk(rng));
    }
    return std::pair(links, disks);
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1).first, draw(2).first);
  EXPECT_NE(draw(1).second, draw(2).second);
}

TEST(Swarm, each_fault_is_off_more_often_than_on_and_some_links_have_none) {
  Rng rng(3);
  const LinkOptions base{.latency = 5ms, .up_bytes_per_second = 1'000, .nat = Nat::restricted};
  int none = 0, latency = 0, jitter = 0, dials = 0, resets = 0, loss = 0, cuts = 0, cpu = 0;
  for (int i = 0; i < 1'000; ++i) {
    const LinkOptions link = swarm_link(rng, base);
    none += link == base;
    latency += link.latency > base.latency;
    jitter += link.jitter > Duration{};
    dials += link.dial_failure_ppm > 0;
    resets += link.reset_ppm > 0;
    loss += link.loss_ppm > 0;
    cuts += link.cut_ppm > 0;
    cpu += link.cpu_per_message > Duration{};
    EXPECT_EQ(link.up_bytes_per_second, base.up_bytes_per_second);
    EXPECT_EQ(link.nat, base.nat);
    EXPECT_LE(link.loss_ppm, 100'000u);
  }
  for (const int on : {latency, jitter, dials, resets, loss, cuts, cpu}) EXPECT_NEAR(on, 300, 60);
  EXPECT_GT(none, 40);  // 0.7^7 of them
  EXPECT_LT(none, 140);
}

TEST(Swarm, disk_that_fills_up_has_room_for_what_is_on_it) {
  Rng rng(4);
  int full = 0, torn = 0, rotten = 0;
  for (int i = 0; i < 1'000; ++i) {
    const store::MemoryFaults disk = swarm_disk(rng, {}, 5'000);
    EXPECT_GE(disk.bytes_max, 5'000u);
    full += disk.bytes_max < UINT64_MAX;
    torn += disk.torn;
    rotten += disk.rot_ppm > 0;
  }
  for (const int on : {full, torn, rotten}) EXPECT_NEAR(on, 300, 60);
}

}  // namespace
}  // namespace kith::simnet
