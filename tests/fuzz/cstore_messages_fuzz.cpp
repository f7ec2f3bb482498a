// Cap'n Proto from strangers and from a damaged disk: batches, signed batches, questions, pages,
// records. What decodes keeps its bounds, and is the same after another round.
// Links: kith_schema_kith
#include "schema/kith/cstore_messages.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;
using namespace kith::schema;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const ByteView message(bytes, size);
  if (const auto batch = decode_kv_batch(message)) {
    FUZZ_CHECK(is_kv_space(batch->space) && batch->sequence > 0);
    FUZZ_CHECK(!batch->ops.empty() && batch->ops.size() <= kKvOpsMax);
    for (const KvOp& op : batch->ops) {
      FUZZ_CHECK(!op.key.empty() && op.key.size() <= kKvKeyMax);
      FUZZ_CHECK(op.value.size() <= kKvValueMax);
    }
    // Written out without sharing it may be longer than the maximum.
    if (const auto again = decode_kv_batch(encode_kv_batch(*batch)))
      FUZZ_CHECK(again->writer == batch->writer && again->stamp == batch->stamp &&
                 again->ops.size() == batch->ops.size());
  }
  if (const auto outer = decode_kv_signed(message)) {
    const auto again = decode_kv_signed(encode_kv_signed(outer->body, outer->signature));
    FUZZ_CHECK(!again || again->body == outer->body);
    (void)decode_kv_batch(outer->body);
  }
  if (const auto ask = decode_kv_ask(message)) {
    FUZZ_CHECK(is_kv_space(ask->space) && ask->marks.size() <= kKvMarksMax);
    (void)decode_kv_ask(encode_kv_ask(*ask));
  }
  if (const auto page = decode_kv_page(message)) {
    FUZZ_CHECK(page->batches.size() <= kKvPageBatchesMax && page->forks.size() <= kKvMarksMax);
    for (const Bytes& batch : page->batches) FUZZ_CHECK(batch.size() <= kKvSignedBytesMax);
  }
  if (const auto record = decode_kv_space_record(message))
    FUZZ_CHECK(decode_kv_space_record(encode_kv_space_record(*record))->nonce == record->nonce);
  return 0;
}
