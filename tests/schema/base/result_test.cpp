#include "schema/base/result.hpp"

#include <gtest/gtest.h>

#include <set>

namespace kith {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::refused, "odd", "3 is odd", "give 4");
  return number / 2;
}

Result<int> quarter(int number) {
  KITH_TRY(const int once, half(number));
  KITH_TRY(const int twice, half(once));
  return twice;
}

Result<void> check(int number) {
  KITH_TRY_VOID(quarter(number));
  return {};
}

TEST(Result, the_first_failure_is_handed_up) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().what, "odd");
  EXPECT_TRUE(check(8));
  EXPECT_EQ(check(7).error().code, Errc::refused);
}

TEST(Result, a_success_has_no_error_code_of_a_failure) {
  EXPECT_EQ(half(2).error().code, Errc::none);
}

TEST(Result, an_error_tells_what_why_and_fix) {
  EXPECT_EQ(describe(half(3).error()), "error[KITH-REFUSED]: odd\n  why: 3 is odd\n  fix: give 4");
  EXPECT_EQ(describe(fail(Errc::io, "no")), "error[KITH-IO]: no");
}

TEST(Result, every_code_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Errc::none); ++i)
    names.insert(code_name(static_cast<Errc>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Errc::none) + 1);
  EXPECT_FALSE(names.contains("KITH-UNKNOWN"));
}

TEST(ResultDeathTest, taking_the_value_of_a_failure_is_our_bug) {
  EXPECT_DEATH((void)half(3).value(), "value\\(\\) of a failed Result: odd");
}

}  // namespace
}  // namespace kith
