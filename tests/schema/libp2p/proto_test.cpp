#include "schema/libp2p/proto.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <limits>
#include <numeric>

namespace kith::libp2p {
namespace {

using Raw = std::vector<std::uint8_t>;

Result<void> walk(const Raw& message) {
  return read_message(message, [](const Field&) {});
}
Errc error_of(const Raw& message) {
  const Result<void> read = walk(message);
  return read.has_error() ? read.error().code : Errc::usage;
}

TEST(ProtoReader, hands_over_every_wire_type) {
  const Raw message{0x08, 0x96, 0x01, 0x11, 1,   0,    0, 0, 0, 0,   0,
                    0x80, 0x1a, 2,    'h',  'i', 0x25, 4, 3, 2, 0xff};
  std::vector<Field> seen;
  ASSERT_TRUE(read_message(message, [&](const Field& field) { seen.push_back(field); }));
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].key, varint_key(1));
  EXPECT_EQ(seen[0].number, 150u);
  EXPECT_EQ(seen[1].key, fixed64_key(2));
  EXPECT_EQ(seen[1].number, 0x8000000000000001u);
  EXPECT_EQ(seen[2].key, bytes_key(3));
  EXPECT_EQ(seen[2].text(), "hi");
  EXPECT_EQ(seen[3].key, fixed32_key(4));
  EXPECT_EQ(seen[3].uint32(), 0xff020304u);
}

TEST(ProtoReader, names_what_is_wrong) {
  EXPECT_TRUE(walk({}));
  EXPECT_EQ(error_of({0x08}), Errc::truncated);
  EXPECT_EQ(error_of({0x08, 0x80}), Errc::truncated);
  EXPECT_EQ(error_of({0x0a, 2, 1}), Errc::truncated);
  EXPECT_EQ(error_of({0x0d, 1, 2, 3}), Errc::truncated);
  EXPECT_EQ(error_of({0x09, 1, 2, 3, 4, 5, 6, 7}), Errc::truncated);
  EXPECT_EQ(error_of({0x00, 0}), Errc::malformed) << "field number 0";
  EXPECT_EQ(error_of({0x0b, 0x0c}), Errc::malformed) << "a group";
  EXPECT_EQ(error_of({0x0f, 0}), Errc::malformed) << "wire type 7";
}

TEST(ProtoReader, length_beyond_32_bits_does_not_wrap) {
  EXPECT_EQ(error_of({0x0a, 0x81, 0x80, 0x80, 0x80, 0x10, 1}), Errc::malformed);
  EXPECT_EQ(error_of({0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1}), Errc::truncated);
  EXPECT_EQ(error_of({0x0a, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 1}), Errc::malformed);
}

