// What comes to a task's core and is refused: counted apart, and blamed on who could see it. By
// gossip that is who handed it over (reject), or nobody (ignore); by stream it is who answered.
#include "tests/services/edil/table.hpp"

namespace kith::edil::test {
namespace {

using Counter = std::uint64_t Counters::*;

std::uint64_t wall_ms(const Table& table, Duration ahead) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        table.now.wall.time_since_epoch() + ahead)
                                        .count());
}

std::uint64_t refused(const Counters& count) {
  return count.forged + count.replayed + count.truncated + count.oversized + count.malformed +
         count.future_dated + count.wrong_base + count.wrong_model + count.not_joined +
         count.equivocated + count.full;
}

// Three who joined, of whom the first and second delivered.
struct Round : Table {
  Round() {
    for (const std::size_t i : {1u, 2u, 3u}) EXPECT_EQ(say(i, join_of(i)), Verdict::accept);
    for (const std::size_t i : {1u, 2u}) {
      parts.push_back(part_of(i, 1, base()));
      EXPECT_EQ(say_part(i, parts.back()), Verdict::accept);
    }
  }
  const Cid& base() const { return task.first_model; }
  std::vector<schema::EdilPart> parts;
};

TEST(Refusals, by_gossip_each_is_counted_apart_and_only_what_anybody_can_see_is_blamed) {
  struct Row {
    const char* what;
    std::size_t from;
    std::function<Bytes(Round&)> message;
    Verdict verdict;
    Counter counter;
  };
  const auto part = [](const schema::EdilPart& one) { return schema::encode_edil_message(one); };
  const auto close = [](const schema::EdilSigned& one) {
    return schema::encode_edil_message(schema::ClosedRound{one});
  };
  const auto join = [](const schema::EdilSigned& one) {
    return schema::encode_edil_message(schema::JoinedTask{one});
  };
  const Row rows[] = {
      {"a part signed for another round", 3,
       [&](Round& round) {
         auto one = round.part_of(3, 1, round.base());
         one.member = round.part_of(3, 2, round.base()).member;
         return part(one);
       },
       Verdict::reject, &Counters::forged},
      {"a part of another's", 3, [&](Round& round) { return part(round.parts[0]); },
       Verdict::reject, &Counters::forged},
      {"a part again", 1, [&](Round& round) { return part(round.parts[0]); }, Verdict::ignore,
       &Counters::replayed},
      {"a second update", 1,
       [&](Round& round) { return part(round.part_of(1, 1, round.base(), 9)); }, Verdict::ignore,
       &Counters::equivocated},
      {"a second update that is not signed", 1,
       [&](Round& round) {
         auto one = round.part_of(1, 1, round.base(), 9);
         one.member.samples = 11;
         return part(one);
       },
       Verdict::reject, &Counters::forged},
      {"a part too short", 3,
       [&](Round& round) {
         auto one = round.part_of(3, 1, round.base());
         one.bytes = one.bytes.slice(1);
         return part(one);
       },
       Verdict::reject, &Counters::truncated},
      {"a part without a signature", 3,
       [&](Round& round) {
         auto one = round.part_of(3, 1, round.base());
         one.member.signature = Bytes();
         return part(one);
       },
       Verdict::reject, &Counters::truncated},
      {"a part above its maximum", 3,
       [&](Round& round) {
         auto one = round.part_of(3, 1, round.base());
         one.bytes = Bytes::adopt(std::vector<std::uint8_t>(schema::kPartBytes + 1, 1));
         return part(one);
       },
       Verdict::reject, &Counters::oversized},
      {"a message above its maximum", 3,
       [&](Round&) {
         return Bytes::adopt(std::vector<std::uint8_t>(schema::kEdilMessageMax + 8, 0));
       },
       Verdict::reject, &Counters::oversized},
      {"no message", 3, [&](Round&) { return Bytes::copy("nonsense"); }, Verdict::reject,
       &Counters::malformed},
      {"a message cut inside", 3,
       [&](Round& round) {
         const Bytes whole = part(round.part_of(3, 1, round.base()));
         return whole.slice(0, whole.size() - 9);
       },
       Verdict::reject, &Counters::truncated},
      {"an update to another model", 3,
       [&](Round& round) { return part(round.part_of(3, 1, cid_of_file(as_bytes("x")))); },
       Verdict::ignore, &Counters::wrong_base},
      {"an update after the last round", 3,
       [&](Round& round) { return part(round.part_of(3, 9, round.base())); }, Verdict::reject,
       &Counters::wrong_base},
      {"an update of who did not join", 4,
       [&](Round& round) { return part(round.part_of(4, 1, round.base())); }, Verdict::ignore,
       &Counters::not_joined},
      {"a join of the future", 4,
       [&](Round& round) { return round.join_of(4, wall_ms(round, kClockSkewMax + 1s)); },
       Verdict::ignore, &Counters::future_dated},
      {"a join again", 3, [&](Round& round) { return round.join_of(3); }, Verdict::ignore,
       &Counters::replayed},
      {"a join in another's name", 3, [&](Round& round) { return round.join_of(4); },
       Verdict::reject, &Counters::forged},
      {"a join signed for another purpose", 4,
       [&](Round& round) {
         return join(sign(round.keys[4], kNetwork, Kind::close,
                          schema::encode_edil_join({round.id, 5, false})));
       },
       Verdict::reject, &Counters::forged},
      {"a join to another task", 4,
       [&](Round& round) {
         return join(sign(round.keys[4], kNetwork, Kind::join,
                          schema::encode_edil_join({TaskId{}, 5, false})));
       },
       Verdict::reject, &Counters::malformed},
      {"a close signed for another network", 1,
       [&](Round& round) {
         auto one = round.close_by(1, 1, round.first, round.parts);
         return close(sign(round.keys[1], "other-00000000", Kind::close, one.body));
       },
       Verdict::reject, &Counters::forged},
      {"a close with more samples than were signed", 1,
       [&](Round& round) {
         auto parts = round.parts;
         parts[1].member.samples = 500;
         return close(round.close_by(1, 1, round.first, parts));
       },
       Verdict::reject, &Counters::forged},
      {"a close in another's name", 2,
       [&](Round& round) { return close(round.close_by(1, 1, round.first, round.parts)); },
       Verdict::reject, &Counters::forged},
      {"a close of too few", 1,
       [&](Round& round) { return close(round.close_by(1, 1, round.first, {round.parts[0]})); },
       Verdict::reject, &Counters::malformed},
      {"a close by who is no member", 3,
       [&](Round& round) { return close(round.close_by(3, 1, round.first, round.parts)); },
       Verdict::reject, &Counters::malformed},
      // Its signatures hold: that the model is a lie shows only to who holds all updates.
      {"a close whose model does not follow", 1,
       [&](Round& round) { return close(round.close_by(1, 1, round.first, round.parts, true)); },
       Verdict::accept, &Counters::wrong_model},
  };
  for (const Row& row : rows) {
    Round round;
    const std::uint64_t before = refused(round.counters);
    EXPECT_EQ(round.say(row.from, row.message(round)), row.verdict) << row.what;
    EXPECT_EQ(round.counters.*row.counter, 1u) << row.what;
    EXPECT_EQ(refused(round.counters), before + 1) << row.what << ": by one reason only";
    EXPECT_EQ(round.counters.blamed, 0u) << row.what;
    EXPECT_EQ(round.core->round(), 0u) << row.what;
    EXPECT_EQ(round.info().updates, 2u) << row.what;
  }
}

