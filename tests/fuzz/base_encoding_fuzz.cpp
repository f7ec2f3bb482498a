// Laws: bytes come back from every base; a text that decodes is the only one for its bytes.
// Links: kith_schema_base
#include "schema/base/base_encoding.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {
using Encode = std::string (*)(kith::ByteView);
using Decode = kith::Decoded (*)(std::string_view);

struct Base {
  Encode encode;
  Decode decode;
  bool one_text;
};
constexpr Base kBases[] = {
    {kith::to_base16, kith::from_base16, false},  // both cases are read
    {kith::to_base32, kith::from_base32, true},
    {kith::to_base36, kith::from_base36, true},
    {kith::to_base58, kith::from_base58, true},
    {kith::to_base64, kith::from_base64, true},
    {kith::to_base64url, kith::from_base64url, true},
    {kith::to_base64_i2p, kith::from_base64_i2p, true},
};
constexpr std::size_t kBytesMax = 256;  // base58 of them stays below kDivisionTextMax
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::ByteView bytes(data, size);
  for (const Base& base : kBases) {
    if (size <= kBytesMax) FUZZ_CHECK(kith::equal(*base.decode(base.encode(bytes)), bytes));
    const kith::Decoded decoded = base.decode(kith::as_text(bytes));
    if (decoded && base.one_text) FUZZ_CHECK(base.encode(*decoded) == kith::as_text(bytes));
  }
  (void)kith::from_multibase(kith::as_text(bytes));
  (void)kith::quote_text(kith::as_text(bytes));
  return 0;
}
