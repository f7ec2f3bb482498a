#include "schema/kith/poa_messages.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "schema/kith/bit_runs.hpp"

namespace kith::schema {
namespace {

Beat some_beat() { return {20'000, 1'700'000'000'123, 1'728'000'000'000, {8, 1, 16'384, 900'000}}; }

TEST(PoaMessages, a_beat_comes_back_and_is_far_below_its_maximum) {
  const Bytes bytes = encode_beat(some_beat());
  EXPECT_EQ(bytes.size(), 48u);
  EXPECT_EQ(*decode_beat(bytes), some_beat());
}

TEST(PoaMessages, a_beat_cut_anywhere_is_truncated_and_a_long_one_oversized) {
  const Bytes bytes = encode_beat(some_beat());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(decode_beat(bytes.slice(0, size)).error().code, Errc::truncated) << size;
  std::vector<std::uint8_t> longer = bytes.to_vector();
  longer.resize(kBeatBytesMax);
  EXPECT_TRUE(decode_beat(longer).has_value()) << "room for fields to come";
  longer.resize(kBeatBytesMax + 8);
  EXPECT_EQ(decode_beat(longer).error().code, Errc::oversized);
}

TEST(PoaMessages, a_full_page_fits_and_one_more_entry_is_refused) {
  Statement page;
  page.owner = PeerId::of_public_key(as_bytes("owner"));
  page.up_slots.resize(30, 8640);
  std::vector<PeerId> ids;
  for (std::size_t i = 0; i <= kStatementEntriesMax; ++i)  // keys as long as a peer id inlines
    ids.push_back(PeerId::of_public_key(as_bytes(std::to_string(i) + std::string(36, 'k'))));
  std::sort(ids.begin(), ids.end());
  for (std::size_t i = 0; i < kStatementEntriesMax; ++i)
    page.entries.push_back({ids[i], std::vector<std::uint8_t>(30, 255)});
  const Bytes bytes = encode_statement(page);
  const Bytes message = encode_signed_statement({bytes, Bytes::copy(std::string(64, 's'))});
  EXPECT_LE(message.size(), kTableAnswerBytesMax);
  const auto back = decode_signed_statement(message);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->statement, bytes);
  EXPECT_EQ(*decode_statement(back->statement), page);
  page.entries.push_back({ids.back(), std::vector<std::uint8_t>(30, 255)});
  EXPECT_EQ(decode_statement(encode_statement(page)).error().code, Errc::oversized);
}

TEST(PoaMessages, entries_out_of_order_or_of_other_epochs_are_refused) {
  Statement page;
  page.owner = PeerId::of_public_key(as_bytes("owner"));
  page.up_slots = {1, 2};
  const PeerId a = PeerId::of_public_key(as_bytes("a"));
  page.entries = {{a, {1, 2}}, {a, {1, 2}}};
  EXPECT_EQ(decode_statement(encode_statement(page)).error().code, Errc::malformed);
  page.entries = {{a, {1}}};
  EXPECT_EQ(decode_statement(encode_statement(page)).error().code, Errc::malformed);
}

TEST(PoaMessages, an_epoch_record_of_absurd_length_is_refused_before_memory_is_taken) {
  PoaEpochRecord record;
  record.slots_total = UINT32_MAX;
  EXPECT_FALSE(decode_poa_epoch(encode_poa_epoch(record)).has_value());
  record.slots_total = 0;
  EXPECT_FALSE(decode_poa_epoch(encode_poa_epoch(record)).has_value());
}

TEST(BitRuns, a_whole_day_packs_into_five_bytes_and_the_worst_pattern_into_one_more_than_it) {
  std::vector<std::uint8_t> all(bitmap_bytes(8640), 0xFF);
  EXPECT_LE(pack_bits(all, 8640).size(), 5u);
  std::vector<std::uint8_t> worst(bitmap_bytes(8640), 0x55);
  EXPECT_EQ(pack_bits(worst, 8640).size(), worst.size() + 1);
}

TEST(BitRuns, hostile_runs_are_refused) {
  const auto refused = [](std::vector<std::uint8_t> bytes) {
    return !unpack_bits(bytes, 20).has_value();
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({2}));
  EXPECT_FALSE(refused({0, 1, 2, 3}));
  EXPECT_TRUE(refused({0, 1, 2}));
  EXPECT_TRUE(refused({0, 1, 2, 0x10})) << "a bit beyond the end";
  EXPECT_TRUE(refused({1, 21}));
  EXPECT_TRUE(refused({1, 10, 11}));
  EXPECT_TRUE(refused({1, 0x80}));
  EXPECT_TRUE(refused({1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}));
}

RC_GTEST_PROP(BitRuns, what_was_packed_comes_back, ()) {
  const auto runs = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 300));
  std::vector<bool> bits;
  for (std::size_t i = 0; i < runs.size(); ++i)
    bits.insert(bits.end(), static_cast<std::size_t>(runs[i]), i % 2 == 1);
  const auto count = static_cast<std::uint32_t>(bits.size());
  std::vector<std::uint8_t> bitmap(bitmap_bytes(count), 0);
  for (std::uint32_t i = 0; i < count; ++i)
    if (bits[i]) set_bit(bitmap, i);
  const auto packed = pack_bits(bitmap, count);
  RC_ASSERT(packed.size() <= bitmap.size() + 1);
  RC_ASSERT(*unpack_bits(packed, count) == bitmap);
}

}  // namespace
}  // namespace kith::schema
