// Beats, questions and tables from strangers; records from a damaged disk.
// Links: kith_schema_kith
#include "schema/kith/bit_runs.hpp"
#include "schema/kith/poa_messages.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const ByteView input(bytes, size);
  if (const auto beat = schema::decode_beat(input)) {
    FUZZ_CHECK(size <= schema::kBeatBytesMax);
    FUZZ_CHECK(*schema::decode_beat(schema::encode_beat(*beat)) == *beat);
  }
  (void)schema::decode_table_question(input);
  (void)schema::decode_signed_statement(input);
  if (const auto statement = schema::decode_statement(input)) {
    FUZZ_CHECK(statement->entries.size() <= schema::kStatementEntriesMax);
    for (const auto& entry : statement->entries)
      FUZZ_CHECK(entry.values.size() == statement->up_slots.size());
  }
  (void)schema::decode_poa_peer(input);
  if (const auto record = schema::decode_poa_epoch(input)) {
    const auto again = schema::decode_poa_epoch(schema::encode_poa_epoch(*record));
    FUZZ_CHECK(again && again->slots == record->slots && again->parts == record->parts);
  }
  if (size > 0) {
    const std::uint32_t bits = 1 + bytes[0] % 100u;
    if (const auto bitmap = schema::unpack_bits(input.subspan(1), bits))
      FUZZ_CHECK(*schema::unpack_bits(schema::pack_bits(*bitmap, bits), bits) == *bitmap);
  }
  return 0;
}
