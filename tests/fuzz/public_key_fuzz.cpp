// Keys of all four kinds. First byte: how many of the following bytes are a signature (times two);
// the rest is a key. Whatever decodes is its own one encoding.
#include <algorithm>

#include "net/crypto/identity.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 1) return 0;
  const ByteView input(bytes + 1, size - 1);
  const ByteView signature = input.first(std::min<std::size_t>(bytes[0] * 2u, input.size()));
  const ByteView encoded = input.subspan(signature.size());
  const auto key = crypto::PublicKey::decode(encoded);
  if (key) {
    FUZZ_CHECK(equal(key->encoded(), encoded));
    FUZZ_CHECK(key->peer_id() == PeerId::of_public_key(encoded));
    const auto from_id = crypto::PublicKey::of_peer(key->peer_id());
    if (from_id) FUZZ_CHECK(*from_id == *key);
    // A signature of "message" that the corpus does not hold cannot be found by chance.
    (void)key->verify(as_bytes("message"), signature);
  }
  const auto identity = crypto::Identity::decode(encoded);
  if (identity) FUZZ_CHECK(equal(identity->encode(), encoded));
  return 0;
}
