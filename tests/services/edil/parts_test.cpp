// An update that does not fit one message: its parts lost, said twice and in any order.
#include "tests/services/edil/table.hpp"

namespace kith::edil::test {
namespace {

// 127 kB of payload: three parts.
ModelShape large() { return {ModelKind::mlp, 784, 160, 10}; }

struct Wide : Table {
  Wide() : Table(2, Role::contributor, large()) {
    for (const std::size_t i : {1u, 2u}) EXPECT_EQ(say(i, join_of(i)), Verdict::accept);
  }
  const Cid& base() const { return task.first_model; }
};

TEST(Parts, in_any_order_and_said_twice_they_make_one_update) {
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    Wide wide;
    const auto parts = wide.parts_of(1, 1, wide.base());
    ASSERT_EQ(parts.size(), 3u);
    for (std::size_t k = 0; k < order.size(); ++k) {
      EXPECT_EQ(wide.info().updates, 0u) << "before the last part";
      EXPECT_EQ(wide.say_part(1, parts[order[k]]), Verdict::accept);
      EXPECT_EQ(wide.say_part(1, parts[order[k]]), Verdict::ignore);
    }
    EXPECT_EQ(wide.info().updates, 1u);
    EXPECT_EQ(wide.counters.updates_in, 1u);
    EXPECT_EQ(wide.counters.replayed, 3u);
    EXPECT_EQ(wide.counters.update_bytes_in, payload_bytes(large().parameters()));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Parts, parts_of_two_contributors_do_not_mix) {
  Wide wide;
  const auto ones = wide.parts_of(1, 1, wide.base(), 3);
  const auto twos = wide.parts_of(2, 1, wide.base(), 4);
  for (const std::size_t k : {2u, 0u, 1u}) {
    EXPECT_EQ(wide.say_part(1, ones[k]), Verdict::accept);
    EXPECT_EQ(wide.say_part(2, twos[2 - k]), Verdict::accept);
  }
  EXPECT_EQ(wide.counters.updates_in, 2u);
}

TEST(Parts, a_part_that_is_lost_comes_when_its_contributor_says_all_again) {
  Wide sender;
  (void)sender.take<Publish>();
  const auto trains = sender.take<Train>();
  ASSERT_EQ(trains.size(), 1u);
  sender.core->on_trained(sender.now, sender.base(), {sender.payload(3), 10, 20}, sender.out);
  sender.settle_all();
  const auto said = sender.take<Publish>();
  ASSERT_EQ(said.size(), 3u);
  for (const Publish& one : said) EXPECT_LE(one.message.size(), schema::kEdilMessageMax);

  Table receiver(2, Role::follower, large());
  ASSERT_EQ(receiver.say(0, receiver.join_of(0)), Verdict::accept);
  EXPECT_EQ(receiver.say(0, said[2].message), Verdict::accept);
  EXPECT_EQ(receiver.say(0, said[0].message), Verdict::accept);
  EXPECT_EQ(receiver.info().updates, 0u) << "the middle one is lost";
  std::vector<Publish> again;
  for (int i = 0; i < 30 && again.size() < 3; ++i) {
    sender.wait(1s);
    for (Publish& one : sender.take<Publish>()) again.push_back(std::move(one));
  }
  ASSERT_EQ(again.size(), 3u);
  for (const Publish& one : again) (void)receiver.say(0, one.message);
  EXPECT_EQ(receiver.info().updates, 1u);
  EXPECT_EQ(receiver.counters.replayed, 2u);
}

TEST(Parts, a_part_that_never_comes_is_made_good_by_stream_when_the_close_names_its_update) {
  Wide wide, whole;
  std::vector<schema::EdilPart> of_close;
  for (const std::size_t i : {1u, 2u}) {
    const auto parts = wide.parts_of(i, 1, wide.base(), static_cast<std::uint8_t>(i));
    for (const schema::EdilPart& part : parts) {
      const bool lost = i == 1 && part.index == 1;
      if (!lost) {
        EXPECT_EQ(wide.say_part(i, part), Verdict::accept);
      }
      EXPECT_EQ(whole.say_part(i, part), Verdict::accept);
    }
    schema::EdilPart joined = parts[0];
    joined.bytes = wide.payload(static_cast<std::uint8_t>(i));
    of_close.push_back(joined);
  }
  const auto close = wide.close_by(2, 1, wide.first, of_close);
  EXPECT_EQ(whole.say_close(2, close), Verdict::accept);
  EXPECT_EQ(whole.core->round(), 1u);
  EXPECT_EQ(wide.say_close(2, close), Verdict::accept);
  EXPECT_EQ(wide.core->round(), 0u);
  for (int i = 0; i < 60 && wide.core->round() == 0; ++i)
    for (const Ask& ask : wide.asks_within(1s)) {
      const auto* updates = std::get_if<schema::UpdatesQuestion>(&ask.question);
      EXPECT_TRUE(updates == nullptr || updates->hashes.size() == 1);
      wide.answer(ask, updates != nullptr ? whole.core->answer(*updates) : schema::EdilAnswer{});
    }
  EXPECT_EQ(wide.core->round(), 1u);
  EXPECT_EQ(wide.info().model, whole.info().model);
}

TEST(Parts, a_whole_that_is_not_what_was_signed_shows_with_its_last_part_and_is_not_taken_again) {
  Wide wide;
  auto parts = wide.parts_of(1, 1, wide.base());
  std::vector<std::uint8_t> changed = parts[1].bytes.to_vector();
  changed[7] ^= 1;
  parts[1].bytes = Bytes::adopt(std::move(changed));
  EXPECT_EQ(wide.say_part(1, parts[0]), Verdict::accept);
  EXPECT_EQ(wide.say_part(1, parts[1]), Verdict::accept);
  (void)wide.say_part(1, parts[2]);
  EXPECT_EQ(wide.counters.forged, 1u);
  EXPECT_EQ(wide.say_part(1, parts[2]), Verdict::ignore);
  EXPECT_EQ(wide.info().updates, 0u);
}

}  // namespace
}  // namespace kith::edil::test
