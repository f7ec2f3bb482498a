// Laws: every field lies within the message; written again they read the same; counting and reading
// agree on what is a message.
// Links: kith_schema_libp2p
#include "schema/libp2p/proto.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {
using kith::libp2p::Field;

void write(const std::vector<Field>& fields, auto& to) {
  for (const Field& field : fields) {
    const std::uint32_t number = field.key >> 3;
    switch (field.key & 7) {
      case 0:
        to.varint(number, field.number);
        break;
      case 1:
        to.fixed64(number, field.number);
        break;
      case 2:
        to.bytes(number, field.bytes);
        break;
      default:
        to.fixed32(number, field.uint32());
        break;
    }
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::ByteView message(data, size);
  std::vector<Field> fields;
  const auto read = kith::libp2p::read_message(message, [&](const Field& field) {
    fields.push_back(field);
    if (field.bytes.empty()) return;
    FUZZ_CHECK(field.bytes.data() >= data && field.bytes.size() <= size);
    FUZZ_CHECK(field.bytes.data() + field.bytes.size() <= data + size);
  });
  const auto count = kith::libp2p::count_field(message, kith::libp2p::bytes_key(1));
  FUZZ_CHECK(count.has_value() == read.has_value());
  if (!read) return 0;
  FUZZ_CHECK(*count <= fields.size());
  const kith::Bytes written = kith::libp2p::encode([&](auto& to) { write(fields, to); });
  FUZZ_CHECK(written.size() <= size);
  std::size_t at = 0;
  const auto again = kith::libp2p::read_message(written, [&](const Field& field) {
    FUZZ_CHECK(at < fields.size() && field.key == fields[at].key);
    FUZZ_CHECK(field.number == fields[at].number && kith::equal(field.bytes, fields[at].bytes));
    ++at;
  });
  FUZZ_CHECK(again && at == fields.size());
  return 0;
}
