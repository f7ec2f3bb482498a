#include "services/cstore/space_state.hpp"

#include <rapidcheck/gtest.h>

#include <set>

#include "tests/services/cstore/core_world.hpp"

namespace kith::cstore::test {
namespace {

struct Given {
  schema::KvOp op;
  Origin origin;
  std::uint32_t place = 0;
};

const std::vector<Writer>& writers() {
  static const std::vector<Writer> made = {
      {peer_id(0), 1, 1}, {peer_id(0), 2, 1}, {peer_id(1), 1, 1}};
  return made;
}

// Every change comes from a place of its own, as in a log.
std::vector<Given> draw_changes() {
  std::vector<Given> all;
  std::map<std::pair<std::size_t, std::string>, Sums> sums;
  const auto count = *rc::gen::inRange(0, 40);
  for (int i = 0; i < count; ++i) {
    const auto who = *rc::gen::inRange<std::size_t>(0, writers().size());
    const std::string key(1, static_cast<char>('a' + *rc::gen::inRange(0, 4)));
    Given one;
    one.origin = {*rc::gen::inRange<Stamp>(1, 4), &writers()[who],
                  static_cast<std::uint64_t>(i / 2 + 1)};
    one.place = static_cast<std::uint32_t>(i % 2);
    const int kind = *rc::gen::inRange(0, 3);
    if (kind == 2) {
      Sums& sum = sums[{who, key}];
      sum.up += *rc::gen::inRange<std::uint64_t>(0, 5);
      sum.down += *rc::gen::inRange<std::uint64_t>(0, 5);
      one.op = {schema::KvOpKind::counter, Bytes::copy(key), {}, sum.up, sum.down};
    } else if (kind == 1) {
      one.op = {schema::KvOpKind::del, Bytes::copy(key), {}, 0, 0};
    } else {
      one.op = put_op(key, std::to_string(i));
    }
    all.push_back(std::move(one));
  }
  return all;
}

SpaceState fold(const std::vector<Given>& changes) {
  SpaceState state;
  for (const Given& one : changes) state.apply(one.op, one.origin, one.place);
  return state;
}

RC_GTEST_PROP(SpaceState, order_and_repetition_change_nothing, ()) {
  std::vector<Given> changes = draw_changes();
  SpaceState straight = fold(changes);
  std::vector<Given> twice = changes;
  twice.insert(twice.end(), changes.begin(), changes.end());
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  rng.shuffle(twice);
  SpaceState mixed = fold(twice);
  RC_ASSERT(straight.root() == mixed.root());
  RC_ASSERT(straight.keys() == mixed.keys());
}

RC_GTEST_PROP(SpaceState, holds_what_a_naive_model_says, ()) {
  const std::vector<Given> changes = draw_changes();
  const SpaceState state = fold(changes);
  for (const char* key : {"a", "b", "c", "d"}) {
    // The latest of all puts and deletions, and each writer's greatest sums.
    const Given* last = nullptr;
    std::map<Writer, Sums> sums;
    for (const Given& one : changes) {
      if (one.op.key.text() != key) continue;
      if (one.op.kind == schema::KvOpKind::counter) {
        Sums& sum = sums[*one.origin.writer];
        sum = {std::max(sum.up, one.op.up), std::max(sum.down, one.op.down)};
        continue;
      }
      const auto rank = [](const Given& given) {
        return std::make_tuple(given.origin.stamp, *given.origin.writer, given.origin.sequence,
                               given.place);
      };
      if (last == nullptr || rank(*last) < rank(one)) last = &one;
    }
    const auto found = state.find(Bytes::copy(std::string_view(key)));
    if (last != nullptr && last->op.kind == schema::KvOpKind::put) {
      RC_ASSERT(found.has_value() && found->kind == Kind::value);
      RC_ASSERT(found->value == last->op.value);
    } else if (!sums.empty()) {
      std::int64_t total = 0;
      for (const auto& [writer, sum] : sums)
        total += static_cast<std::int64_t>(sum.up) - static_cast<std::int64_t>(sum.down);
      RC_ASSERT(found.has_value() && found->kind == Kind::counter);
      RC_ASSERT(found->count == total);
    } else {
      RC_ASSERT(!found.has_value());
    }
  }
}

TEST(SpaceState, sums_saturate_at_both_ends) {
  SpaceState state;
  const Bytes key = Bytes::copy(std::string_view("n"));
  state.apply({schema::KvOpKind::counter, key, {}, UINT64_MAX, 0}, {1, &writers()[0], 1}, 0);
  state.apply({schema::KvOpKind::counter, key, {}, UINT64_MAX, 0}, {1, &writers()[2], 1}, 0);
  EXPECT_EQ(state.find(key)->count, INT64_MAX);
  SpaceState low;
  low.apply({schema::KvOpKind::counter, key, {}, 0, UINT64_MAX}, {1, &writers()[0], 1}, 0);
  EXPECT_EQ(low.find(key)->count, -INT64_MAX);
}

TEST(SpaceState, one_root_means_one_state_also_of_what_is_hidden) {
  SpaceState a, b;
  const Origin early{1, &writers()[0], 1}, late{2, &writers()[0], 2};
  a.apply(put_op("k", "v"), early, 0);
  b.apply(put_op("k", "v"), late, 0);
  EXPECT_NE(a.root(), b.root()) << "the stamp decides what may replace it";
  a.apply(put_op("k", "v"), late, 0);
  EXPECT_EQ(a.root(), b.root());
  b.apply({schema::KvOpKind::del, Bytes::copy(std::string_view("x")), {}, 0, 0}, late, 1);
  EXPECT_NE(a.root(), b.root());
}

TEST(SpaceState, a_listing_goes_on_where_its_page_ended) {
  SpaceState state;
  for (int i = 0; i < 25; ++i)
    state.apply(put_op("k" + std::to_string(100 + i), "v"),
                {1, &writers()[0], static_cast<std::uint64_t>(i + 1)}, 0);
  state.apply(put_op("other", "v"), {1, &writers()[0], 99}, 0);
  List what{"s", Bytes::copy(std::string_view("k")), {}, 10};
  std::set<std::string> seen;
  for (int page = 0; page < 5; ++page) {
    const Listing listing = state.list(what);
    for (const Item& item : listing.items)
      EXPECT_TRUE(seen.insert(std::string(item.key.text())).second);
    if (!listing.more) break;
    what.after = listing.items.back().key;
  }
  EXPECT_EQ(seen.size(), 25u);
}

TEST(HybridClock, goes_on_when_the_wall_stands_or_steps_back) {
  HybridClock clock;
  const Wall wall(std::chrono::hours(1000));
  const Stamp first = *clock.next(wall);
  EXPECT_GT(*clock.next(wall), first);
  EXPECT_GT(*clock.next(wall - 30s), first);
  EXPECT_FALSE(clock.next(wall - 2min).has_value());
  EXPECT_GT(*clock.next(wall + 1s), first);
}

TEST(HybridClock, takes_a_minute_ahead_and_no_more) {
  const Wall wall(std::chrono::hours(1000));
  HybridClock ahead;
  EXPECT_FALSE(HybridClock::is_future(wall, *ahead.next(wall + kClockAheadMax)));
  EXPECT_TRUE(HybridClock::is_future(wall, *ahead.next(wall + kClockAheadMax + 1s)));
  EXPECT_TRUE(HybridClock::is_future(wall, UINT64_MAX));
  EXPECT_GT(HybridClock::wall_of(UINT64_MAX), wall);
}

}  // namespace
}  // namespace kith::cstore::test
