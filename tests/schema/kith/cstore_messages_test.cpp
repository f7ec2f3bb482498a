#include "schema/kith/cstore_messages.hpp"

#include <rapidcheck/gtest.h>

#include "net/base/rng.hpp"

namespace kith::schema {
namespace {

PeerId somebody() { return PeerId::of_public_key(as_bytes("somebody")); }

KvBatch small_batch() {
  return {"shared",
          {somebody(), 1, 2},
          3,
          4,
          {{KvOpKind::put, Bytes::copy("k"), Bytes::copy("v"), 0, 0},
           {KvOpKind::del, Bytes::copy("gone"), {}, 0, 0},
           {KvOpKind::counter, Bytes::copy("n"), {}, UINT64_MAX, 7}}};
}

TEST(CstoreMessages, a_batch_comes_back_as_it_was) {
  const KvBatch batch = small_batch();
  const auto again = decode_kv_batch(encode_kv_batch(batch));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->space, batch.space);
  EXPECT_EQ(again->writer, batch.writer);
  EXPECT_EQ(again->sequence, 3u);
  EXPECT_EQ(again->stamp, 4u);
  ASSERT_EQ(again->ops.size(), 3u);
  EXPECT_EQ(again->ops[0].value.text(), "v");
  EXPECT_EQ(again->ops[1].kind, KvOpKind::del);
  EXPECT_EQ(again->ops[2].up, UINT64_MAX);
  EXPECT_EQ(again->ops[2].down, 7u);
}

TEST(CstoreMessages, what_is_cut_anywhere_is_truncated_and_rubbish_is_malformed) {
  const Bytes body = encode_kv_batch(small_batch());
  const Bytes whole = encode_kv_signed(body, as_bytes("a signature"));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(decode_kv_signed(whole.slice(0, size)).error().code, Errc::truncated) << size;
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto cut = decode_kv_batch(body.slice(0, size));
    ASSERT_FALSE(cut.has_value()) << size;
    EXPECT_EQ(cut.error().code, Errc::truncated) << size;
  }
  const std::vector<std::uint8_t> rubbish(64, 0xFF);
  EXPECT_EQ(decode_kv_signed(rubbish).error().code, Errc::malformed);
}

TEST(CstoreMessages, names_of_namespaces_can_stand_in_a_topic) {
  EXPECT_TRUE(is_kv_space("a-b_c.9"));
  EXPECT_TRUE(is_kv_space(std::string(kKvSpaceMax, 'a')));
  for (const char* bad : {"", "A", "a/b", "a b", "\xC3\xA4"}) EXPECT_FALSE(is_kv_space(bad)) << bad;
  EXPECT_FALSE(is_kv_space(std::string(kKvSpaceMax + 1, 'a')));
}

TEST(CstoreMessages, a_batch_beyond_its_bounds_does_not_decode) {
  const auto code = [](const KvBatch& batch) {
    const auto decoded = decode_kv_batch(encode_kv_batch(batch));
    return decoded ? Errc::none : decoded.error().code;
  };
  KvBatch batch = small_batch();
  EXPECT_EQ(code(batch), Errc::none);
  batch.space = "No";
  EXPECT_EQ(code(batch), Errc::malformed);
  batch.space = std::string(kKvSpaceMax + 1, 'a');
  EXPECT_EQ(code(batch), Errc::oversized);
  batch = small_batch();
  batch.sequence = 0;
  EXPECT_EQ(code(batch), Errc::malformed);
  batch = small_batch();
  batch.ops.clear();
  EXPECT_EQ(code(batch), Errc::malformed);
  batch.ops.assign(kKvOpsMax + 1, {KvOpKind::del, Bytes::copy("k"), {}, 0, 0});
  EXPECT_EQ(code(batch), Errc::oversized);
  batch = small_batch();
  batch.ops[0].key = {};
  EXPECT_EQ(code(batch), Errc::malformed);
  batch.ops[0].key = Bytes::copy(std::string(kKvKeyMax + 1, 'k'));
  EXPECT_EQ(code(batch), Errc::oversized);
  batch = small_batch();
  batch.ops[0].value = Bytes::copy(std::string(kKvValueMax + 1, 'v'));
  EXPECT_EQ(code(batch), Errc::oversized);
  batch = small_batch();
  batch.ops[0].kind = static_cast<KvOpKind>(9);
  EXPECT_EQ(code(batch), Errc::unsupported);
  batch = small_batch();
  batch.writer.id = {};
  EXPECT_NE(code(batch), Errc::none);
}

