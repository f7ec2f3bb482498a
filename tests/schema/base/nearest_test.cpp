#include "schema/base/nearest.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

namespace kith {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"listen", "bootstrap", "store.quota", "network"};

TEST(Nearest, a_typing_error_finds_what_was_meant) {
  EXPECT_EQ(nearest_name("listne", kKnown), "listen");
  EXPECT_EQ(nearest_name("lsten", kKnown), "listen");
  EXPECT_EQ(nearest_name("bootstraps", kKnown), "bootstrap");
  EXPECT_EQ(nearest_name("store.qouta", kKnown), "store.quota");
}

TEST(Nearest, another_word_finds_nothing_and_lists_what_is_known) {
  EXPECT_EQ(nearest_name("banana", kKnown), "");
  EXPECT_EQ(nearest_name(std::string(1000, 'l'), kKnown), "");
  EXPECT_NE(suggest_name("banana", kKnown).find("store.quota"), std::string::npos);
}

RC_GTEST_PROP(EditDistance, is_symmetric_zero_for_equals_and_at_most_the_longer,
              (const std::string& a, const std::string& b)) {
  const std::size_t distance = edit_distance(a, b);
  RC_ASSERT(distance == edit_distance(b, a));
  RC_ASSERT((distance == 0) == (a == b));
  RC_ASSERT(distance <= std::max(a.size(), b.size()));
  RC_ASSERT(distance + std::min(a.size(), b.size()) >= std::max(a.size(), b.size()));
}

}  // namespace
}  // namespace kith
