// Law: a CID that decodes from bytes or text is the same after printing and parsing.
// Links: kith_schema_base
#include "schema/base/cid.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::ByteView bytes(data, size);
  std::size_t used = 0;
  if (const auto cid = kith::Cid::decode_front(bytes, used)) {
    FUZZ_CHECK(used <= size && kith::equal(cid->bytes(), bytes.first(used)));
    FUZZ_CHECK(*kith::Cid::parse(cid->text()) == *cid);
  }
  if (const auto cid = kith::Cid::parse(kith::as_text(bytes))) {
    FUZZ_CHECK(*kith::Cid::decode(cid->bytes()) == *cid);
    FUZZ_CHECK(*kith::Cid::parse(cid->text()) == *cid);
  }
  return 0;
}
