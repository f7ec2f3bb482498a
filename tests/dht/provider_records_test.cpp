#include "dht/provider_records.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::content;
using test::kStart;

class ProviderRecordsTest : public ::testing::Test {
 protected:
  PeerRef peer(std::uint64_t number) { return book.intern(test::peer_id(number)); }
  bool add(Wall now, std::uint64_t key, std::uint64_t provider, Source source = 0) {
    return records.add(now, content(key), peer(provider), source == 0 ? provider + 1 : source, {},
                       out);
  }
  std::vector<PeerRef> find(Wall now, std::uint64_t key) { return records.find(now, content(key)); }

  PeerBook book{Rng(1)};
  ProviderRecords records{Rng(2), 400};
  Effects out;
};

TEST_F(ProviderRecordsTest, are_found_most_recent_first) {
  add(kStart, 1, 10);
  add(kStart + 1s, 1, 11);
  add(kStart + 2s, 1, 10);
  EXPECT_EQ(find(kStart + 3s, 1), (std::vector<PeerRef>{peer(10), peer(11)}));
  EXPECT_TRUE(find(kStart, 2).empty());
  EXPECT_EQ(records.size(), 2u);
}

TEST_F(ProviderRecordsTest, live_48_hours_from_the_last_announcement) {
  add(kStart, 1, 10);
  EXPECT_EQ(find(kStart + 48h - 1s, 1).size(), 1u);
  EXPECT_TRUE(find(kStart + 48h, 1).empty());
  add(kStart + 40h, 1, 10);
  EXPECT_EQ(find(kStart + 80h, 1).size(), 1u);
}

TEST_F(ProviderRecordsTest, sweeping_drops_what_expired_from_memory_and_store) {
  for (std::uint64_t key = 0; key < 300; ++key) add(kStart + (key % 2) * 24h, key, 5, key + 1);
  out.clear();
  records.sweep(kStart + 50h, out);
  EXPECT_EQ(records.size(), 150u);
  EXPECT_EQ(test::only<Persist>(out).size(), 150u);
  for (const Persist& persist : test::only<Persist>(out)) EXPECT_FALSE(persist.value);
}

TEST_F(ProviderRecordsTest, repeated_sweeps_reach_every_key) {
  ProviderRecords many{Rng(2), 5000};
  for (std::uint64_t key = 0; key < 3 * kSweepKeys; ++key)
    ASSERT_TRUE(many.add(kStart, content(key), peer(key % 40), key + 1, {}, out));
  for (int i = 0; i < 4; ++i) many.sweep(kStart + 49h, out);
  EXPECT_EQ(many.size(), 0u);
}

TEST_F(ProviderRecordsTest, a_full_key_drops_its_oldest_record) {
  for (std::uint64_t i = 0; i < kProvidersPerKey; ++i) add(kStart + i * 1s, 1, i);
  add(kStart + 100s, 1, 0);  // tells again: no longer the oldest
  EXPECT_TRUE(add(kStart + 101s, 1, 99));
  const std::vector<PeerRef> found = find(kStart + 102s, 1);
  EXPECT_EQ(found.size(), kProvidersPerKey);
  EXPECT_TRUE(found[0] == peer(99));
  EXPECT_TRUE(found[1] == peer(0));
  EXPECT_EQ(std::count(found.begin(), found.end(), peer(1)), 0);
}

TEST_F(ProviderRecordsTest, one_source_cannot_fill_a_key) {
  add(kStart, 1, 1, 500);
  for (std::uint64_t i = 0; i < 50; ++i) add(kStart + 1s, 1, 100 + i, 777);
  const std::vector<PeerRef> found = find(kStart + 2s, 1);
  EXPECT_EQ(found.size(), 1 + kSourcePerKey);
  EXPECT_EQ(std::count(found.begin(), found.end(), peer(1)), 1);
}

TEST_F(ProviderRecordsTest, one_source_gets_an_eighth_of_the_room) {
  for (std::uint64_t key = 0; key < 400; ++key) add(kStart, key, 7, 777);
  EXPECT_EQ(records.size(), 400u / kSourceShare);
}

