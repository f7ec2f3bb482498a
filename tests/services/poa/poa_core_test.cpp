// The core with a disk: beats out and in, clocks, epochs, crashes, hostile beats, tables.
#include "services/poa/poa_core.hpp"

#include "tests/services/poa/poa_test_support.hpp"

namespace kith::poa {
namespace {

using gossip::Verdict;
using test::beat_at;
using test::Bench;
using test::peer_id;

constexpr Timing kShort{10s, 600s};  // 60 slots

// A peer that beats in the middle of each slot for so many slots.
void beats(Bench& bench, std::uint32_t peer, int slots, std::uint64_t& sequence) {
  for (int i = 0; i < slots; ++i) {
    bench.advance(5s);
    bench.hear(peer, ++sequence);
    bench.advance(5s);
  }
}

TEST(PoaCore, beats_once_a_slot_with_growing_numbers_and_its_epoch) {
  Bench bench(kShort);
  bench.advance(1000s);
  ASSERT_GE(bench.sent.size(), 99u);
  EXPECT_LE(bench.sent.size(), 101u);
  for (std::size_t i = 1; i < bench.sent.size(); ++i) {
    EXPECT_EQ(bench.sent[i].sequence, bench.sent[i - 1].sequence + 1);
    EXPECT_EQ(bench.sent_at[i] - bench.sent_at[i - 1], 10s);
    EXPECT_EQ(bench.sent[i].epoch, bench.sent[i].time_ms / 600'000);
  }
}

TEST(PoaCore, no_number_is_used_again_after_a_crash_or_with_a_clock_set_back) {
  Bench bench(kShort);
  std::uint64_t highest = 0;
  for (int round = 0; round < 6; ++round) {
    bench.advance(200s);
    for (const schema::Beat& beat : bench.sent) {
      EXPECT_GT(beat.sequence, highest);
      highest = beat.sequence;
    }
    bench.sent.clear();
    if (round % 2 == 0) bench.now.wall -= 24h;
    bench.crash();
  }
}

TEST(PoaCore, no_beat_leaves_before_its_number_is_durable) {
  Bench bench(kShort);
  bench.advance(30s);
  const std::size_t sent = bench.sent.size();
  EXPECT_GT(sent, 0u);
  bench.refuse_writes = true;
  bench.advance(2000s);
  const std::size_t more = bench.sent.size() - sent;
  EXPECT_LE(more, kSequenceBlock) << "those of the mark that is durable";
  bench.refuse_writes = false;
  bench.advance(100s);
  EXPECT_GE(bench.sent.size() - sent - more, 9u) << "and goes on when the disk does";
}

TEST(PoaCore, a_peer_that_is_always_there_has_255_and_one_that_left_half_way_128) {
  Bench bench(kShort);
  std::uint64_t one = 0, two = 0;
  for (int i = 0; i < 59; ++i) {
    bench.advance(5s);
    bench.hear(1, ++one);
    if (i < 30) bench.hear(2, ++two);
    bench.advance(5s);
  }
  bench.advance(3s);
  const EpochView first = bench.today(1), second = bench.today(2);
  EXPECT_EQ(first.up, 58u) << "the first slot was not whole";
  EXPECT_EQ(first.value, 255);
  EXPECT_EQ(second.seen, 29u);
  EXPECT_EQ(second.value, 128);
  EXPECT_EQ(second.cells[5], 100);
  EXPECT_EQ(second.cells[40], 0) << "a hole";
}

TEST(PoaCore, its_own_absence_is_not_read_as_a_peers) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 20, sequence);
  bench.stop();
  bench.step(200s);  // the peer beats on, and nobody is here to hear it
  bench.restart();
  beats(bench, 1, 19, sequence);
  bench.advance(3s);
  const EpochView view = bench.today(1);
  EXPECT_EQ(view.value, 255);
  EXPECT_GE(view.up, 35u);
  EXPECT_LE(view.up, 39u);
  EXPECT_EQ(view.cells[20], kNoView);
}

TEST(PoaCore, whoever_hears_nobody_claims_nothing) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 10, sequence);
  bench.advance(300s);
  const EpochView view = bench.today(1);
  EXPECT_EQ(view.up, 9u);
  EXPECT_EQ(view.value, 255);
}

