// Laws: a private key that decodes lies within the message and is the same after writing.
// Links: kith_schema_libp2p
#include "schema/libp2p/keys.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto key = kith::libp2p::decode_private_key({data, size});
  if (!key) return 0;
  FUZZ_CHECK(key->data.size() <= size);
  std::vector<std::uint8_t> written(kith::libp2p::private_key_size(*key));
  kith::libp2p::write_private_key(*key, written);
  const auto again = kith::libp2p::decode_private_key(written);
  FUZZ_CHECK(again && again->type == key->type && kith::equal(again->data, key->data));
  return 0;
}
