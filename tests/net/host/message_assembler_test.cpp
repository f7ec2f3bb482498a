#include "net/host/message_assembler.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "support.hpp"

namespace kith::host {
namespace {

using Step = MessageAssembler::Step;

TEST(MessageAssembler, whole_message_in_a_chunk_is_a_slice_of_it) {
  ByteBudget budget(1'000);
  MessageAssembler assembler(100, budget);
  const Bytes chunk = frame_message(filled(100));
  Bytes message;
  assembler.feed(chunk);
  ASSERT_EQ(assembler.next(message), Step::message);
  EXPECT_EQ(message, filled(100));
  EXPECT_EQ(message.data(), chunk.data() + 1);
  EXPECT_EQ(assembler.next(message), Step::more);
  EXPECT_TRUE(assembler.at_boundary());
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MessageAssembler, claimed_length_is_not_allocated) {
  ByteBudget budget(1u << 30);
  MessageAssembler assembler(1u << 29, budget);
  Bytes message;
  assembler.feed(Bytes::copy("\xff\xff\xff\xff\x01x"));
  EXPECT_EQ(assembler.next(message), Step::more);
  EXPECT_EQ(budget.used(), MessageAssembler::kClaimTrusted);
  std::size_t came = 1;
  for (int i = 0; i < 100; ++i) {
    assembler.feed(filled(10'000));
    came += 10'000;
    ASSERT_EQ(assembler.next(message), Step::more);
    EXPECT_LE(budget.used(), std::max(2 * came, MessageAssembler::kClaimTrusted));
  }
}

TEST(MessageAssembler, gathered_message_ends_with_exactly_its_size) {
  ByteBudget budget(1u << 20);
  MessageAssembler assembler(1u << 20, budget);
  const Bytes whole = frame_message(filled(200'000));
  Bytes message;
  for (std::size_t at = 0; at < whole.size(); at += 7'000) {
    assembler.feed(whole.slice(at, 7'000));
    const Step step = assembler.next(message);
    if (at + 7'000 < whole.size()) {
      ASSERT_EQ(step, Step::more);
      EXPECT_LE(budget.used(), 200'000u);
    }
  }
  EXPECT_EQ(message, filled(200'000));
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MessageAssembler, length_above_the_maximum_fails_before_any_byte_of_it) {
  ByteBudget budget(1'000);
  MessageAssembler assembler(300, budget);
  Bytes message;
  assembler.feed(Bytes::copy("\xad\x02"));  // 301
  EXPECT_EQ(assembler.next(message), Step::failed);
  EXPECT_EQ(assembler.error().code, Errc::oversized);
  EXPECT_EQ(assembler.next(message), Step::failed);
}

TEST(MessageAssembler, lengths_that_are_not_minimal_or_endless_fail_in_any_cut) {
  for (const std::string_view bad : {std::string_view("\x81\x00", 2),
                                     std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff")}) {
    ByteBudget budget(1'000);
    MessageAssembler whole(300, budget);
    Bytes message;
    whole.feed(Bytes::copy(bad));
    EXPECT_EQ(whole.next(message), Step::failed);
    MessageAssembler cut(300, budget);
    Step step = Step::more;
    for (std::size_t i = 0; i < bad.size() && step == Step::more; ++i) {
      cut.feed(Bytes::copy(bad.substr(i, 1)));
      step = cut.next(message);
    }
    EXPECT_EQ(step, Step::failed);
    EXPECT_EQ(cut.error().code, Errc::malformed);
  }
}

TEST(MessageAssembler, exhausted_budget_fails_and_gives_back_what_it_held) {
  ByteBudget budget(100'000);
  MessageAssembler first(1u << 20, budget);
  Bytes message;
  first.feed(Bytes::copy("\x80\x80\x08....."));
  ASSERT_EQ(first.next(message), Step::more);
  MessageAssembler second(1u << 20, budget);
  second.feed(Bytes::copy("\x80\x80\x08....."));
  EXPECT_EQ(second.next(message), Step::failed);
  EXPECT_EQ(second.error().code, Errc::exhausted);
  EXPECT_EQ(budget.used(), MessageAssembler::kClaimTrusted);
  MessageAssembler moved(std::move(first));
  EXPECT_EQ(budget.used(), MessageAssembler::kClaimTrusted);
}

TEST(MessageAssembler, destruction_gives_back_what_was_held) {
  ByteBudget budget(100'000);
  {
    MessageAssembler assembler(1'000, budget);
    Bytes message;
    assembler.feed(Bytes::copy("\x64..."));
    ASSERT_EQ(assembler.next(message), Step::more);
    EXPECT_EQ(budget.used(), 100u);
    EXPECT_FALSE(assembler.at_boundary());
  }
  EXPECT_EQ(budget.used(), 0u);
}

RC_GTEST_PROP(MessageAssembler, any_cut_yields_the_same_messages, ()) {
  const auto sizes = *rc::gen::container<std::vector<std::size_t>>(
      rc::gen::weightedOneOf<std::size_t>({{3, rc::gen::inRange<std::size_t>(0, 300)},
                                           {1, rc::gen::inRange<std::size_t>(0, 100'000)}}));
  std::vector<Bytes> sent;
  std::vector<std::uint8_t> wire;
  for (const std::size_t size : sizes) {
    sent.push_back(filled(size, static_cast<std::uint8_t>(size)));
    const Bytes framed = frame_message(sent.back());
    wire.insert(wire.end(), framed.begin(), framed.end());
  }
  ByteBudget budget(1u << 20);
  std::vector<Bytes> got;
  {
    MessageAssembler assembler(100'000, budget);
    for (std::size_t at = 0; at < wire.size();) {
      const auto take = std::min(*rc::gen::inRange<std::size_t>(1, 5'000), wire.size() - at);
      assembler.feed(Bytes::copy(ByteView(wire).subspan(at, take)));
      at += take;
      Bytes message;
      while (assembler.next(message) == Step::message) got.push_back(message);
    }
    RC_ASSERT(assembler.at_boundary());
  }
  RC_ASSERT(got == sent);
  RC_ASSERT(budget.used() == 0u);
}

}  // namespace
}  // namespace kith::host