TEST(PoaCore, a_crash_loses_a_minute_of_both_sides_and_says_so) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 40, sequence);
  bench.durable_disk = bench.disk;  // what is buffered goes with the next write
  bench.restart();
  bench.advance(3s);
  const EpochView view = bench.today(1);
  EXPECT_GE(view.up, 31u);
  EXPECT_LE(view.up, 39u);
  EXPECT_EQ(view.value, 255) << "what it forgot it forgot of itself, too";
  EXPECT_EQ(bench.hear(1, sequence - 7, false), Verdict::ignore) << "older numbers are remembered";
}

TEST(PoaCore, after_a_crash_at_any_slot_honest_peers_keep_255) {
  for (int slots = 2; slots < 30; ++slots) {
    Bench bench(kShort);
    std::uint64_t one = 0, two = 0;
    for (int i = 0; i < slots; ++i) {
      bench.advance(5s);
      bench.hear(1, ++one);
      bench.hear(2, ++two);
      bench.advance(5s);
    }
    bench.restart();
    bench.advance(1s);
    for (const std::uint32_t peer : {1u, 2u}) {
      const Calendar all = bench.calendar();
      for (const PeerView& view : all.peers) {
        if (view.id != peer_id(peer) || view.epochs.back().up == 0) continue;
        EXPECT_EQ(view.epochs.back().value, 255) << slots;
      }
    }
  }
}

TEST(PoaCore, an_epoch_closes_and_keeps_its_calendar_over_a_restart) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 30, sequence);
  std::uint64_t other = 0;
  beats(bench, 2, 150, other);
  bench.stop();
  bench.restart();
  const Calendar calendar = bench.calendar(peer_id(1));
  ASSERT_EQ(calendar.peers.size(), 1u);
  const EpochView first = calendar.peers[0].epochs[calendar.peers[0].epochs.size() - 4];
  EXPECT_EQ(first.seen, 29u);
  EXPECT_EQ(first.up, 59u);
  EXPECT_EQ(first.value, 125);
  EXPECT_EQ(first.cells[10], 100);
  EXPECT_EQ(first.cells[40], 0);
}

TEST(PoaCore, what_is_older_than_thirty_epochs_is_forgotten_here_and_on_the_disk) {
  constexpr Timing kTiny{10s, 60s};
  Bench bench(kTiny);
  std::uint64_t one = 0, two = 0;
  beats(bench, 1, 6, one);
  beats(bench, 2, 6 * 40, two);
  EXPECT_EQ(bench.core->status().peers, 1u);
  for (const auto& [key, value] : bench.disk)
    EXPECT_TRUE(key.size() < 9 || key[0] != 'e' ||
                equal(key.view().subspan(9), peer_id(2).bytes()));
  EXPECT_LE(bench.disk.size(), 2u + 1 + 2 * kEpochsKept + 2);
}

