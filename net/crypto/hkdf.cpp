#include "net/crypto/hkdf.hpp"

#include <algorithm>

#include "net/base/check.hpp"
#include "net/crypto/sodium.hpp"

namespace kith::crypto {

// libsodium's HMAC keeps its state on the stack; libcrypto's would allocate and look up an
// algorithm for inputs of two blocks.

namespace {

HkdfKey hmac(ByteView key, std::initializer_list<ByteView> parts) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, start_of(key), key.size());
  for (const ByteView part : parts)
    crypto_auth_hmacsha256_update(&state, start_of(part), part.size());
  HkdfKey digest;
  crypto_auth_hmacsha256_final(&state, digest.data());
  sodium_memzero(&state, sizeof state);
  return digest;
}

}  // namespace

HkdfKey hkdf_extract(ByteView salt, ByteView input_key) {
  require_sodium();
  return hmac(salt, {input_key});
}

void hkdf_expand(const HkdfKey& key, ByteView info, std::span<std::uint8_t> to) {
  require_sodium();
  CHECK(to.size() <= kHkdfOutputMax);
  HkdfKey block;
  std::uint8_t counter = 1;
  for (std::size_t at = 0; at < to.size(); ++counter) {
    const ByteView previous = counter == 1 ? ByteView{} : ByteView(block);
    block = hmac(key, {previous, info, {&counter, 1}});
    const std::size_t part = std::min(block.size(), to.size() - at);
    std::copy_n(block.data(), part, to.data() + at);
    at += part;
  }
}

}  // namespace kith::crypto