TEST(ProtoReader, varint_of_eleven_bytes_is_refused_and_of_ten_read) {
  Raw ten{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
  std::uint64_t value = 0;
  ASSERT_TRUE(read_message(ten, [&](const Field& field) { value = field.number; }));
  EXPECT_EQ(value, std::numeric_limits<std::uint64_t>::max());
  Raw eleven{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
  EXPECT_EQ(error_of(eleven), Errc::malformed);
}

TEST(ProtoReader, failure_of_the_callback_ends_the_walk) {
  int calls = 0;
  const Result<void> read = read_message(Raw{0x08, 1, 0x08, 2}, [&](const Field&) -> Result<void> {
    ++calls;
    return fail(Errc::refused, "no");
  });
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().code, Errc::refused);
  EXPECT_EQ(calls, 1);
}

TEST(ProtoReader, slices_share_the_buffer_of_the_message) {
  const Bytes message = encode([](auto& to) {
    to.message(1, [](auto& inner) { inner.text(2, "deep"); });
    to.text(3, "");
  });
  Bytes deep;
  Bytes empty;
  ASSERT_TRUE(read_message(message, [&](const Field& field) -> Result<void> {
    if (field.key == bytes_key(3)) empty = slice_of(message, field.bytes);
    if (field.key != bytes_key(1)) return {};
    return read_message(field.bytes,
                        [&](const Field& inner) { deep = slice_of(message, inner.bytes); });
  }));
  EXPECT_EQ(deep.text(), "deep");
  EXPECT_GE(deep.data(), message.data());
  EXPECT_LT(deep.data(), message.data() + message.size());
  EXPECT_TRUE(empty.empty());
}

TEST(ProtoReader, counts_before_anything_is_stored) {
  const Bytes message = encode([](auto& to) {
    for (int i = 0; i < 5; ++i) to.text(1, "x");
    to.varint(1, 7);
    to.varint(2, 7);
  });
  EXPECT_EQ(*count_field(message, bytes_key(1)), 5u);
  EXPECT_EQ(*count_field(message, varint_key(1)), 1u);
  EXPECT_TRUE(check_repeats(message, {{bytes_key(1), 5}, {varint_key(2), 1}}));
  const Result<void> over = check_repeats(message, {{varint_key(2), 1}, {bytes_key(1), 4}});
  ASSERT_TRUE(over.has_error());
  EXPECT_EQ(over.error().code, Errc::oversized);
}

TEST(ProtoWriter, writes_the_known_encoding) {
  const Bytes message = encode([](auto& to) {
    to.varint(1, 150);
    to.int32(2, -1);
    to.fixed64(3, 1);
    to.fixed32(4, 2);
    to.message(5, [](auto& inner) { inner.flag(1, true); });
    to.packed(6, std::array<std::uint64_t, 2>{1, 300});
    to.raw(std::array<std::uint8_t, 2>{0x38, 0x09});
  });
  const Raw expected{0x08, 0x96, 0x01, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                     0x01, 0x19, 1,    0,    0,    0,    0,    0,    0,    0,    0x25, 2,    0,
                     0,    0,    0x2a, 2,    0x08, 1,    0x32, 3,    1,    0xac, 0x02, 0x38, 0x09};
  EXPECT_EQ(message.to_vector(), expected);
}

TEST(ProtoWriterDeathTest, callback_that_differs_between_passes_is_our_bug) {
  int pass = 0;
  EXPECT_DEATH((void)encode([&](auto& to) {
                 if (++pass == 2) to.text(1, "more than was measured");
               }),
               "passes");
}

RC_GTEST_PROP(ProtoProperty, what_is_written_is_read_back,
              (const std::vector<std::pair<std::uint32_t, std::uint64_t>>& numbers,
               const std::vector<Raw>& bodies)) {
  const auto field_number = [](std::uint32_t any) { return any % ((1u << 29) - 1) + 1; };
  const Bytes message = encode([&](auto& to) {
    for (const auto& [number, value] : numbers) to.varint(field_number(number), value);
    for (const Raw& body : bodies) to.bytes(9, body);
  });
  std::vector<Field> seen;
  RC_ASSERT(!read_message(message, [&](const Field& f) { seen.push_back(f); }).has_error());
  RC_ASSERT(seen.size() == numbers.size() + bodies.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    RC_ASSERT(seen[i].key == varint_key(field_number(numbers[i].first)));
    RC_ASSERT(seen[i].number == numbers[i].second);
  }
  for (std::size_t i = 0; i < bodies.size(); ++i)
    RC_ASSERT(equal(seen[numbers.size() + i].bytes, bodies[i]));
}

RC_GTEST_PROP(ProtoProperty, random_bytes_never_leave_the_message, (const Raw& message)) {
  (void)read_message(message, [&](const Field& field) {
    if (field.bytes.empty()) return;
    RC_ASSERT(field.bytes.data() >= message.data());
    RC_ASSERT(field.bytes.data() + field.bytes.size() <= message.data() + message.size());
  });
}

}  // namespace
}  // namespace kith::libp2p