TEST(PoaClock, an_epoch_never_goes_back_whatever_the_wall_clock_does) {
  Bench bench(kShort);
  std::uint64_t sequence = 0, epoch = 0;
  Rng rng(9);
  for (int i = 0; i < 200; ++i) {
    beats(bench, 1, 3, sequence);
    const std::uint64_t now = bench.core->status().epoch;
    EXPECT_GE(now, epoch);
    epoch = now;
    const auto jump = static_cast<std::int64_t>(rng.below(3600));
    bench.now.wall += std::chrono::seconds(rng.chance(500'000) ? -jump : jump / 4);
    if (rng.chance(100'000)) bench.stop(), bench.restart();
  }
}

TEST(PoaClock, a_step_ahead_is_followed_and_its_slots_are_nobodys_absence) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 10, sequence);
  const std::uint64_t before = bench.core->status().epoch;
  bench.now.wall += 3h;  // the machine slept
  bench.tick();
  beats(bench, 1, 10, sequence);
  EXPECT_EQ(bench.core->status().epoch, before + 18);
  EXPECT_EQ(bench.core->status().clock_steps, 1u);
  const Calendar calendar = bench.calendar(peer_id(1));
  for (const EpochView& view : calendar.peers[0].epochs) {
    if (view.up == 0) continue;
    EXPECT_EQ(view.value, 255);
  }
}

TEST(PoaClock, a_clock_set_back_keeps_slots_as_long_as_they_are) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 10, sequence);
  bench.now.wall -= 30s;
  beats(bench, 1, 20, sequence);
  bench.advance(3s);
  EXPECT_EQ(bench.today(1).value, 255);
  EXPECT_EQ(bench.today(1).up, 29u);
}

TEST(PoaHostile, each_kind_counts_nothing_is_counted_apart_and_blames_only_the_guilty) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 3, sequence);
  bench.advance(5s);
  const auto counted = bench.counters().counted;

  schema::Beat wrong_epoch = beat_at(bench.now, 100, kShort);
  ++wrong_epoch.epoch;
  EXPECT_EQ(bench.hear(1, wrong_epoch), Verdict::reject);
  EXPECT_EQ(bench.counters().mismatched, 1u);

  Now ahead = bench.now, behind = bench.now;
  ahead.wall += kWindow + 1s;
  behind.wall -= kWindow + 1s;
  EXPECT_EQ(bench.hear(1, beat_at(ahead, 100, kShort)), Verdict::ignore);
  EXPECT_EQ(bench.hear(1, beat_at(behind, 100, kShort)), Verdict::ignore);
  EXPECT_EQ(bench.counters().future, 1u);
  EXPECT_EQ(bench.counters().stale, 1u);

  EXPECT_EQ(bench.hear(1, 1, true), Verdict::reject) << "its publisher handed it to us";
  EXPECT_EQ(bench.hear(1, 1, false), Verdict::ignore) << "somebody else did";
  EXPECT_EQ(bench.hear(1, sequence), Verdict::ignore);
  EXPECT_EQ(bench.counters().replayed, 2u);
  EXPECT_EQ(bench.counters().repeated, 1u);

  const Bytes good = schema::encode_beat(beat_at(bench.now, 100, kShort));
  EXPECT_EQ(bench.core->on_beat(bench.now, peer_id(1), false, good.slice(0, 40)), Verdict::reject);
  EXPECT_EQ(bench.core->on_beat(bench.now, peer_id(1), false, good.slice(0, 41)), Verdict::reject);
  EXPECT_EQ(bench.core->on_beat(bench.now, peer_id(1), false, {}), Verdict::reject);
  EXPECT_EQ(bench.counters().truncated, 3u);
  const Bytes large = Bytes::adopt(std::vector<std::uint8_t>(schema::kBeatBytesMax + 8));
  EXPECT_EQ(bench.core->on_beat(bench.now, peer_id(1), false, large), Verdict::reject);
  EXPECT_EQ(bench.counters().oversized, 1u);
  const Bytes rubbish = Bytes::adopt(std::vector<std::uint8_t>(56, 0xFF));
  EXPECT_EQ(bench.core->on_beat(bench.now, peer_id(1), false, rubbish), Verdict::reject);
  EXPECT_EQ(bench.hear(1, beat_at(bench.now, UINT64_MAX, kShort)), Verdict::reject);
  EXPECT_EQ(bench.hear(1, beat_at(bench.now, 0, kShort)), Verdict::reject);
  EXPECT_EQ(bench.counters().malformed, 3u);
  schema::Beat end_of_time;
  end_of_time.sequence = 100;
  end_of_time.time_ms = UINT64_MAX;
  end_of_time.epoch = UINT64_MAX / 600'000;
  EXPECT_EQ(bench.hear(1, end_of_time), Verdict::ignore);
  EXPECT_EQ(bench.counters().future, 2u);

  EXPECT_EQ(bench.counters().counted, counted);
  EXPECT_EQ(bench.hear(1, sequence + 1), Verdict::accept) << "nothing of it stuck to the peer";
  EXPECT_EQ(bench.counters().counted, counted + 1);
}

