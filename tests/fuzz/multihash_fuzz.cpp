// Law: a multihash that decodes keeps its bytes, and its parts lie within them.
// Links: kith_schema_base
#include "schema/base/multihash.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::ByteView bytes(data, size);
  std::size_t used = 0;
  const kith::Result<kith::Multihash> hash = kith::Multihash::decode_front(bytes, used);
  if (!hash) return 0;
  FUZZ_CHECK(used <= size && kith::equal(hash->bytes(), bytes.first(used)));
  FUZZ_CHECK(hash->digest().size() <= kith::kMultihashDigestMax);
  FUZZ_CHECK(hash->digest().data() + hash->digest().size() == hash->bytes().end());
  (void)hash->function();
  return 0;
}
