#include "net/wire/multistream.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/base/rng.hpp"
#include "schema/base/varint.hpp"

namespace kith::wire {
namespace {

using Ids = std::vector<std::string>;

Bytes line(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  append_varint(bytes, text.size() + 1);
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.push_back('\n');
  return Bytes::adopt(std::move(bytes));
}

Bytes join(std::initializer_list<Bytes> parts) {
  std::vector<std::uint8_t> bytes;
  for (const Bytes& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return Bytes::adopt(std::move(bytes));
}

const Bytes kHeader = line(kMultistreamHeader);
const Bytes kNa = line("na");

TEST(Multistream, bytes_on_the_wire_are_those_of_the_specification) {
  // 0x13 is the length of "/multistream/1.0.0" and its newline; 0x03 that of "na".
  EXPECT_EQ(kHeader.text(), "\x13/multistream/1.0.0\n");
  EXPECT_EQ(kNa.text(), "\x03na\n");
  const Ids one{"/noise"};
  EXPECT_EQ(MultistreamDialer(one).start().text(), "\x13/multistream/1.0.0\n\x07/noise\n");
}

TEST(Multistream, machines_are_small) {
  EXPECT_LE(sizeof(MultistreamDialer), 100u);
  EXPECT_LE(sizeof(MultistreamListener), 100u);
}

TEST(Multistream, first_common_proposal_is_chosen) {
  const Ids proposals{"/c", "/b", "/a"};
  const Ids served{"/a", "/b"};
  MultistreamDialer dialer(proposals);
  MultistreamListener listener;
  Bytes to_listener = dialer.start();
  for (int turn = 0; turn < 2; ++turn) {
    const auto there = listener.on_bytes(to_listener, served);
    ASSERT_TRUE(there);
    const auto back = dialer.on_bytes(there->write);
    ASSERT_TRUE(back);
    EXPECT_EQ(there->agreed, turn == 1);
    EXPECT_EQ(back->agreed, turn == 1);
    to_listener = back->write;
    if (turn == 0) continue;
    EXPECT_EQ(served[there->chosen], "/b");
    EXPECT_EQ(proposals[back->chosen], "/b");
  }
  EXPECT_TRUE(dialer.agreed() && listener.agreed());
}

TEST(Multistream, refusal_of_every_proposal_is_unsupported) {
  const Ids proposals{"/a", "/b"};
  MultistreamDialer dialer(proposals);
  const auto first = dialer.on_bytes(join({kHeader, kNa}));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->write, line("/b"));
  const auto second = dialer.on_bytes(kNa);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unsupported);
  EXPECT_FALSE(dialer.on_bytes(kNa));
}

TEST(Multistream, lazy_dialler_sends_its_data_behind_the_proposal) {
  const Ids one{"/echo"};
  MultistreamDialer dialer(one);
  MultistreamListener listener;
  const auto there = listener.on_bytes(dialer.start(as_bytes("early data")), one);
  ASSERT_TRUE(there && there->agreed);
  EXPECT_EQ(there->rest.text(), "early data");
  // The answer and the protocol's first bytes come together; only the latter are handed on.
  const auto back = dialer.on_bytes(join({there->write, Bytes::copy("reply")}));
  ASSERT_TRUE(back && back->agreed);
  EXPECT_EQ(back->rest.text(), "reply");
}

TEST(Multistream, rest_shares_the_memory_of_the_chunk) {
  const Ids one{"/echo"};
  MultistreamListener listener;
  const Bytes chunk = MultistreamDialer(one).start(as_bytes("early data"));
  const auto step = listener.on_bytes(chunk, one);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->rest.data() + step->rest.size(), chunk.data() + chunk.size());
}

TEST(Multistream, listener_answers_the_header_before_a_proposal_comes) {
  MultistreamListener listener;
  const auto step = listener.on_bytes(kHeader, Ids{"/a"});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->write, kHeader);
  EXPECT_FALSE(step->agreed);
}

TEST(Multistream, ls_and_simultaneous_open_are_answered_na) {
  MultistreamListener listener;
  const Ids served{"/a"};
  const auto step = listener.on_bytes(
      join({kHeader, line("ls"), line("/libp2p/simultaneous-connect"), line("/a")}), served);
  ASSERT_TRUE(step && step->agreed);
  EXPECT_EQ(step->write, join({kHeader, kNa, kNa, line("/a")}));
}

TEST(Multistream, what_is_served_may_change_between_chunks) {
  MultistreamListener listener;
  ASSERT_TRUE(listener.on_bytes(join({kHeader, line("/a")}), Ids{}));
  const auto step = listener.on_bytes(line("/a"), Ids{"/z", "/a"});
  ASSERT_TRUE(step && step->agreed);
  EXPECT_EQ(step->chosen, 1u);
}

TEST(Multistream, anything_but_the_header_first_is_refused) {
  const Ids one{"/a"};
  for (const char* text : {"/a", "na", "", "/multistream/1.0.1", "/multistream/1.0.0x"}) {
    MultistreamListener listener;
    EXPECT_FALSE(listener.on_bytes(line(text), one)) << text;
    MultistreamDialer dialer(one);
    EXPECT_FALSE(dialer.on_bytes(line(text))) << text;
  }
}

TEST(Multistream, answer_that_fits_no_proposal_is_refused) {
  const Ids two{"/a", "/b"};
  for (const char* text : {"/b", "/c", "", "NA", "na ", "/a/"}) {
    MultistreamDialer dialer(two);
    const auto step = dialer.on_bytes(join({kHeader, line(text)}));
    ASSERT_FALSE(step) << text;
    EXPECT_EQ(step.error().code, Errc::malformed);
  }
}

