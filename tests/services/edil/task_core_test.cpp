// A task's core among contributors who are honest or not.
#include "tests/services/edil/table.hpp"

namespace kith::edil::test {
namespace {

TEST(TaskCore,
     a_contributor_trains_from_the_first_model_and_publishes_what_it_learned_once_joined) {
  Table table;
  const auto trains = table.take<Train>();
  ASSERT_EQ(trains.size(), 1u);
  EXPECT_EQ(trains[0].base, table.task.first_model);
  (void)table.take<Publish>();  // the join
  table.core->on_trained(table.now, trains[0].base, {table.payload(3), 10, 20}, table.out);
  table.settle_all();
  const auto said = table.take<Publish>();
  ASSERT_EQ(said.size(), 1u);
  const auto message = schema::decode_edil_message(said[0].message);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<schema::EdilPart>(*message).member.samples, 10u);
}

TEST(TaskCore, updates_in_another_name_of_another_base_or_by_who_did_not_join_are_refused) {
  Table table;
  const Cid& base = table.task.first_model;
  EXPECT_EQ(table.say_part(1, table.part_of(1, 1, base)), Verdict::ignore);
  EXPECT_EQ(table.counters.not_joined, 1u);
  ASSERT_EQ(table.say(1, table.join_of(1)), Verdict::accept);
  EXPECT_EQ(table.say_part(1, table.part_of(2, 1, base)), Verdict::reject) << "of another";
  EXPECT_EQ(table.counters.forged, 1u);
  schema::EdilPart forged = table.part_of(1, 1, base);
  forged.member.samples = 1000;  // more weight than was signed
  EXPECT_EQ(table.say_part(1, forged), Verdict::reject);
  EXPECT_EQ(table.counters.forged, 2u);
  EXPECT_EQ(table.say_part(1, table.part_of(1, 1, cid_of_file(as_bytes("x")))), Verdict::ignore);
  EXPECT_EQ(table.counters.wrong_base, 1u);
  EXPECT_EQ(table.say_part(1, table.part_of(1, 2, base)), Verdict::ignore)
      << "two rounds, one model";
  EXPECT_EQ(table.say_part(1, table.part_of(1, 99, base)), Verdict::reject) << "after the last";
  EXPECT_EQ(table.counters.wrong_base, 3u);
  const schema::EdilPart good = table.part_of(1, 1, base);
  EXPECT_EQ(table.say_part(1, good), Verdict::accept);
  EXPECT_EQ(table.say_part(1, good), Verdict::ignore);
  EXPECT_EQ(table.counters.replayed, 1u);
  EXPECT_EQ(table.say_part(1, table.part_of(1, 1, base, 5)), Verdict::ignore)
      << "another, too: who passed it on may have seen this one only";
  EXPECT_EQ(table.counters.equivocated, 1u);
  EXPECT_EQ(table.counters.forged, 2u);
}

TEST(TaskCore, updates_of_wrong_length_hash_or_content_are_refused_and_counted_apart) {
  Table table;
  const Cid& base = table.task.first_model;
  for (const std::size_t i : {1u, 2u, 3u})
    ASSERT_EQ(table.say(i, table.join_of(i)), Verdict::accept);
  schema::EdilPart part = table.part_of(1, 1, base);
  part.bytes = part.bytes.slice(0, part.bytes.size() - 1);
  EXPECT_EQ(table.say_part(1, part), Verdict::reject);
  EXPECT_EQ(table.counters.truncated, 1u);
  std::vector<std::uint8_t> longer = table.payload(3).to_vector();
  longer.push_back(1);
  part.bytes = Bytes::adopt(std::move(longer));
  EXPECT_EQ(table.say_part(1, part), Verdict::reject);
  EXPECT_EQ(table.counters.oversized, 1u);
  part = table.part_of(1, 1, base);
  part.count = 2;
  EXPECT_EQ(table.say_part(1, part), Verdict::reject);
  EXPECT_EQ(table.counters.malformed, 1u);
  part = table.part_of(2, 1, base);
  part.bytes = table.payload(9);  // not what was signed
  EXPECT_EQ(table.say_part(2, part), Verdict::ignore);
  EXPECT_EQ(table.counters.forged, 1u);
  EXPECT_EQ(table.say_part(3, table.part_of(3, 1, base, 0x80)), Verdict::ignore);
  EXPECT_EQ(table.counters.updates_in, 0u);
  for (std::size_t cut = 0; cut < 200; cut += 8)
    EXPECT_EQ(table.say(1, schema::encode_edil_message(table.part_of(1, 1, base)).slice(0, cut)),
              Verdict::reject);
}

TEST(TaskCore, joins_of_others_of_the_future_and_of_the_past_do_not_count) {
  Table table;
  const auto early = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(table.now.wall.time_since_epoch() + 1h)
          .count());
  EXPECT_EQ(table.say(1, table.join_of(1, early)), Verdict::ignore);
  EXPECT_EQ(table.counters.future_dated, 1u);
  EXPECT_EQ(table.say(2, table.join_of(1)), Verdict::reject);
  EXPECT_EQ(table.counters.forged, 1u);
  EXPECT_EQ(table.say(1, table.join_of(1, 9)), Verdict::accept);
  EXPECT_EQ(table.say(1, table.join_of(1, 9)), Verdict::ignore);
  EXPECT_EQ(table.say(1, table.join_of(1, 8, true)), Verdict::ignore) << "left before it joined";
  EXPECT_EQ(table.counters.replayed, 2u);
  TaskInfo info;
  table.core->fill(info);
  EXPECT_EQ(info.joined, 2u);
}

