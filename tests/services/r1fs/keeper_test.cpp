// What a home does with others' offers: R1fsCore and its Keeper, without a network.
#include "services/r1fs/keeper.hpp"

#include <gtest/gtest.h>

#include "net/base/rng.hpp"
#include "services/r1fs/r1fs_core.hpp"

namespace kith::r1fs {
namespace {

using gossip::Verdict;
constexpr std::uint64_t kAll = 100'000, kKept = 40'000;

PeerId peer_id(std::uint32_t i) {
  return PeerId::of_public_key(as_bytes("peer " + std::to_string(i)));
}
Bytes body_of(std::uint32_t i, std::size_t size) {
  return Bytes::make(size, [&](std::span<std::uint8_t> to) { Rng(i + 1).fill(to); });
}
Cid cid_of(const Bytes& body) { return Cid::v1(kCodecRaw, Multihash::of_sha256(body)); }

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() : core_({peer_id(0), {0, 1, 2}, {kAll, kKept}, true}) {
    now_.wall = Wall(std::chrono::seconds(1'000'000));
    Effects out;
    core_.start(out);
    core_.on_scanned(now_, 1, std::vector<StoreEntry>(), false, out);
    core_.on_scanned(now_, 2, std::vector<StoreEntry>(), false, out);
  }

  // An offer of one block that is a file of its own.
  schema::Offer offer(const Bytes& body) const {
    schema::Offer made;
    made.root = cid_of(body);
    made.file_bytes = body.size();
    made.blocks_total = 1;
    made.expires = 1'000'600;
    made.blocks.push_back({made.root, static_cast<std::uint32_t>(body.size()), {}});
    return made;
  }
  Verdict tell(const schema::Offer& offer, std::uint32_t publisher) {
    out_.clear();
    return core_.on_offer(now_, gossip::JudgeSlot{++judges_, 0}, host::PeerSlot{7, 0},
                          peer_id(publisher), schema::encode_offer(offer), out_);
  }
  FetchId started() const {
    for (const Effect& effect : out_)
      if (const auto* start = std::get_if<StartFetch>(&effect)) return start->fetch;
    return 0;
  }
  // Answers every commit as the disk would.
  void persist(Result<void> result = {}) {
    std::vector<std::uint64_t> tags;
    for (const Effect& effect : out_)
      if (const auto* commit = std::get_if<Commit>(&effect)) tags.push_back(commit->tag);
    out_.clear();
    for (const std::uint64_t tag : tags) core_.on_persisted(now_, tag, result, out_);
  }
  std::optional<Verdict> settled() const {
    for (const Effect& effect : out_)
      if (const auto* settle = std::get_if<SettleOffer>(&effect)) return settle->verdict;
    return std::nullopt;
  }
  Verdict keep(std::uint32_t block, std::size_t size, std::uint32_t publisher) {
    const Bytes body = body_of(block, size);
    const Verdict verdict = tell(offer(body), publisher);
    if (verdict != Verdict::pending) return verdict;
    const FetchId fetch = started();
    out_.clear();
    core_.on_fetched(now_, fetch, cid_of(body), body, out_);
    persist();
    return settled().value_or(Verdict::pending);
  }
  bool held(std::uint32_t block, std::size_t size) const {
    return core_.index().held(cid_of(body_of(block, size)).hash());
  }

