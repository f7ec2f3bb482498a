#include "services/daemon/progress.hpp"

#include <gtest/gtest.h>

#include "services/daemon/commands.hpp"

namespace kith::daemon {
namespace {

TEST(Progress, tells_phase_bytes_rate_and_time_left) {
  const ProgressFacts facts{"fetching", 64u << 20, 256u << 20, 2, 0, ""};
  EXPECT_EQ(progress_text(facts, 32 << 20),
            "fetching 64.0 MiB of 256.0 MiB (25%), 32.0 MiB/s, 7 s left, 2 providers");
}

TEST(Progress, tells_a_search_by_its_note) {
  EXPECT_EQ(progress_text({"looking", 0, 0, 0, 0, "asked 20 peers, 0 have it"}, 0),
            "looking: asked 20 peers, 0 have it");
}

TEST(Progress, a_rate_of_next_to_nothing_gives_no_age_of_the_universe) {
  EXPECT_EQ(progress_text({"fetching", 1, UINT64_MAX, 0, 0, ""}, 1).find("left"),
            std::string::npos);
}

TEST(Progress, what_does_not_move_times_out_with_its_phase) {
  Progress progress(std::chrono::milliseconds(1));
  progress.on_facts({"looking", 0, 0, 0, 0, "asked 3 peers"});
  const auto end = Progress::Clock::now() + std::chrono::milliseconds(5);
  while (Progress::Clock::now() < end) {
  }
  const auto tick = progress.on_tick();
  ASSERT_FALSE(tick);
  EXPECT_EQ(tick.error().code, Errc::timeout);
  EXPECT_EQ(tick.error().why, "it was looking: asked 3 peers");
}

TEST(Text, sizes_and_ages_are_short) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(age_text(59), "59 s");
  EXPECT_EQ(age_text(3725), "1 h 2 min");
  EXPECT_EQ(age_text(200'000), "2 d 7 h");
}

TEST(ExitCode, follows_the_error) {
  EXPECT_EQ(exit_of(Errc::usage), 2);
  EXPECT_EQ(exit_of(Errc::not_local), 4);
  EXPECT_EQ(exit_of(Errc::timeout), 5);
  EXPECT_EQ(exit_of(Errc::disk_full), 1);
}

}  // namespace
}  // namespace kith::daemon