TEST(Refusals,
     what_a_peer_answers_about_the_chain_is_counted_apart_and_it_is_not_asked_for_a_while) {
  struct Row {
    const char* what;
    std::function<Result<schema::EdilAnswer>(Round&)> answered;
    Counter counter;  // null: none
    bool blamed;
  };
  const auto of_close = [](schema::EdilSigned record, std::uint32_t round = 1) {
    schema::EdilAnswer answer;
    answer.weight = 1000;
    answer.round = round;
    answer.records.push_back(std::move(record));
    return answer;
  };
  const auto of_join = [](schema::EdilSigned record) {
    schema::EdilAnswer answer;
    answer.joins.push_back(std::move(record));
    return answer;
  };
  Model other;
  other.shape = shape();
  other.weights = std::make_shared<Weights>(shape().parameters(), 5);
  const Row rows[] = {
      {"cut", [](Round&) { return fail(Errc::truncated, "cut"); }, &Counters::truncated, true},
      {"long", [](Round&) { return fail(Errc::oversized, "long"); }, &Counters::oversized, true},
      {"mad", [](Round&) { return fail(Errc::malformed, "mad"); }, &Counters::malformed, true},
      {"gone", [](Round&) { return fail(Errc::closed, "gone"); }, nullptr, false},
      {"nothing", [](Round&) { return schema::EdilAnswer{}; }, nullptr, false},
      {"a forged close",
       [&](Round& round) {
         auto record = round.close_by(1, 1, round.first, round.parts);
         record.signature = round.close_by(2, 1, round.first, round.parts).signature;
         return of_close(record);
       },
       &Counters::forged, true},
      {"a close with more samples than were signed",
       [&](Round& round) {
         auto parts = round.parts;
         parts[0].member.samples = 500;
         return of_close(round.close_by(1, 1, round.first, parts));
       },
       &Counters::forged, true},
      {"no close",
       [&](Round& round) {
         return of_close(sign(round.keys[1], kNetwork, Kind::close, Bytes::copy("no close")));
       },
       &Counters::malformed, true},
      {"a close of a later round than asked from",
       [&](Round& round) {
         std::vector<schema::EdilPart> parts;
         const Cid base = cid_of_file(encode_model(other));
         for (const std::size_t i : {1u, 2u}) parts.push_back(round.part_of(i, 2, base));
         return of_close(round.close_by(1, 2, other, parts), 2);
       },
       &Counters::malformed, true},
      {"a first close that is not to the task's first model",
       [&](Round& round) {
         std::vector<schema::EdilPart> parts;
         const Cid base = cid_of_file(encode_model(other));
         for (const std::size_t i : {1u, 2u}) parts.push_back(round.part_of(i, 1, base));
         return of_close(round.close_by(1, 1, other, parts));
       },
       &Counters::malformed, true},
      {"closes that do not follow each other",
       [&](Round& round) {
         auto answer = of_close(round.close_by(1, 1, round.first, round.parts));
         std::vector<schema::EdilPart> parts;
         const Cid base = cid_of_file(encode_model(other));
         for (const std::size_t i : {1u, 2u}) parts.push_back(round.part_of(i, 2, base));
         answer.records.push_back(round.close_by(1, 2, other, parts));
         return answer;
       },
       &Counters::malformed, true},
      {"a forged join",
       [&](Round& round) {
         auto record = sign(round.keys[4], kNetwork, Kind::join,
                            schema::encode_edil_join({round.id, 5, false}));
         record.signer = round.keys[3].id();
         record.body = schema::encode_edil_join({round.id, 6, false});
         return of_join(record);
       },
       &Counters::forged, true},
      {"a join to another task",
       [&](Round& round) {
         return of_join(sign(round.keys[4], kNetwork, Kind::join,
                             schema::encode_edil_join({TaskId{}, 5, false})));
       },
       &Counters::malformed, true},
      {"a join of the future",
       [&](Round& round) {
         return of_join(sign(round.keys[4], kNetwork, Kind::join,
                             schema::encode_edil_join({round.id, wall_ms(round, 1h), false})));
       },
       &Counters::future_dated, false},
  };
  for (const Row& row : rows) {
    Round round;
    const auto asks = round.asks_within(20s);
    ASSERT_EQ(asks.size(), 1u) << row.what;
    ASSERT_TRUE(std::holds_alternative<schema::ChainQuestion>(asks[0].question));
    const std::uint64_t before = refused(round.counters);
    round.answer(asks[0], row.answered(round));
    EXPECT_EQ(round.take<Ask>().size(), 0u) << row.what << ": not asked at once again";
    EXPECT_TRUE(row.counter == nullptr || round.counters.*row.counter == 1) << row.what;
    EXPECT_EQ(refused(round.counters), before + (row.counter != nullptr ? 1 : 0)) << row.what;
    EXPECT_EQ(round.counters.blamed, row.blamed ? 1u : 0u) << row.what;
    EXPECT_EQ(round.info().joined, 4u) << row.what;
    EXPECT_EQ(round.core->round(), 0u) << row.what;
    EXPECT_EQ(round.asks_within(kShunTime - 5s).empty(), row.blamed) << row.what;
    // Others are asked, and after a while this one, too.
    EXPECT_FALSE(round.asks_within(kSyncEvery + 15s).empty()) << row.what;
  }
}

