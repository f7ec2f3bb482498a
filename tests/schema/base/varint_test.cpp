#include "schema/base/varint.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace kith {
namespace {

using Raw = std::vector<std::uint8_t>;
using State = VarintRead::State;

TEST(Varint, reads_the_published_examples) {
  const std::pair<std::uint64_t, Raw> examples[] = {
      {1, {0x01}},         {127, {0x7f}},       {128, {0x80, 0x01}},
      {255, {0xff, 0x01}}, {300, {0xac, 0x02}}, {16384, {0x80, 0x80, 0x01}}};
  for (const auto& [value, bytes] : examples) {
    const VarintRead read = read_varint(bytes);
    EXPECT_EQ(read.state, State::complete);
    EXPECT_EQ(read.value, value);
    EXPECT_EQ(read.length, bytes.size());
  }
}

TEST(Varint, longer_encodings_than_needed_are_malformed) {
  EXPECT_EQ(read_varint(Raw{0x80, 0x00}).state, State::malformed);
  EXPECT_EQ(read_varint(Raw{0xff, 0x80, 0x00}).state, State::malformed);
  EXPECT_EQ(read_varint(Raw{0x00}).state, State::complete);
}

TEST(Varint, nine_bytes_are_the_most) {
  Raw most(9, 0xff);
  most.back() = 0x7f;
  EXPECT_EQ(read_varint(most).value, (1ull << 63) - 1);
  EXPECT_EQ(read_varint(Raw(9, 0xff)).state, State::malformed);
  EXPECT_EQ(read_varint(Raw(8, 0xff)).state, State::more);
  EXPECT_EQ(read_varint(Raw(100, 0x80)).state, State::malformed);
  EXPECT_EQ(read_varint({}).state, State::more);
}

RC_GTEST_PROP(VarintProperty, what_is_written_is_read_back_and_every_prefix_wants_more,
              (std::uint64_t any, std::uint8_t shift)) {
  const std::uint64_t value = any >> (1 + shift % 63);
  Raw bytes;
  append_varint(bytes, value);
  RC_ASSERT(bytes.size() == varint_size(value));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    RC_ASSERT(read_varint(ByteView(bytes).first(i)).state == State::more);
  bytes.push_back(0xff);
  const VarintRead read = read_varint(bytes);
  RC_ASSERT(read.state == State::complete);
  RC_ASSERT(read.value == value);
  RC_ASSERT(read.length == bytes.size() - 1);
}

}  // namespace
}  // namespace kith