TEST(CstoreMessages, the_largest_of_each_fits_what_carries_it) {
  KvBatch batch = small_batch();
  batch.ops.assign(1, {KvOpKind::put, Bytes::copy(std::string(kKvKeyMax, 'k')),
                       Bytes::copy(std::string(kKvValueMax, 'v')), 0, 0});
  const Bytes message = encode_kv_signed(encode_kv_batch(batch), as_bytes(std::string(64, 's')));
  EXPECT_TRUE(decode_kv_signed(message).has_value());
  KvAsk ask{"shared", {}, true, {}, {}};
  ask.marks.assign(kKvMarksMax, {{somebody(), UINT64_MAX, UINT64_MAX}, UINT64_MAX, {}});
  const auto again = decode_kv_ask(encode_kv_ask(ask));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->marks.size(), kKvMarksMax);
  ask.marks.resize(kKvMarksMax + 1, ask.marks.front());
  EXPECT_FALSE(decode_kv_ask(encode_kv_ask(ask)).has_value());
  KvPage page{false, true, {}, {}};
  page.batches.assign(kKvPageBatchesMax + 1, {});
  EXPECT_FALSE(decode_kv_page(encode_kv_page(page)).has_value());
}

TEST(CstoreMessages, questions_and_pages_come_back_as_they_were) {
  KvMark mark{{somebody(), 5, 6}, 7, {}};
  mark.digest.fill(9);
  const auto ask = decode_kv_ask(encode_kv_ask({"s", mark.digest, true, {mark}, mark}));
  ASSERT_TRUE(ask.has_value());
  EXPECT_EQ(ask->root, mark.digest);
  EXPECT_EQ(ask->marks.at(0).writer, mark.writer);
  EXPECT_EQ(ask->walk.highest, 7u);
  const auto bare = decode_kv_ask(encode_kv_ask({"s", {}, false, {}, {}}));
  ASSERT_TRUE(bare.has_value());
  EXPECT_TRUE(bare->walk.writer.id.empty());
  const auto page = decode_kv_page(encode_kv_page({false, true, {Bytes::copy("one")}, {mark}}));
  ASSERT_TRUE(page.has_value());
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->batches.at(0).text(), "one");
  EXPECT_EQ(page->forks.at(0).digest, mark.digest);
}

RC_GTEST_PROP(CstoreMessages, whatever_is_cut_or_flipped_decodes_within_bounds_or_not_at_all, ()) {
  const KvBatch batch = small_batch();
  std::vector<std::uint8_t> bytes =
      encode_kv_signed(encode_kv_batch(batch), as_bytes(std::string(64, 's'))).to_vector();
  bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
  const int flips = *rc::gen::inRange(0, 4);
  for (int i = 0; i < flips && !bytes.empty(); ++i)
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^= *rc::gen::arbitrary<std::uint8_t>();
  const auto outer = decode_kv_signed(bytes);
  if (!outer) return;
  const auto inner = decode_kv_batch(outer->body);
  if (!inner) return;
  RC_ASSERT(inner->sequence > 0 && is_kv_space(inner->space));
  for (const KvOp& op : inner->ops)
    RC_ASSERT(!op.key.empty() && op.key.size() <= kKvKeyMax && op.value.size() <= kKvValueMax);
}

}  // namespace
}  // namespace kith::schema