TEST(Refusals, while_one_peer_is_shunned_the_others_are_asked) {
  Round round;
  round.listeners = {{7, 0}, {8, 0}};
  const auto asks = round.asks_within(20s);
  ASSERT_EQ(asks.size(), 1u);
  round.answer(asks[0], fail(Errc::malformed, "mad"));
  for (int i = 0; i < 4; ++i) {
    const auto next = round.asks_within(15s);
    ASSERT_EQ(next.size(), 1u);
    EXPECT_NE(next[0].peer, asks[0].peer);
    round.answer(next[0], schema::EdilAnswer{});
  }
}

TEST(Refusals, a_chain_that_fits_nowhere_here_is_asked_for_from_its_start_once) {
  Round round;
  ASSERT_EQ(round.say_close(1, round.close_by(1, 1, round.first, round.parts)), Verdict::accept);
  ASSERT_EQ(round.core->round(), 1u);
  // Whatever is asked, this peer answers with a close of the next round to a model of nobody's.
  Model other;
  other.shape = shape();
  other.weights = std::make_shared<Weights>(shape().parameters(), 5);
  const Cid base = cid_of_file(encode_model(other));
  std::size_t asked = 0;
  for (int i = 0; i < 40; ++i) {
    round.wait(500ms);
    for (std::vector<Ask> asks = round.take<Ask>(); !asks.empty(); asks = round.take<Ask>()) {
      ASSERT_LT(++asked, 50u) << "a hot loop";
      const auto& question = std::get<schema::ChainQuestion>(asks[0].question);
      const std::uint32_t next = question.from_round + 1;
      std::vector<schema::EdilPart> parts;
      for (const std::size_t k : {1u, 2u}) parts.push_back(round.part_of(k, next, base, 3, 999));
      schema::EdilAnswer answer;
      answer.round = 3;
      answer.weight = 9999;
      answer.records.push_back(round.close_by(1, next, other, parts));
      round.answer(asks[0], answer);
    }
  }
  EXPECT_LE(asked, 3u);
  EXPECT_EQ(round.counters.blamed, 1u);
  EXPECT_EQ(round.core->round(), 1u);
}

