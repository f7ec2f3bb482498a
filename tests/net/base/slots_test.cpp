#include "net/base/slots.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

namespace kith {
namespace {

struct Tag;
using Slot = Handle<Tag>;
using Table = Slots<Slot, int>;

TEST(Slots, a_table_that_was_large_once_gives_its_cells_back) {
  Table table;
  const Slot kept = table.insert(-1);
  std::vector<Slot> many;
  for (int i = 0; i < 1000; ++i) many.push_back(table.insert(i));
  EXPECT_GE(table.cells(), 1001u);
  for (const Slot slot : many) EXPECT_TRUE(table.erase(slot));
  EXPECT_LE(table.cells(), 32u);
  EXPECT_EQ(table.insert(0).index, 1u) << "low places first";
  EXPECT_EQ(table.at(kept), -1);
}

TEST(Slots, a_value_stays_where_it_is_while_others_come_and_go) {
  Table table;
  std::vector<Slot> many;
  for (int i = 0; i < 100; ++i) many.push_back(table.insert(i));
  const int* place = table.find(many[50]);
  for (int i = 0; i < 10'000; ++i) many.push_back(table.insert(i));
  for (const Slot slot : many)
    if (slot != many[50]) table.erase(slot);
  EXPECT_EQ(table.find(many[50]), place);
}

TEST(Slots, entries_may_be_erased_and_inserted_while_all_are_looked_at) {
  Table table;
  for (int i = 0; i < 200; ++i) table.insert(i);
  std::size_t seen = 0;
  table.for_each([&](Slot slot, int value) {
    ++seen;
    table.erase(slot);
    if (value % 50 == 0) table.insert(-1);  // in its own place, which is behind us
  });
  EXPECT_EQ(seen, 200u);
  EXPECT_EQ(table.size(), 4u);
}

TEST(Slots, a_handle_into_a_cell_that_was_given_back_never_finds_what_came_later) {
  Table table;
  std::set<Slot> gone;
  for (int round = 0; round < 5; ++round) {
    std::vector<Slot> many;
    for (int i = 0; i < 300; ++i) {
      const Slot slot = table.insert(i);
      EXPECT_FALSE(gone.contains(slot));
      many.push_back(slot);
    }
    for (const Slot slot : many) {
      table.erase(slot);
      gone.insert(slot);
    }
    for (const Slot slot : gone) EXPECT_EQ(table.find(slot), nullptr);
  }
}

// Beside a model that never takes a place again.
RC_GTEST_PROP(Slots, finds_what_is_there_and_nothing_else, ()) {
  Table table;
  std::map<Slot, int> there;
  std::set<Slot> gone;
  const auto steps = *rc::gen::inRange(1, 300);
  for (int i = 0; i < steps; ++i) {
    if (there.empty() || *rc::gen::inRange(0, 5) < 3) {
      const Slot slot = table.insert(i);
      RC_ASSERT(!gone.contains(slot));
      RC_ASSERT(there.emplace(slot, i).second);
    } else {
      const auto which = *rc::gen::inRange<std::size_t>(0, there.size());
      const Slot slot = std::next(there.begin(), static_cast<long>(which))->first;
      RC_ASSERT(table.erase(slot));
      RC_ASSERT(!table.erase(slot));
      there.erase(slot);
      gone.insert(slot);
    }
  }
  RC_ASSERT(table.size() == there.size());
  std::map<Slot, int> seen;
  table.for_each([&](Slot slot, int value) { seen.emplace(slot, value); });
  RC_ASSERT(seen == there);
  for (const Slot slot : gone) RC_ASSERT(table.find(slot) == nullptr);
  std::uint32_t lowest = 0;
  for (const auto& [slot, value] : there) lowest += slot.index == lowest;
  RC_ASSERT(table.insert(0).index == lowest);
}

// Values live and die where they should: none is left, none dies twice (its count would be wrong).
TEST(Slots, every_value_ends_once) {
  const auto alive = std::make_shared<int>(0);
  using Owners = Slots<Slot, std::shared_ptr<int>>;
  const auto in_use = [&] { return alive.use_count() - 1; };
  {
    Owners table;
    std::vector<Slot> slots;
    for (int i = 0; i < 100; ++i) slots.push_back(table.insert(alive));
    EXPECT_EQ(in_use(), 100);
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(table.erase(slots[static_cast<std::size_t>(i)]));
    EXPECT_EQ(in_use(), 60);
    {
      const std::shared_ptr<int> taken = table.take(slots[50]);
      EXPECT_EQ(taken, alive);
      EXPECT_EQ(in_use(), 60) << "it is ours now";
    }
    EXPECT_EQ(in_use(), 59);
    for (int i = 0; i < 20; ++i) table.insert(alive);
    EXPECT_EQ(in_use(), 79);
    Owners moved = std::move(table);
    EXPECT_EQ(in_use(), 79);
    EXPECT_EQ(moved.size(), 79u);
    EXPECT_TRUE(table.empty());
    EXPECT_EQ(table.find(slots[60]), nullptr);
    table.insert(alive);
    table = std::move(moved);
    EXPECT_EQ(table.size(), 79u);
    moved = Owners();
    EXPECT_EQ(in_use(), 79);
  }
  EXPECT_EQ(in_use(), 0);
}

struct Fragile {
  explicit Fragile(int moves) : moves_left(moves) {}
  Fragile(Fragile&& other) : moves_left(other.moves_left - 1) {
    if (moves_left < 0) throw std::runtime_error("cannot be moved any more");
  }
  int moves_left = 0;
};

TEST(Slots, a_value_that_cannot_come_in_leaves_no_trace) {
  Slots<Slot, Fragile> table;
  EXPECT_THROW(table.insert(Fragile(0)), std::runtime_error);
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.insert(Fragile(9)).index, 0u);
}

}  // namespace
}  // namespace kith
