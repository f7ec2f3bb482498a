// Law: what reads as a varint is what would be written for its value, and no more is read.
// Links: kith_schema_base
#include "schema/base/varint.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::ByteView bytes(data, size);
  const kith::VarintRead read = kith::read_varint(bytes);
  if (read.state == kith::VarintRead::State::more) FUZZ_CHECK(size < kith::kVarintBytesMax);
  if (read.state != kith::VarintRead::State::complete) return 0;
  std::vector<std::uint8_t> written;
  kith::append_varint(written, read.value);
  FUZZ_CHECK(read.length <= size && kith::equal(written, bytes.first(read.length)));
  return 0;
}