TEST_F(ProviderRecordsTest, when_full_a_light_source_displaces_a_heavy_one) {
  for (std::uint64_t source = 1; source <= 8; ++source)
    for (std::uint64_t i = 0; i < 50; ++i)
      ASSERT_TRUE(add(kStart, source * 1000 + i, source, source));
  EXPECT_EQ(records.size(), 400u);
  EXPECT_TRUE(add(kStart + 1s, 99'999, 50, 50));
  EXPECT_EQ(records.size(), 400u);
  EXPECT_EQ(find(kStart + 2s, 99'999).size(), 1u);
}

TEST_F(ProviderRecordsTest, when_full_of_light_sources_a_newcomer_is_refused) {
  for (std::uint64_t key = 0; key < 400; ++key) add(kStart, key, key, key + 1);
  EXPECT_FALSE(add(kStart, 99'999, 5000, 5000));
  EXPECT_TRUE(find(kStart, 99'999).empty());
  EXPECT_TRUE(add(kStart, 7, 7)) << "telling again needs no room";
}

TEST_F(ProviderRecordsTest, survive_a_restart) {
  const std::vector<Multiaddr> addrs{Multiaddr::of_memory(1)};
  records.add(kStart, content(1), peer(10), 5, addrs, out);
  records.add(kStart + 24h, content(1), peer(11), 6, {}, out);
  ProviderRecords again{Rng(3), 400};
  Effects loading;
  for (const Persist& persist : test::only<Persist>(out)) {
    const Result<StoredRecord> stored = decode_stored(persist.key, *persist.value);
    ASSERT_TRUE(stored);
    const auto& provider = std::get<StoredProvider>(*stored);
    again.load(kStart + 30h, provider, book.intern(provider.provider), loading);
  }
  EXPECT_TRUE(loading.empty());
  EXPECT_EQ(again.find(kStart + 30h, content(1)), (std::vector<PeerRef>{peer(11), peer(10)}));
  EXPECT_EQ(again.find(kStart + 50h, content(1)), std::vector<PeerRef>{peer(11)});
}

TEST_F(ProviderRecordsTest, what_expired_while_we_were_off_is_erased_at_loading) {
  records.load(kStart + 49h, {content(1), test::peer_id(10), kStart, {}}, peer(10), out);
  EXPECT_EQ(records.size(), 0u);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_FALSE(std::get<Persist>(out[0]).value);
}

TEST_F(ProviderRecordsTest, a_stored_time_in_the_future_counts_as_now) {
  records.load(kStart, {content(1), test::peer_id(10), kStart + 1000h, {}}, peer(10), out);
  EXPECT_EQ(find(kStart + 1h, 1).size(), 1u);
  EXPECT_TRUE(find(kStart + 48h, 1).empty());
}

TEST_F(ProviderRecordsTest, what_was_told_since_the_start_wins_over_the_store) {
  add(kStart + 10h, 1, 10);
  records.load(kStart + 10h, {content(1), test::peer_id(10), kStart, {}}, peer(10), out);
  EXPECT_EQ(records.size(), 1u);
  EXPECT_EQ(find(kStart + 50h, 1).size(), 1u);
}

// Whatever is announced by whomever, the bounds hold, and memory is what the store would give back.
RC_GTEST_PROP(ProviderRecords, bounds_hold_and_the_store_mirrors_memory, ()) {
  PeerBook book{Rng(1)};
  ProviderRecords records{Rng(2), 40};
  std::map<Bytes, Bytes> store;
  Wall now = kStart;
  const auto apply = [&](Effects& effects) {
    for (const Persist& persist : test::only<Persist>(effects)) {
      if (persist.value)
        store[persist.key] = *persist.value;
      else
        store.erase(persist.key);
    }
    effects.clear();
  };
  const int steps = *rc::gen::inRange(1, 300);
  for (int i = 0; i < steps; ++i) {
    Effects out;
    now += std::chrono::minutes(*rc::gen::inRange(0, 120));
    if (*rc::gen::inRange(0, 20) == 0) {
      records.sweep(now, out);
    } else {
      const auto provider = *rc::gen::inRange<std::uint64_t>(0, 30);
      records.add(now, content(*rc::gen::inRange<std::uint64_t>(0, 12)),
                  book.intern(test::peer_id(provider)), 1 + provider % 9, {}, out);
    }
    apply(out);
    RC_ASSERT(records.size() <= 40u);
    RC_ASSERT(store.size() == records.size());
  }
  ProviderRecords again{Rng(2), 40};
  Effects out;
  for (const auto& [key, value] : store) {
    const auto stored = std::get<StoredProvider>(*decode_stored(key, value));
    again.load(now, stored, book.intern(stored.provider), out);
  }
  for (std::uint64_t key = 0; key < 12; ++key) {
    std::vector<PeerRef> before = records.find(now, content(key));
    std::vector<PeerRef> after = again.find(now, content(key));
    RC_ASSERT(before.size() <= kProvidersPerKey);
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    RC_ASSERT(before == after);
  }
}

}  // namespace
}  // namespace kith::dht
