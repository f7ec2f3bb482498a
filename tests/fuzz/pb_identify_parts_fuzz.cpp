// Law: parts that are each whole merge to what one message of them all is. The first byte of the
// input is the length of the parts.
// Links: kith_schema_libp2p
#include <algorithm>

#include "schema/libp2p/identify.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = std::size_t{data[0]} + 1;
  const kith::Bytes all = kith::Bytes::copy(kith::ByteView(data + 1, size - 1));
  kith::libp2p::IdentifyParts parts;
  bool whole = true;
  for (std::size_t at = 0; at < all.size(); at += step) {
    const kith::Bytes part = all.slice(at, step);
    whole = whole && kith::libp2p::decode_identify(part);
    if (!parts.add(part)) return 0;
  }
  const auto merged = parts.finish();
  if (!merged) return 0;
  FUZZ_CHECK(whole);
  if (all.size() <= kith::libp2p::kIdentifyPartMax)
    FUZZ_CHECK(*merged == *kith::libp2p::decode_identify(all));
  return 0;
}
