#include "gossip/seen_cache.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <map>
#include <set>

namespace kith::gossip {
namespace {

TEST(SeenCache, id_is_known_for_one_to_two_lifetimes) {
  SeenCache cache;
  const Mono start(5s);
  EXPECT_TRUE(cache.add(start, 7));
  EXPECT_FALSE(cache.add(start + kSeenLifetime - 1ns, 7));
  cache.expire(start + kSeenLifetime);
  EXPECT_TRUE(cache.has(7));
  cache.expire(start + 2 * kSeenLifetime);
  EXPECT_FALSE(cache.has(7));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(SeenCache, long_silence_forgets_both_generations) {
  SeenCache cache;
  cache.add(Mono(1s), 1);
  cache.add(Mono(130s), 2);
  cache.expire(Mono(1000s));
  EXPECT_FALSE(cache.has(1) || cache.has(2));
}

TEST(SeenCache, full_generation_makes_room_by_forgetting_the_older) {
  SeenCache cache(4);
  for (std::uint64_t key = 1; key <= 8; ++key) EXPECT_TRUE(cache.add(Mono(1s), key));
  EXPECT_TRUE(cache.has(1));
  EXPECT_TRUE(cache.add(Mono(1s), 9));
  EXPECT_FALSE(cache.has(1)) << "the oldest four went";
  EXPECT_TRUE(cache.has(5));
  EXPECT_LE(cache.size(), 8u);
}

TEST(SeenCache, hash_of_zero_is_kept_like_any_other) {
  SeenCache cache;
  EXPECT_FALSE(cache.has(0));
  EXPECT_TRUE(cache.add(Mono(1s), 0));
  EXPECT_TRUE(cache.has(0));
}

RC_GTEST_PROP(HashSetProperty, is_a_set, (const std::vector<std::uint8_t>& keys)) {
  HashSet set;
  std::set<std::uint64_t> model;
  for (const std::uint8_t key : keys) {
    // All in a few home cells, so that probing is what is tested; 0 and 1 are one hash.
    const std::uint64_t hash = (std::uint64_t{key} << 32) + 2;
    RC_ASSERT(set.has(hash) == model.contains(hash));
    RC_ASSERT(set.add(hash) == model.insert(hash).second);
    RC_ASSERT(set.size() == model.size());
  }
  for (const std::uint64_t hash : model) RC_ASSERT(set.has(hash));
}

RC_GTEST_PROP(SeenCacheProperty, never_forgets_within_the_lifetime,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps)) {
  SeenCache cache;
  std::map<std::uint64_t, Mono> added;
  Mono now(1s);
  for (const auto& [wait, key] : steps) {
    now += std::chrono::seconds(wait % 50);
    const auto before = added.find(key);
    const bool recent = before != added.end() && now - before->second < kSeenLifetime;
    const bool stale = before == added.end() || now - before->second >= 2 * kSeenLifetime;
    const bool fresh = cache.add(now, std::uint64_t{key} + 2);  // 0 and 1 are one hash
    if (recent) RC_ASSERT(!fresh);
    if (stale) RC_ASSERT(fresh);
    if (fresh) added[key] = now;
  }
}

}  // namespace
}  // namespace kith::gossip
