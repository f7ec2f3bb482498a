#include "dht/value_records.hpp"

#include <gtest/gtest.h>

#include "tests/dht/support.hpp"

namespace kith::dht {
namespace {

using test::kStart;

class ValueRecordsTest : public ::testing::Test {
 protected:
  ValueRecordsTest() { validators.add("n", greater); }
  Result<void> put(Wall now, std::string_view key, std::string_view value, Source source = 1) {
    return records.put(now, as_bytes(key), as_bytes(value), source, out);
  }
  std::string held(Wall now, std::string_view key) {
    const ValueRecords::Held* found = records.find(now, as_bytes(key));
    return found == nullptr ? "" : std::string(found->value.text());
  }
  static std::string numbered(std::size_t i) { return "/n/" + std::to_string(i); }

  test::GreaterWins greater;
  Validators validators;
  ValueRecords records{validators, Rng(1), 80};
  Effects out;
};

TEST_F(ValueRecordsTest, only_what_its_validator_accepts_is_stored) {
  EXPECT_TRUE(put(kStart, "/n/a", "v1"));
  EXPECT_EQ(put(kStart, "/n/b", "rubbish").error().code, Errc::malformed);
  EXPECT_EQ(put(kStart, "/other/b", "v1").error().code, Errc::refused);
  EXPECT_EQ(put(kStart, "", "v1").error().code, Errc::refused);
  EXPECT_EQ(held(kStart, "/n/a"), "v1");
  EXPECT_EQ(records.size(), 1u);
}

TEST_F(ValueRecordsTest, a_worse_value_does_not_replace_a_better_one) {
  ASSERT_TRUE(put(kStart, "/n/a", "v2"));
  EXPECT_EQ(put(kStart, "/n/a", "v1").error().code, Errc::refused);
  EXPECT_TRUE(put(kStart, "/n/a", "v3"));
  EXPECT_EQ(held(kStart, "/n/a"), "v3");
}

TEST_F(ValueRecordsTest, live_36_hours_from_the_last_put) {
  ASSERT_TRUE(put(kStart, "/n/a", "v2"));
  EXPECT_EQ(held(kStart + 36h - 1s, "/n/a"), "v2");
  EXPECT_EQ(held(kStart + 36h, "/n/a"), "");
  EXPECT_TRUE(put(kStart + 36h, "/n/a", "v1")) << "an expired record does not count as better";
  ASSERT_TRUE(put(kStart + 60h, "/n/a", "v1"));
  EXPECT_EQ(held(kStart + 90h, "/n/a"), "v1");
}

TEST_F(ValueRecordsTest, values_above_4_KiB_are_refused) {
  EXPECT_TRUE(put(kStart, "/n/a", "v" + std::string(kStoredValueMax - 1, 'x')));
  EXPECT_EQ(put(kStart, "/n/b", "v" + std::string(kStoredValueMax, 'x')).error().code,
            Errc::oversized);
}

TEST_F(ValueRecordsTest, one_source_gets_an_eighth_of_the_room) {
  for (std::size_t i = 0; i < 80; ++i) std::ignore = put(kStart, numbered(i), "v", 7);
  EXPECT_EQ(records.size(), 80u / kSourceShare);
  EXPECT_EQ(put(kStart, "/n/more", "v", 7).error().code, Errc::exhausted);
  EXPECT_TRUE(put(kStart, "/n/more", "v", 8));
}

TEST_F(ValueRecordsTest, when_full_a_light_source_displaces_a_heavy_one_and_not_the_other_way) {
  for (std::size_t i = 0; i < 80; ++i) ASSERT_TRUE(put(kStart, numbered(i), "v", 1 + i / 10));
  EXPECT_TRUE(put(kStart, "/n/light", "v", 99));
  EXPECT_EQ(records.size(), 80u);
  EXPECT_EQ(held(kStart, "/n/light"), "v");

  ValueRecords even{validators, Rng(1), 80};
  for (std::size_t i = 0; i < 80; ++i)
    ASSERT_TRUE(even.put(kStart, as_bytes(numbered(i)), as_bytes("v"), 1 + i, out));
  EXPECT_EQ(even.put(kStart, as_bytes("/n/x"), as_bytes("v"), 500, out).error().code,
            Errc::exhausted);
}

TEST_F(ValueRecordsTest, sweeping_drops_what_expired_from_memory_and_store) {
  for (std::size_t i = 0; i < 40; ++i)
    ASSERT_TRUE(put(kStart + (i % 2) * 20h, numbered(i), "v", i + 1));
  out.clear();
  records.sweep(kStart + 40h, out);
  EXPECT_EQ(records.size(), 20u);
  EXPECT_EQ(test::only<Persist>(out).size(), 20u);
}

TEST_F(ValueRecordsTest, survive_a_restart_and_are_judged_again) {
  ASSERT_TRUE(put(kStart, "/n/a", "v1", 5));
  ASSERT_TRUE(put(kStart, "/n/b", "v1", 5));
  const std::vector<Persist> persisted = test::only<Persist>(out);
  ValueRecords again{validators, Rng(1), 80};
  Effects loading;
  for (const Persist& persist : persisted)
    again.load(kStart + 1h, std::get<StoredValue>(*decode_stored(persist.key, *persist.value)),
               loading);
  EXPECT_EQ(again.size(), 2u);
  EXPECT_TRUE(loading.empty());

  const Validators strangers;  // knows no namespace "n"
  ValueRecords stricter{strangers, Rng(1), 80};
  stricter.load(kStart + 1h,
                std::get<StoredValue>(*decode_stored(persisted[0].key, *persisted[0].value)),
                loading);
  EXPECT_EQ(stricter.size(), 0u);
  ASSERT_EQ(loading.size(), 1u);
  EXPECT_FALSE(std::get<Persist>(loading[0]).value);
}

}  // namespace
}  // namespace kith::dht
