#include "net/crypto/x25519.hpp"

#include "net/base/check.hpp"
#include "net/crypto/sodium.hpp"

namespace kith::crypto {

static_assert(kX25519Bytes == crypto_scalarmult_BYTES);
static_assert(kX25519Bytes == crypto_scalarmult_SCALARBYTES);

X25519Key::X25519Key(const Wiped<kX25519Bytes>& secret) : secret_(secret) {
  require_sodium();
  CHECK(crypto_scalarmult_base(public_.data(), secret_.data()) == 0);
}

X25519Key X25519Key::make(Rng& rng) {
  Wiped<kX25519Bytes> secret;
  rng.fill(secret.span());
  return X25519Key(secret);
}

Result<X25519Shared> X25519Key::agree(const X25519Public& theirs) const {
  X25519Shared shared;
  // libsodium answers -1 when the result is all zero, in constant time.
  if (crypto_scalarmult(shared.data(), secret_.data(), theirs.data()) != 0)
    return fail(Errc::malformed, "the other side's X25519 key is a point of low order");
  return shared;
}

}  // namespace kith::crypto