TEST(PoaHostile, a_flood_is_not_passed_on_and_blames_its_publisher_only) {
  Bench bench(kShort);
  bench.advance(5s);
  std::uint64_t sequence = 0;
  for (std::uint32_t i = 0; i < kBurst; ++i) EXPECT_EQ(bench.hear(1, ++sequence), Verdict::accept);
  EXPECT_EQ(bench.hear(1, ++sequence, false), Verdict::ignore);
  EXPECT_EQ(bench.hear(1, ++sequence, true), Verdict::reject);
  EXPECT_EQ(bench.counters().flooding, 2u);
  EXPECT_EQ(bench.counters().counted, 1u);
}

TEST(PoaHostile, a_damaged_disk_is_told_and_the_rest_is_used) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 20, sequence);
  bench.stop();
  Rng rng(4);
  int told = 0;
  const auto whole = bench.disk;
  for (const auto& [key, value] : whole) {
    bench.disk = whole;
    std::vector<std::uint8_t> bytes = value.to_vector();
    bytes[rng.below(bytes.size())] ^= 0xFF;
    bytes.pop_back();
    bench.disk[key] = Bytes::adopt(std::move(bytes));
    bench.others.clear();
    bench.restart();
    EXPECT_TRUE(bench.ready);
    for (const Effect& effect : bench.others) told += std::holds_alternative<Warn>(effect) ? 1 : 0;
    bench.advance(30s);
  }
  EXPECT_EQ(told, static_cast<int>(whole.size()));
}

TEST(PoaHostile, what_was_read_wrong_once_is_read_again) {
  Bench bench(kShort);
  std::uint64_t sequence = 0;
  beats(bench, 1, 20, sequence);
  bench.stop();
  const auto whole = bench.disk;
  bench.others.clear();
  bench.misread = kRereadsMax;
  bench.restart();
  EXPECT_TRUE(bench.ready);
  for (const Effect& effect : bench.others) EXPECT_FALSE(std::holds_alternative<Warn>(effect));
  bench.stop();
  for (const auto& [key, value] : whole) {
    const bool row = key[0] == 'e' || key[0] == 'o';
    EXPECT_TRUE(!row || bench.disk[key] == value);
  }
}

// --- Tables of others.

struct Tables : testing::Test {
  Tables() : bench(kShort), asker(kShort) {
    for (std::uint64_t round = 1; round <= 10; ++round) {
      bench.advance(5s);
      for (std::uint32_t peer = 1; peer <= 900; ++peer) bench.hear(peer, round);
      bench.advance(5s);
    }
    bench.advance(3s);
  }
  // Page by page, as the attachment does; `bend` may change each.
  std::optional<Result<Answer>> ask(std::function<void(schema::Statement&)> bend = {},
                                    bool valid = true) {
    Effects out;
    const RequestId id{1};
    asker.ask(id, peer_id(0), out);
    asker.on_owner_connected(id, host::PeerSlot{1, 1}, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      Effect effect = std::move(out[i]);
      if (auto* done = std::get_if<TellDone>(&effect)) return std::move(done->answer);
      if (std::holds_alternative<CheckSignature>(effect)) asker.on_checked(id, valid, out);
      if (const auto* page = std::get_if<AskPage>(&effect)) answer(id, page->question, bend, out);
    }
    return std::nullopt;
  }
  void answer(RequestId id, const Bytes& question,
              const std::function<void(schema::Statement&)>& bend, Effects& out) {
    Effects given;
    bench.core->on_question(bench.now, {7, 1}, {9, 1}, question, given);
    ASSERT_EQ(given.size(), 1u);
    auto* give = std::get_if<GiveStatement>(&given[0]);
    ASSERT_NE(give, nullptr);
    schema::Statement statement = *schema::decode_statement(give->statement);
    if (bend) bend(statement);
    const Bytes message = schema::encode_signed_statement(
        {schema::encode_statement(statement), Bytes::copy("signature")});
    EXPECT_LE(message.size(), schema::kTableAnswerBytesMax);
    asker.on_page(bench.now, id, message, out);
  }
  Bench bench;
  TableAsker asker;
};

