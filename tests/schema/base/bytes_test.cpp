#include "schema/base/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <thread>

namespace kith {
namespace {

TEST(Bytes, slices_share_the_buffer_and_keep_it_alive) {
  Bytes part;
  const std::uint8_t* where = nullptr;
  {
    const Bytes whole = Bytes::copy("hello world");
    where = whole.data() + 6;
    part = whole.slice(6);
  }
  EXPECT_EQ(part.text(), "world");
  EXPECT_EQ(part.data(), where);
}

TEST(Bytes, slices_saturate_at_the_end) {
  const Bytes bytes = Bytes::copy("abc");
  EXPECT_EQ(bytes.slice(1, 100).text(), "bc");
  EXPECT_TRUE(bytes.slice(3).empty());
  EXPECT_TRUE(bytes.slice(100, 100).empty());
  EXPECT_TRUE(Bytes().slice(1, 1).empty());
  EXPECT_EQ(bytes.slice(1).slice(1, SIZE_MAX).text(), "c");
}

TEST(Bytes, a_slice_of_an_rvalue_takes_the_buffer_over) {
  Bytes whole = Bytes::copy("abcdef");
  const std::uint8_t* const start = whole.data();
  const Bytes part = std::move(whole).slice(2, 2);
  EXPECT_EQ(part.text(), "cd");
  EXPECT_EQ(part.data(), start + 2);
}

TEST(Bytes, adopting_a_container_does_not_copy_it) {
  std::vector<std::uint8_t> vector(4096, 7);
  const std::uint8_t* const at = vector.data();
  EXPECT_EQ(Bytes::adopt(std::move(vector)).data(), at);
  std::string text(4096, 'x');
  const char* const start = text.data();
  EXPECT_EQ(Bytes::adopt(std::move(text)).text().data(), start);
}

TEST(Bytes, make_up_to_keeps_what_was_written) {
  const Bytes bytes = Bytes::make_up_to(100, [](std::span<std::uint8_t> to) {
    to[0] = 'o';
    to[1] = 'k';
    return std::size_t{2};
  });
  EXPECT_EQ(bytes.text(), "ok");
}

TEST(Bytes, a_moved_from_bytes_is_empty) {
  Bytes from = Bytes::copy("abc");
  const Bytes to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): this is the claim
  EXPECT_EQ(to.text(), "abc");
}

TEST(Bytes, one_buffer_may_be_dropped_on_many_threads) {
  const Bytes bytes = Bytes::copy("shared");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([bytes] {
      for (int round = 0; round < 10000; ++round) {
        const Bytes part = Bytes(bytes).slice(static_cast<std::size_t>(round % 6));
        ASSERT_FALSE(part.empty());
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bytes.text(), "shared");
}

RC_GTEST_PROP(BytesProperty, order_is_that_of_the_vectors,
              (const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b)) {
  RC_ASSERT((Bytes::copy(ByteView(a)) <=> Bytes::copy(ByteView(b))) == (a <=> b));
  RC_ASSERT((Bytes::copy(ByteView(a)) == Bytes::copy(ByteView(b))) == (a == b));
}

}  // namespace
}  // namespace kith