TEST(Refusals, closes_by_gossip_that_fit_nowhere_lead_to_one_question_in_two_seconds) {
  Round round;
  Model other;
  other.shape = shape();
  std::size_t asked = 0;
  for (int i = 0; i < 40; ++i) {
    other.weights = std::make_shared<Weights>(shape().parameters(), i);
    const Cid base = cid_of_file(encode_model(other));
    std::vector<schema::EdilPart> parts;
    for (const std::size_t k : {1u, 2u}) parts.push_back(round.part_of(k, 2, base));
    EXPECT_EQ(round.say_close(1, round.close_by(1, 2, other, parts)), Verdict::accept);
    for (const Ask& ask : round.take<Ask>()) {
      ++asked;
      round.answer(ask, schema::EdilAnswer{});
    }
    round.now.mono += 100ms;
  }
  EXPECT_GE(asked, 1u);
  EXPECT_LE(asked, 4s / kUrgentEvery);
}

TEST(Refusals, a_peer_that_is_silent_is_asked_no_more_and_its_stream_is_ended) {
  Round round;
  const auto asks = round.asks_within(20s);
  ASSERT_EQ(asks.size(), 1u);
  EXPECT_TRUE(round.asks_within(kAnswerTime - 1s).empty());
  round.wait(1s);
  const auto ended = round.take<StopAsking>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].tag, asks[0].tag);
}

TEST(Refusals, updates_by_stream_that_are_not_what_was_signed_are_blamed_on_who_answered) {
  struct Row {
    const char* what;
    std::function<Bytes(Table&)> payload;
    Counter counter;
  };
  const Row rows[] = {
      {"another content", [](Table& table) { return table.payload(77); }, &Counters::forged},
      {"cut", [](Table& table) { return table.payload(3).slice(1); }, &Counters::truncated},
      {"long",
       [](Table& table) {
         auto bytes = table.payload(3).to_vector();
         bytes.push_back(0);
         return Bytes::adopt(std::move(bytes));
       },
       &Counters::oversized},
      {"outside its bounds", [](Table& table) { return table.payload(0x80); },
       &Counters::malformed},
  };
  for (const Row& row : rows) {
    Table table;
    const Cid& base = table.task.first_model;
    const std::vector<schema::EdilPart> parts = {table.part_of(1, 1, base),
                                                 table.part_of(2, 1, base)};
    ASSERT_EQ(table.say_close(1, table.close_by(1, 1, table.first, parts)), Verdict::accept);
    bool answered = false;
    for (int i = 0; i < 60 && !answered; ++i)
      for (const Ask& ask : table.asks_within(1s)) {
        schema::EdilAnswer answer;
        answered = std::holds_alternative<schema::UpdatesQuestion>(ask.question);
        if (answered) answer.updates.push_back({1, base, parts[0].member, row.payload(table)});
        table.answer(ask, answer);
      }
    ASSERT_TRUE(answered);
    EXPECT_EQ(table.counters.*row.counter, 1u) << row.what;
    EXPECT_EQ(table.counters.blamed, 1u) << row.what;
  }
}