TEST_F(Tables, all_pages_come_in_order_with_the_owners_values) {
  const auto answer = ask();
  ASSERT_TRUE(answer && answer->has_value());
  const auto& table = std::get<Table>(**answer);
  EXPECT_EQ(table.owner, peer_id(0));
  EXPECT_EQ(table.peers.size(), 900u);
  EXPECT_EQ(table.up.back(), 9u);
  for (const schema::StatementEntry& entry : table.peers) EXPECT_EQ(entry.values.back(), 255);
}

TEST_F(Tables, a_page_that_lies_about_its_place_owner_or_signature_ends_the_request) {
  const auto code = [](const std::optional<Result<Answer>>& answer) {
    return answer && !answer->has_value() ? answer->error().code : Errc::none;
  };
  EXPECT_EQ(code(ask({}, false)), Errc::signature);
  EXPECT_EQ(code(ask([](schema::Statement& page) { page.owner = peer_id(5); })), Errc::identity);
  EXPECT_EQ(code(ask([](schema::Statement& page) { page.epoch_seconds = 5; })), Errc::malformed);
  EXPECT_EQ(code(ask([](schema::Statement& page) {
              page.entries.clear();
              page.more = true;
            })),
            Errc::malformed);
  schema::Statement first;
  EXPECT_EQ(code(ask([&](schema::Statement& page) {
              if (first.entries.empty()) first = page;
              page = first;  // the first page for ever
            })),
            Errc::malformed);
  EXPECT_EQ(asker.counters(), (AnswerCounters{2, 1, 2, 0, 0, 0, 0}));
}

// Answers of the peer that was asked, each counted apart: all but the last two are its fault.
TEST_F(Tables, each_kind_of_faulty_answer_is_counted_apart) {
  schema::Statement statement;
  statement.owner = peer_id(0);
  statement.time_ms = beat_at(bench.now, 1, kShort).time_ms;
  statement.epoch_seconds = 600;
  statement.first_epoch = 1;
  statement.up_slots = {1};
  statement.entries = {{peer_id(1), {255}}};
  const auto page = [](const schema::Statement& made) {
    return schema::encode_signed_statement(
        {schema::encode_statement(made), Bytes::copy("signature")});
  };
  const Bytes good = page(statement);
  schema::Statement others = statement, ahead = statement, first = statement, moved = statement;
  others.owner = peer_id(5);
  ahead.time_ms += 1000 * static_cast<std::uint64_t>(kWindow / 1s) + 1000;
  first.more = true;
  moved.first_epoch = 2;
  const Bytes rubbish = Bytes::adopt(std::vector<std::uint8_t>(64, 0xFF));
  const Bytes large = Bytes::adopt(std::vector<std::uint8_t>(schema::kTableAnswerBytesMax + 8));
  struct Case {
    std::string name;
    std::vector<Bytes> pages;
    bool valid;
    Errc ends;
    AnswerCounters counted;
  };
  const std::vector<Case> cases = {
      {"honest", {good}, true, Errc::none, {}},
      {"not signed by its owner", {good}, false, Errc::signature, {.forged = 1}},
      {"another's", {page(others)}, true, Errc::identity, {.forged = 1}},
      {"the first again", {page(first), page(first)}, true, Errc::malformed, {.replayed = 1}},
      {"not of its schema", {rubbish}, true, Errc::malformed, {.malformed = 1}},
      {"cut", {good.slice(0, good.size() / 16 * 8)}, true, Errc::truncated, {.truncated = 1}},
      {"cut within a word", {good.slice(0, 9)}, true, Errc::truncated, {.truncated = 1}},
      {"above its maximum", {large}, true, Errc::oversized, {.oversized = 1}},
      {"an epoch ended", {page(first), page(moved)}, true, Errc::refused, {.stale = 1}},
      {"of a time ahead", {page(ahead)}, true, Errc::none, {.future = 1}},
  };
  for (const Case& one : cases) {
    TableAsker asks(kShort);
    Effects out;
    const RequestId id{1};
    asks.ask(id, peer_id(0), out);
    asks.on_owner_connected(id, host::PeerSlot{1, 1}, out);
    std::optional<Errc> ended;
    for (const Bytes& answer : one.pages) {
      asks.on_page(bench.now, id, answer, out);
      asks.on_checked(id, one.valid, out);
    }
    for (const Effect& effect : out)
      if (const auto* done = std::get_if<TellDone>(&effect))
        ended = done->answer ? Errc::none : done->answer.error().code;
    EXPECT_EQ(ended, one.ends) << one.name;
    EXPECT_EQ(asks.counters(), one.counted) << one.name;
  }
}