  Now now_;
  R1fsCore core_;
  Effects out_;
  std::uint32_t judges_ = 0;
};

TEST_F(KeeperTest, an_offer_is_passed_on_only_when_its_block_is_durable) {
  const Bytes body = body_of(1, 5000);
  ASSERT_EQ(tell(offer(body), 1), Verdict::pending);
  const FetchId fetch = started();
  out_.clear();
  core_.on_fetched(now_, fetch, cid_of(body), body, out_);
  EXPECT_FALSE(settled().has_value());
  persist();
  EXPECT_EQ(settled(), Verdict::accept);
  EXPECT_TRUE(held(1, 5000));
  EXPECT_EQ(tell(offer(body), 1), Verdict::accept) << "it is here already";
}

TEST_F(KeeperTest, a_full_quota_evicts_the_least_recently_used_root) {
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(keep(i, 10'000, i + 1), Verdict::accept);
  EXPECT_EQ(core_.storage().kept_bytes, kKept);
  EXPECT_EQ(tell(offer(body_of(0, 10'000)), 1), Verdict::accept) << "heard again: used";
  EXPECT_EQ(keep(9, 10'000, 9), Verdict::accept);
  EXPECT_TRUE(held(0, 10'000));
  EXPECT_FALSE(held(1, 10'000));
  EXPECT_TRUE(held(9, 10'000));
  EXPECT_EQ(core_.storage().kept_bytes, kKept);
}

TEST_F(KeeperTest, offers_of_what_never_comes_evict_nothing) {
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(keep(i, 10'000, i + 1), Verdict::accept);
  for (std::uint32_t i = 50; i < 60; ++i)
    EXPECT_EQ(tell(offer(body_of(i, 10'000)), i), Verdict::pending);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(held(i, 10'000)) << i;
  now_.mono += kPullTime;
  core_.on_tick(now_, true, {}, out_);
  EXPECT_EQ(settled(), Verdict::ignore);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(held(i, 10'000)) << i;
}

TEST_F(KeeperTest, a_publisher_gets_half_of_the_kept_quota_counting_what_is_under_way) {
  EXPECT_EQ(keep(1, 10'000, 1), Verdict::accept);
  EXPECT_EQ(tell(offer(body_of(2, 9'000)), 1), Verdict::pending);
  EXPECT_EQ(tell(offer(body_of(3, 2'000)), 1), Verdict::accept) << "travels on without us";
  EXPECT_EQ(started(), 0u);
  EXPECT_EQ(tell(offer(body_of(3, 2'000)), 2), Verdict::pending)
      << "another has a share of its own";
}

TEST_F(KeeperTest, a_pull_that_waited_asks_for_nothing_that_came_meanwhile) {
  std::vector<FetchId> active;
  for (std::uint32_t i = 0; i < kPullsMax; ++i) {
    ASSERT_EQ(tell(offer(body_of(i, 1'000)), i + 1), Verdict::pending);
    active.push_back(started());
  }
  // The same block twice, in two files, by two publishers; neither is started yet.
  const Bytes body = body_of(0, 1'000);
  schema::Offer again = offer(body);
  again.blocks.push_back({cid_of(body_of(99, 500)), 500, {}});
  again.blocks_total = 2;
  ASSERT_EQ(tell(again, 60), Verdict::pending);
  ASSERT_EQ(started(), 0u);
  out_.clear();
  core_.on_fetched(now_, active[0], cid_of(body), body, out_);
  persist();
  ASSERT_NE(started(), 0u) << "the first has ended, the one that waited begins";
  std::vector<Cid> wanted;
  for (const Effect& effect : out_)
    if (const auto* want = std::get_if<WantBlock>(&effect)) wanted.push_back(want->cid);
  EXPECT_EQ(wanted, std::vector<Cid>{cid_of(body_of(99, 500))});
}

TEST_F(KeeperTest, malformed_and_lying_offers_are_rejected_and_stale_ones_ignored) {
  EXPECT_EQ(
      core_.on_offer(now_, {1, 0}, {7, 0}, peer_id(1), Bytes::copy(as_bytes("rubbish")), out_),
      Verdict::reject);
  EXPECT_EQ(core_.on_offer(now_, {1, 0}, {7, 0}, peer_id(1), Bytes(), out_), Verdict::reject);
  schema::Offer lies = offer(body_of(1, 100));
  lies.blocks[0].body = body_of(2, 100);
  EXPECT_EQ(tell(lies, 1), Verdict::reject) << "a body that is not its CID's";
  lies.blocks[0].body = body_of(1, 100);
  lies.blocks[0].size = 99;
  EXPECT_EQ(tell(lies, 1), Verdict::reject) << "a size that is not the body's";
  lies = offer(body_of(1, 100));
  lies.blocks[0].size = UINT32_MAX;
  EXPECT_EQ(tell(lies, 1), Verdict::reject) << "larger than any block";
  schema::Offer stale = offer(body_of(1, 100));
  stale.expires = 999'999;
  EXPECT_EQ(tell(stale, 1), Verdict::ignore);
  stale.expires = UINT64_MAX;
  EXPECT_EQ(tell(stale, 1), Verdict::ignore) << "expires in the far future";
  EXPECT_EQ(core_.storage().blocks, 0u);
}

TEST_F(KeeperTest, a_wrong_size_is_rejected_and_after_three_the_publisher_is_not_heard) {
  for (std::uint32_t i = 0; i < kBadOffersMax; ++i) {
    schema::Offer lies = offer(body_of(i, 100));
    lies.blocks[0].size = 200;
    ASSERT_EQ(tell(lies, 1), Verdict::pending);
    const FetchId fetch = started();
    out_.clear();
    core_.on_fetched(now_, fetch, lies.root, body_of(i, 100), out_);
    EXPECT_EQ(settled(), Verdict::reject);
  }
  EXPECT_EQ(tell(offer(body_of(8, 100)), 1), Verdict::accept);
  EXPECT_EQ(started(), 0u) << "not listened to";
  now_.mono += kBadPublisherTime;
  EXPECT_EQ(tell(offer(body_of(8, 100)), 1), Verdict::pending);
  EXPECT_EQ(core_.storage().blocks, 0u);
}

TEST_F(KeeperTest, what_a_full_disk_refuses_is_not_held_and_costs_the_publisher_no_share) {
  for (int again = 0; again < 5; ++again) {
    const Bytes body = body_of(1, 15'000);
    ASSERT_EQ(tell(offer(body), 1), Verdict::pending) << again;
    const FetchId fetch = started();
    out_.clear();
    core_.on_fetched(now_, fetch, cid_of(body), body, out_);
    persist(fail(Errc::disk_full, "full"));
    EXPECT_EQ(settled(), Verdict::accept);
    EXPECT_FALSE(held(1, 15'000));
    EXPECT_EQ(core_.storage().kept_bytes, 0u);
    out_.clear();
    core_.list(RequestId{1}, out_);
    EXPECT_TRUE(std::get<TellDone>(out_.back()).answer->files.empty());
  }
  EXPECT_EQ(keep(1, 15'000, 1), Verdict::accept);
}

TEST_F(KeeperTest, offers_beyond_the_waiting_room_travel_on_without_us) {
  std::size_t pending = 0;
  for (std::uint32_t i = 0; i < kPullsMax + kPullsWaiting + 20; ++i)
    pending += tell(offer(body_of(i, 10)), i + 1) == Verdict::pending;
  EXPECT_EQ(pending, kPullsMax + kPullsWaiting);
  // All end at their time, and none is left behind.
  now_.mono += kPullTime;
  out_.clear();
  core_.on_tick(now_, true, {}, out_);
  std::size_t ended = 0;
  for (const Effect& effect : out_) ended += std::holds_alternative<SettleOffer>(effect);
  EXPECT_EQ(ended, pending);
  EXPECT_EQ(core_.next_deadline(), kNever);
}

TEST_F(KeeperTest, before_loading_has_ended_requests_are_refused) {
  R1fsCore fresh({peer_id(0), {0, 1, 2}, {kAll, kKept}, true});
  Effects out;
  fresh.start(out);
  out.clear();
  fresh.add(RequestId{1}, {"/tmp/x", "x", Visibility::local, 0}, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(std::get<TellDone>(out[0]).answer.error().code, Errc::refused);
}

TEST(Spreader, a_file_that_all_were_offered_is_asked_about_at_once_when_somebody_waits) {
  const Bytes body = body_of(1, 100);
  Spreader spreader(cid_of(body), 100, {{cid_of(body), 100}}, 1);
  Now now;
  std::vector<std::uint32_t> ready;
  spreader.on_tick(now, true, ready);
  EXPECT_TRUE(spreader.asks_now(now));
  EXPECT_EQ(spreader.next_deadline(), now.mono + kAskHoldsIdle);
  now.mono += 1s;
  spreader.expect_keepers(now, 2);
  EXPECT_EQ(spreader.next_deadline(), now.mono);
  EXPECT_TRUE(spreader.asks_now(now));
  EXPECT_EQ(spreader.next_deadline(), now.mono + kAskHoldsEvery);
  spreader.expect_no_more_than(0);
  now.mono += kAskHoldsEvery;
  EXPECT_TRUE(spreader.asks_now(now));
  EXPECT_EQ(spreader.next_deadline(), now.mono + kAskHoldsIdle) << "nobody waits any more";
}

}  // namespace
}  // namespace kith::r1fs