TEST(Refusals, an_answer_with_updates_that_are_here_already_does_not_lead_to_a_question_at_once) {
  Table table;
  const Cid& base = table.task.first_model;
  const std::vector<schema::EdilPart> parts = {table.part_of(1, 1, base),
                                               table.part_of(2, 1, base)};
  ASSERT_EQ(table.say_close(1, table.close_by(1, 1, table.first, parts)), Verdict::accept);
  std::size_t asked = 0;
  for (int i = 0; i < 40; ++i) {
    table.wait(500ms);
    for (std::vector<Ask> asks = table.take<Ask>(); !asks.empty(); asks = table.take<Ask>()) {
      ASSERT_LT(++asked, 50u) << "a hot loop";
      schema::EdilAnswer answer;
      answer.updates.push_back({1, base, parts[0].member, parts[0].bytes});
      table.answer(asks[0], answer);
    }
  }
  EXPECT_GE(table.counters.replayed, 1u);
  EXPECT_EQ(table.core->round(), 0u);
}

// --- two updates of one contributor

TEST(Refusals, who_signs_two_updates_is_told_apart_and_all_end_with_the_one_that_the_close_names) {
  Table one, two;
  const Cid& base = one.task.first_model;
  const auto first = one.part_of(1, 1, base, 3);
  const auto second = one.part_of(1, 1, base, 5);
  const auto honest = one.part_of(2, 1, base, 4);
  for (Table* table : {&one, &two})
    for (const std::size_t i : {1u, 2u})
      ASSERT_EQ(table->say(i, table->join_of(i)), Verdict::accept);
  ASSERT_EQ(one.say_part(1, first), Verdict::accept);
  ASSERT_EQ(two.say_part(1, second), Verdict::accept);
  for (Table* table : {&one, &two}) ASSERT_EQ(table->say_part(2, honest), Verdict::accept);
  // Each half of the mesh hears of the other's.
  EXPECT_EQ(one.say_part(1, second), Verdict::ignore) << "who passed it on may know it only";
  EXPECT_EQ(two.say_part(1, first), Verdict::ignore);
  EXPECT_EQ(one.say_part(1, one.part_of(1, 1, base, 6)), Verdict::ignore);
  EXPECT_EQ(one.counters.equivocated, 2u);
  EXPECT_EQ(two.counters.equivocated, 1u);
  EXPECT_EQ(one.counters.forged + two.counters.forged, 0u);
  const auto close = one.close_by(2, 1, one.first, {second, honest});
  EXPECT_EQ(two.say_close(2, close), Verdict::accept);
  EXPECT_EQ(two.core->round(), 1u);
  EXPECT_EQ(one.say_close(2, close), Verdict::accept);
  for (int i = 0; i < 60 && one.core->round() == 0; ++i)
    for (const Ask& ask : one.asks_within(1s)) {
      const auto* updates = std::get_if<schema::UpdatesQuestion>(&ask.question);
      one.answer(ask, updates != nullptr ? two.core->answer(*updates) : schema::EdilAnswer{});
    }
  EXPECT_EQ(one.core->round(), 1u);
  EXPECT_EQ(one.info().model, two.info().model);
}

// --- tables

TEST(Refusals, who_lied_is_remembered_and_of_too_many_liars_the_oldest_is_forgotten) {
  Recent<int, 3> some;
  for (const int i : {1, 2, 3}) EXPECT_TRUE(some.insert(i));
  EXPECT_FALSE(some.insert(1));
  EXPECT_TRUE(some.insert(4));
  EXPECT_EQ(some.size(), 3u);
  EXPECT_FALSE(some.contains(1));
  EXPECT_TRUE(some.contains(2) && some.contains(3) && some.contains(4));
}

TEST(Refusals, of_too_many_shunned_peers_the_oldest_is_asked_again) {
  Shunned shunned;
  const Mono now(100s);
  for (std::uint32_t i = 0; i <= kShunnedMax; ++i) shunned.add(now, {i, 0});
  EXPECT_FALSE(shunned.contains(now, {0, 0}));
  EXPECT_TRUE(shunned.contains(now, {1, 0}));
  EXPECT_FALSE(shunned.contains(now, {1, 1})) << "another connection";
  EXPECT_FALSE(shunned.contains(now + kShunTime, {1, 0}));
}

}  // namespace
}  // namespace kith::edil::test