TEST(TaskCore, a_good_close_is_followed_and_a_lie_about_the_model_is_not_and_is_remembered) {
  Table table;
  const Cid& base = table.task.first_model;
  std::vector<schema::EdilPart> parts;
  for (const std::size_t i : {1u, 2u}) {
    ASSERT_EQ(table.say(i, table.join_of(i)), Verdict::accept);
    parts.push_back(table.part_of(i, 1, base));
    ASSERT_EQ(table.say_part(i, parts.back()), Verdict::accept);
  }
  EXPECT_EQ(table.say_close(2, table.close_by(1, 1, table.first, parts)), Verdict::reject)
      << "in another's name";
  EXPECT_EQ(table.say_close(3, table.close_by(3, 1, table.first, parts)), Verdict::reject)
      << "contributed nothing";
  EXPECT_EQ(table.say_close(1, table.close_by(1, 1, table.first, {parts[0]})), Verdict::reject)
      << "below the minimum";
  auto forged = parts;
  forged[1].member.samples = 500;
  EXPECT_EQ(table.say_close(1, table.close_by(1, 1, table.first, forged)), Verdict::reject);
  (void)table.say_close(1, table.close_by(1, 1, table.first, parts, true));
  EXPECT_EQ(table.counters.wrong_model, 1u);
  EXPECT_EQ(table.core->round(), 0u);
  const auto good = table.close_by(2, 1, table.first, parts);
  EXPECT_EQ(table.say_close(2, good), Verdict::accept);
  EXPECT_EQ(table.core->round(), 1u);
  EXPECT_EQ(table.say_close(2, good), Verdict::ignore) << "replayed";
  EXPECT_EQ(table.say_close(1, table.close_by(1, 1, table.first, parts)), Verdict::ignore)
      << "who lied is not heard again";
}

TEST(TaskCore, a_heavier_close_of_the_same_round_is_switched_to_and_a_lighter_one_is_not) {
  Table table;
  const Cid& base = table.task.first_model;
  std::vector<schema::EdilPart> parts;
  for (const std::size_t i : {1u, 2u, 3u}) {
    ASSERT_EQ(table.say(i, table.join_of(i)), Verdict::accept);
    parts.push_back(table.part_of(i, 1, base, static_cast<std::uint8_t>(i)));
    ASSERT_EQ(table.say_part(i, parts.back()), Verdict::accept);
  }
  ASSERT_EQ(table.say_close(1, table.close_by(1, 1, table.first, {parts[0], parts[1]})),
            Verdict::accept);
  TaskInfo light, heavy, after;
  table.core->fill(light);
  EXPECT_EQ(light.weight, 20u);
  ASSERT_EQ(table.say_close(2, table.close_by(2, 1, table.first, parts)), Verdict::accept);
  table.core->fill(heavy);
  EXPECT_EQ(heavy.weight, 30u);
  EXPECT_NE(heavy.model, light.model);
  EXPECT_EQ(table.counters.switches, 1u);
  (void)table.say_close(3, table.close_by(3, 1, table.first, {parts[1], parts[2]}));
  table.core->fill(after);
  EXPECT_EQ(after.model, heavy.model);
}

