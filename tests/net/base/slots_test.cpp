#include "net/base/slots.hpp"

#include <gtest/gtest.h>

#include <set>
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
  table.insert(0);
  EXPECT_LT(table.cells(), 8u);
  EXPECT_EQ(table.at(kept), -1);
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

TEST(Slots, what_lives_at_the_end_stays_where_it_is_and_low_places_are_taken_again) {
  Table table;
  std::vector<Slot> many;
  for (int i = 0; i < 200; ++i) many.push_back(table.insert(i));
  const Slot last = table.insert(7);
  for (const Slot slot : many) table.erase(slot);
  for (int i = 0; i < 20; ++i) table.insert(i);
  EXPECT_EQ(table.at(last), 7);
  table.erase(last);
  for (int i = 0; i < 300; ++i) table.erase(table.insert(i));
  EXPECT_LT(table.cells(), 50u);
  EXPECT_EQ(table.size(), 20u);
}

}  // namespace
}  // namespace kith