TEST(Multistream, refusals_that_come_before_their_proposals_are_survived) {
  const Ids three{"/a", "/b", "/c"};
  MultistreamDialer dialer(three);
  const auto step = dialer.on_bytes(join({kHeader, kNa, kNa, line("/c")}));
  ASSERT_TRUE(step && step->agreed);
  EXPECT_EQ(step->chosen, 2u);
  EXPECT_EQ(step->write, join({line("/b"), line("/c")}));
}

// A listener after the header, and what it says to these bytes.
Result<MultistreamStep> listener_takes(Bytes bytes) {
  MultistreamListener listener;
  return listener.on_bytes(join({kHeader, std::move(bytes)}), Ids{"/a"});
}

TEST(Multistream, empty_line_is_fatal) {
  const std::uint8_t zero[] = {0x00};
  const auto step = listener_takes(Bytes::copy(zero));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Errc::malformed);
}

TEST(Multistream, line_without_newline_is_refused) {
  const std::uint8_t bytes[] = {0x02, '/', 'a'};
  EXPECT_FALSE(listener_takes(Bytes::copy(bytes)));
}

TEST(Multistream, longest_line_is_taken_and_a_longer_one_refused_at_its_length) {
  EXPECT_TRUE(listener_takes(line(std::string(kMultistreamLineMax - 1, 'x'))));
  std::vector<std::uint8_t> length;
  append_varint(length, kMultistreamLineMax + 1);
  const auto step = listener_takes(Bytes::adopt(std::move(length)));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Errc::oversized);
}

TEST(Multistream, endless_and_padded_lengths_are_refused_by_their_second_byte) {
  const std::uint8_t endless[] = {0xff, 0xff};
  EXPECT_FALSE(listener_takes(Bytes::copy(endless)));
  const std::uint8_t padded[] = {0x83, 0x00, 'n', 'a', '\n'};
  EXPECT_FALSE(listener_takes(Bytes::copy(padded)));
  // Also when they come a byte at a time.
  MultistreamListener listener;
  ASSERT_TRUE(listener.on_bytes(kHeader, Ids{}));
  ASSERT_TRUE(listener.on_bytes(Bytes::copy(ByteView(endless).first(1)), Ids{}));
  EXPECT_FALSE(listener.on_bytes(Bytes::copy(ByteView(endless).first(1)), Ids{}));
}

TEST(Multistream, proposals_are_counted) {
  const Ids served{"/a"};
  MultistreamListener listener;
  ASSERT_TRUE(listener.on_bytes(kHeader, served));
  for (std::size_t i = 0; i < kMultistreamProposalsMax; ++i) {
    const auto step = listener.on_bytes(line("/x"), served);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->write, kNa);
  }
  const auto step = listener.on_bytes(line("/a"), served);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Errc::refused);
}

TEST(Multistream, finished_machine_takes_nothing_more) {
  const Ids one{"/a"};
  MultistreamListener listener;
  ASSERT_TRUE(listener.on_bytes(join({kHeader, line("/a")}), one)->agreed);
  EXPECT_FALSE(listener.on_bytes(line("/a"), one));
}

// Two machines whose bytes are cut at random agree as the sets say, whatever the cuts.
RC_GTEST_PROP(Multistream, any_cuts_agree_on_what_the_sets_say, (std::uint64_t seed)) {
  Rng rng(seed);
  const Ids names{"/a", "/b/1.0.0", "/c", "/" + std::string(200, 'd'), "/e"};
  Ids proposals, served;
  for (const std::string& name : names) {
    if (rng.chance(500'000)) proposals.push_back(name);
    if (rng.chance(500'000)) served.push_back(name);
  }
  if (proposals.empty()) proposals.push_back("/a");
  rng.shuffle(proposals);
  std::optional<std::string> expected;
  for (const std::string& proposal : proposals)
    if (!expected && std::find(served.begin(), served.end(), proposal) != served.end())
      expected = proposal;

  MultistreamDialer dialer(proposals);
  MultistreamListener listener;
  std::vector<std::uint8_t> forth, back;
  const bool lazy = proposals.size() == 1;
  const Bytes first = lazy ? dialer.start(as_bytes("early")) : dialer.start();
  forth.assign(first.begin(), first.end());
  const auto take = [&](std::vector<std::uint8_t>& from) {
    const std::size_t size = 1 + rng.below(std::min<std::size_t>(from.size(), 30));
    Bytes chunk = Bytes::copy(ByteView(from).first(size));
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
    return chunk;
  };
  std::string early;
  bool refused = false;
  while (!dialer.agreed() && !refused) {
    RC_ASSERT(!forth.empty() || !back.empty());
    if (!forth.empty() && (back.empty() || rng.chance(500'000))) {
      const Bytes chunk = take(forth);
      if (listener.agreed()) {
        early += chunk.text();
        continue;
      }
      // Early data of a refused lazy proposal reads as rubbish; the stream is reset then.
      const auto step = listener.on_bytes(chunk, served);
      if (!step) {
        RC_ASSERT(lazy && !expected);
        return;
      }
      back.insert(back.end(), step->write.begin(), step->write.end());
      if (step->agreed) {
        RC_ASSERT(served[step->chosen] == expected);
        early += step->rest.text();
      }
      continue;
    }
    const auto step = dialer.on_bytes(take(back));
    refused = !step;
    RC_ASSERT(step.has_value() || step.error().code == Errc::unsupported);
    if (!step) break;
    forth.insert(forth.end(), step->write.begin(), step->write.end());
    if (step->agreed) RC_ASSERT(proposals[step->chosen] == expected);
  }
  RC_ASSERT(refused == !expected.has_value());
  if (!expected || !lazy) return;
  early.append(forth.begin(), forth.end());
  RC_ASSERT(early == "early");
}

}  // namespace
}  // namespace kith::wire