TEST(TaskCore, updates_that_a_close_names_and_this_node_lacks_are_asked_for) {
  Table table;
  const Cid& base = table.task.first_model;
  const std::vector<schema::EdilPart> parts = {table.part_of(1, 1, base),
                                               table.part_of(2, 1, base)};
  ASSERT_EQ(table.say_close(1, table.close_by(1, 1, table.first, parts)), Verdict::accept);
  EXPECT_EQ(table.core->round(), 0u);
  std::vector<Ask> asks;
  for (int i = 0; i < 60 && asks.empty(); ++i) {
    table.wait(1s);
    for (Ask& ask : table.take<Ask>()) {
      if (std::holds_alternative<schema::UpdatesQuestion>(ask.question))
        asks.push_back(ask);
      else
        table.core->on_answer(table.now, ask.tag, fail(Errc::closed, "gone"), table.out);
    }
    table.settle_all();
  }
  ASSERT_EQ(asks.size(), 1u);
  EXPECT_EQ(std::get<schema::UpdatesQuestion>(asks[0].question).hashes.size(), 2u);
  schema::EdilAnswer answer;
  answer.updates.push_back({1, base, parts[0].member, table.payload(77)});  // not its content
  for (const auto& part : parts) answer.updates.push_back({1, base, part.member, part.bytes});
  table.core->on_answer(table.now, asks[0].tag, answer, table.out);
  table.settle_all();
  EXPECT_EQ(table.core->round(), 1u);
  EXPECT_EQ(table.counters.forged, 1u);
}

TEST(TaskCore, a_silent_leader_is_passed_over_and_nobody_gone_is_waited_for_for_ever) {
  Table table;
  const Cid& base = table.task.first_model;
  for (const std::size_t i : {1u, 2u, 3u})
    ASSERT_EQ(table.say(i, table.join_of(i)), Verdict::accept);
  ASSERT_EQ(table.say_part(1, table.part_of(1, 1, base)), Verdict::accept);
  ASSERT_EQ(table.say_part(2, table.part_of(2, 1, base)), Verdict::accept);
  table.core->on_trained(table.now, base, {table.payload(3), 10, 20}, table.out);
  table.settle_all();
  EXPECT_EQ(table.core->round(), 0u) << "the third is waited for";
  // After the round's time each of the three leads for one view; the others say nothing here.
  for (int i = 0; i < 30; ++i) table.wait(1s);
  EXPECT_EQ(table.core->round(), 1u);
  EXPECT_EQ(table.counters.rounds_led, 1u);
}

TEST(TaskCore, it_goes_on_after_a_restart_from_what_the_store_held) {
  Table table;
  const Cid& base = table.task.first_model;
  std::vector<schema::EdilPart> parts;
  for (const std::size_t i : {1u, 2u}) {
    ASSERT_EQ(table.say(i, table.join_of(i)), Verdict::accept);
    parts.push_back(table.part_of(i, 1, base));
    ASSERT_EQ(table.say_part(i, parts.back()), Verdict::accept);
  }
  const auto record = table.close_by(1, 1, table.first, parts);
  ASSERT_EQ(table.say_close(1, record), Verdict::accept);
  Merge merge{table.id, 0, {table.id, 1, base, shape(), table.first.weights}, {}};
  for (const auto& part : parts) merge.updates.push_back({part.bytes, part.member.samples});
  const Merged merged = merge_now(merge);
  Table other;
  TaskCore restored(*other.context, 2, table.id, table.task, other.counters, Rng(1));
  const auto close = schema::decode_edil_close(record.body);
  restored.restore({make_link(record, *close)}, merged.file);
  EXPECT_EQ(restored.round(), 1u);
  // A model that a crash left behind its closes: they are asked for again.
  TaskCore behind(*other.context, 3, table.id, table.task, other.counters, Rng(1));
  behind.restore({make_link(record, *close)}, table.first_file);
  EXPECT_EQ(behind.round(), 0u);
}

}  // namespace
}  // namespace kith::edil::test
