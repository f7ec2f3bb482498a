// Cap'n Proto from strangers and from a damaged disk: offers, questions, answers, records.
// Links: kith_schema_kith
#include "schema/kith/r1fs_messages.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Bytes message = Bytes::copy(ByteView(bytes, size));
  if (const auto offer = schema::decode_offer(message)) {
    FUZZ_CHECK(!offer->blocks.empty() && offer->blocks.size() <= schema::kOfferBlocksMax);
    const auto again = schema::decode_offer(schema::encode_offer(*offer));
    // Written out without sharing it may be longer than the maximum.
    if (again) {
      FUZZ_CHECK(again->root == offer->root && again->blocks.size() == offer->blocks.size());
      for (std::size_t i = 0; i < offer->blocks.size(); ++i)
        FUZZ_CHECK(again->blocks[i].cid == offer->blocks[i].cid);
    }
  }
  (void)schema::decode_holds_question(message);
  (void)schema::decode_holds_answer(message);
  if (const auto record = schema::decode_file_record(message))
    FUZZ_CHECK(schema::decode_file_record(schema::encode_file_record(*record)).has_value());
  if (const auto record = schema::decode_block_record(message))
    FUZZ_CHECK(schema::decode_block_record(schema::encode_block_record(*record))->size ==
               record->size);
  return 0;
}