TEST_F(Tables, an_answer_that_the_host_cut_off_as_too_long_is_counted_and_a_lost_stream_is_not) {
  Effects out;
  asker.ask(RequestId{1}, peer_id(0), out);
  asker.on_page_failed(RequestId{1}, fail(Errc::oversized, "longer than allowed"), out);
  asker.ask(RequestId{2}, peer_id(0), out);
  asker.on_page_failed(RequestId{2}, fail(Errc::closed, "reset"), out);
  EXPECT_EQ(asker.counters(), (AnswerCounters{.oversized = 1}));
}

TEST_F(Tables, each_kind_of_faulty_question_is_counted_apart_and_refused) {
  const Bytes good = schema::encode_table_question(peer_id(1));
  const auto ask = [&](const Bytes& question) {
    Effects out;
    bench.core->on_question(bench.now, {6, 1}, {9, 1}, question, out);
    EXPECT_EQ(out.size(), 1u);
    return std::holds_alternative<RefuseQuestion>(out[0]);
  };
  EXPECT_FALSE(ask(good));
  EXPECT_TRUE(ask(Bytes::adopt(std::vector<std::uint8_t>(64, 0xFF))));
  EXPECT_TRUE(ask(good.slice(0, good.size() - 8)));
  EXPECT_TRUE(ask(Bytes::adopt(std::vector<std::uint8_t>(schema::kTableQuestionBytesMax + 8))));
  EXPECT_EQ(bench.core->status().questions,
            (QuestionCounters{.malformed = 1, .truncated = 1, .oversized = 1}));
  bench.core = std::make_unique<PoaCore>(PoaCoreConfig{peer_id(0), 0, kShort, true}, Rng(1));
  EXPECT_TRUE(ask(good)) << "nothing is loaded yet";
  EXPECT_EQ(bench.core->status().questions, (QuestionCounters{.unready = 1}));
}

TEST_F(Tables, a_peer_that_asks_without_end_is_refused) {
  Effects out;
  for (std::uint32_t i = 0; i < kPagesBurst + 5; ++i)
    bench.core->on_question(bench.now, {7, 1}, {9, 1}, schema::encode_table_question({}), out);
  EXPECT_EQ(bench.core->status().pages_given, kPagesBurst);
  EXPECT_EQ(bench.core->status().questions.flooding, 5u);
  bench.core->on_question(bench.now, {8, 1}, {9, 1}, Bytes::copy("rubbish!"), out);
  EXPECT_EQ(bench.core->status().questions, (QuestionCounters{5, 1, 0, 0, 0}));
}

}  // namespace
}  // namespace kith::poa
