// Law: a peer id that decodes from bytes or text is the same after printing and parsing.
// Links: kith_schema_base
#include "schema/base/peer_id.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {
void check(const kith::PeerId& id) {
  FUZZ_CHECK(*kith::PeerId::decode(id.bytes()) == id);
  FUZZ_CHECK(*kith::PeerId::parse(id.text()) == id);
  FUZZ_CHECK(*kith::PeerId::parse(id.text_cid()) == id);
  if (const auto key = id.inlined_key()) FUZZ_CHECK(kith::PeerId::of_public_key(*key) == id);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::ByteView bytes(data, size);
  if (const auto id = kith::PeerId::decode(bytes)) {
    FUZZ_CHECK(kith::equal(id->bytes(), bytes));
    check(*id);
  }
  if (const auto id = kith::PeerId::parse(kith::as_text(bytes))) check(*id);
  return 0;
}
