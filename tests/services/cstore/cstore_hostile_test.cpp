// What hostile messages count as, and whom they are blamed on: a table of kinds, each on a topic,
// in an answer to us and, where it can be, in a question to us.
#include "tests/services/cstore/core_world.hpp"

namespace kith::cstore::test {
namespace {

using gossip::Verdict;

// Of Counters, those that tell hostile messages apart.
struct Counts {
  std::uint64_t forged = 0, replayed = 0, malformed = 0, truncated = 0, oversized = 0, future = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};
std::ostream& operator<<(std::ostream& out, const Counts& c) {
  return out << "forged " << c.forged << ", replayed " << c.replayed << ", malformed "
             << c.malformed << ", truncated " << c.truncated << ", oversized " << c.oversized
             << ", future " << c.future;
}
Counts counts(CoreWorld& world) {
  const Counters c = world.counters(0);
  return {c.forged, c.replayed, c.malformed, c.truncated, c.oversized, c.future};
}
Counts minus(const Counts& a, const Counts& b) {
  return {a.forged - b.forged,       a.replayed - b.replayed,   a.malformed - b.malformed,
          a.truncated - b.truncated, a.oversized - b.oversized, a.future - b.future};
}

schema::KvBatch batch_of(const CoreWorld& world, std::uint64_t sequence, Duration ahead = {}) {
  HybridClock clock;
  const Stamp stamp = *clock.next(world.now.wall + ahead);
  return {"s", {peer_id(9), 1, 1}, sequence, stamp, {put_op("k", "hostile")}};
}

struct Kind {
  std::string name;
  Bytes message;
  Counts counted;
  Verdict relayed = Verdict::reject;  // when another than its writer handed it to us
  bool shunned = true;                // who put it into an answer to us
};

Bytes signed_by(std::uint32_t signer, const schema::KvBatch& batch) {
  const Bytes body = schema::encode_kv_batch(batch);
  return schema::encode_kv_signed(body, sign(peer_id(signer), body));
}

// Batch 1 of writer 9 is held already.
std::vector<Kind> kinds(const CoreWorld& world) {
  const schema::KvBatch next = batch_of(world, 2);
  const Bytes whole = seal(next);
  schema::KvBatch elsewhere = next;
  elsewhere.space = "other";
  const Bytes body = schema::encode_kv_batch(next);
  const Bytes cut = Bytes::copy(body.view().first(body.size() / 16 * 8));
  std::vector<std::uint8_t> rubbish(whole.size(), 0xFF);
  const Duration little = kClockAheadMax + 40s, far = 3 * kClockAheadMax;
  return {
      {"signed by another", signed_by(8, next), {.forged = 1}},
      {"of another namespace", seal(elsewhere), {.forged = 1}},
      {"held already", seal(batch_of(world, 1)), {.replayed = 1}, Verdict::ignore, false},
      {"not of its schema", Bytes::adopt(std::move(rubbish)), {.malformed = 1}},
      {"without a number", seal(batch_of(world, 0)), {.malformed = 1}},
      {"cut within a word", whole.slice(0, whole.size() - 3), {.truncated = 1}},
      {"cut between words", whole.slice(0, whole.size() / 16 * 8), {.truncated = 1}},
      {"of one word", whole.slice(0, 8), {.truncated = 1}},
      {"its body is cut", schema::encode_kv_signed(cut, sign(peer_id(9), cut)), {.truncated = 1}},
      {"a minute ahead", seal(batch_of(world, 2, little)), {.future = 1}, Verdict::ignore, false},
      {"far ahead", seal(batch_of(world, 2, far)), {.future = 1}, Verdict::reject, false},
  };
}

void join(CoreWorld& world) {
  ASSERT_TRUE(world.put(0, "mine", "v"));
  ASSERT_EQ(world.hear(0, batch_of(world, 1)), Verdict::accept);
}

TEST(CstoreHostile, each_kind_on_a_topic_is_counted_apart_and_blames_who_could_see_it) {
  CoreWorld probe(1);
  for (const Kind& kind : kinds(probe)) {
    CoreWorld world(1);
    join(world);
    const auto root = world.info(0).root;
    EXPECT_EQ(world.hear(0, kind.message, peer_id(9), peer_id(7)), kind.relayed) << kind.name;
    EXPECT_EQ(counts(world), kind.counted) << kind.name;
    EXPECT_EQ(world.info(0).root, root) << kind.name;
  }
}

TEST(CstoreHostile, a_message_above_the_maximum_or_of_another_publisher_blames_its_forwarder) {
  CoreWorld world(1);
  join(world);
  const Bytes large = Bytes::adopt(std::vector<std::uint8_t>(schema::kKvSignedBytesMax + 8));
  EXPECT_EQ(world.hear(0, large, peer_id(9), peer_id(7)), Verdict::reject);
  EXPECT_EQ(counts(world), (Counts{.oversized = 1}));
  EXPECT_EQ(world.hear(0, seal(batch_of(world, 2)), peer_id(8), peer_id(7)), Verdict::reject);
  EXPECT_EQ(counts(world), (Counts{.forged = 1, .oversized = 1}));
}

// Asks a peer that puts the message into a page of its own making, and then says whether it is
// asked again.
bool asked_again(CoreWorld& world, const Bytes& page) {
  bool given = false, again = false;
  world.node(0).knows = {1};
  world.impostor = [&](std::uint32_t, const Bytes& ask) -> std::optional<Bytes> {
    schema::KvPage same;
    same.same = given;
    if (given) again = true;
    if (given || !schema::decode_kv_ask(ask)->full) return schema::encode_kv_page(same);
    given = true;
    return page;
  };
  world.pass(1min);
  EXPECT_TRUE(given);
  world.impostor = {};
  world.node(0).knows.clear();
  return again;
}

TEST(CstoreHostile, each_kind_in_an_answer_is_counted_apart_and_blames_who_answered) {
  CoreWorld probe(1);
  for (const Kind& kind : kinds(probe)) {
    CoreWorld world(2);
    join(world);
    schema::KvPage page;
    page.batches = {kind.message};
    const auto root = world.info(0).root;
    EXPECT_EQ(asked_again(world, schema::encode_kv_page(page)), !kind.shunned) << kind.name;
    EXPECT_EQ(counts(world), kind.counted) << kind.name;
    EXPECT_EQ(world.info(0).root, root) << kind.name;
  }
}

TEST(CstoreHostile, answers_that_are_no_pages_are_counted_apart_and_blame_who_answered) {
  schema::KvPage page;
  page.batches = {Bytes::copy(std::string(100, 'x'))};
  const Bytes whole = schema::encode_kv_page(page);
  const std::vector<std::pair<Bytes, Counts>> answers = {
      {Bytes::adopt(std::vector<std::uint8_t>(64, 0xFF)), {.malformed = 1}},
      {whole.slice(0, whole.size() - 8), {.truncated = 1}},
      {Bytes(), {.truncated = 1}},
      {Bytes::adopt(std::vector<std::uint8_t>(schema::kKvStreamBytesMax + 8)), {.oversized = 1}},
  };
  for (const auto& [answer, counted] : answers) {
    CoreWorld world(2);
    join(world);
    EXPECT_FALSE(asked_again(world, answer)) << counted;
    EXPECT_EQ(counts(world), counted);
  }
}

TEST(CstoreHostile, an_answer_that_the_host_cut_off_as_too_long_blames_who_answered) {
  CoreWorld world(1);
  join(world);
  Effects out;
  world.core(0).on_holders(world.now, 0, {{1, 0}}, out);
  const std::uint64_t pull = std::get<SendAsk>(out.at(0)).pull;
  const Error long_one = fail(Errc::oversized, "longer than the protocol allows");
  world.core(0).on_pull_lost(world.now, pull, &long_one, out);
  EXPECT_EQ(counts(world), (Counts{.oversized = 1}));
  out.clear();
  world.core(0).on_holders(world.now, 0, {{1, 0}}, out);
  EXPECT_TRUE(out.empty()) << "it is not asked again";
  world.core(0).on_holders(world.now, 0, {{2, 0}}, out);
  const Error reset = fail(Errc::closed, "reset");
  world.core(0).on_pull_lost(world.now, std::get<SendAsk>(out.at(0)).pull, &reset, out);
  EXPECT_EQ(counts(world), (Counts{.oversized = 1})) << "a lost stream is nobody's fault";
}

TEST(CstoreHostile, questions_that_cannot_be_read_are_counted_apart_and_refused) {
  schema::KvAsk ask;
  ask.space = "s";
  const Bytes whole = schema::encode_kv_ask(ask);
  const std::vector<std::pair<Bytes, Counts>> questions = {
      {Bytes::adopt(std::vector<std::uint8_t>(64, 0xFF)), {.malformed = 1}},
      {whole.slice(0, whole.size() - 8), {.truncated = 1}},
      {Bytes::adopt(std::vector<std::uint8_t>(schema::kKvStreamBytesMax + 8)), {.oversized = 1}},
  };
  CoreWorld world(1);
  join(world);
  for (const auto& [question, counted] : questions) {
    const Counts before = counts(world);
    Effects out;
    world.core(0).on_ask(world.now, {900, 0}, {1, 0}, question, out);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<Refuse>(out[0]));
    EXPECT_EQ(minus(counts(world), before), counted);
  }
}

}  // namespace
}  // namespace kith::cstore::test
