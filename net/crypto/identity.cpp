#include "net/crypto/identity.hpp"

#include <algorithm>

#include "net/base/check.hpp"
#include "net/crypto/sodium.hpp"

namespace kith::crypto {

namespace {

constexpr std::size_t kSecretBytes = 64;  // seed, public key
constexpr std::array<std::uint8_t, 4> kPrefix = {0x08, 0x01, 0x12, 0x40};
static_assert(kPrefix.size() + kSecretBytes == kPrivateKeyBytes);
static_assert(kSecretBytes == crypto_sign_SECRETKEYBYTES);
static_assert(kEd25519SeedBytes == crypto_sign_SEEDBYTES);

}  // namespace

Identity::Identity(GuardedSecret secret, PublicKey key)
    : secret_(std::move(secret)), public_(std::move(key)) {}

Identity Identity::of_seed(const Wiped<kEd25519SeedBytes>& seed, Guard guard) {
  require_sodium();
  Ed25519Public key{};
  Wiped<kSecretBytes> secret;
  CHECK(crypto_sign_seed_keypair(key.data(), secret.data(), seed.data()) == 0);
  return Identity(GuardedSecret(secret, guard), PublicKey::of_ed25519(key));
}

Identity Identity::make(Rng& rng, Guard guard) {
  Wiped<kEd25519SeedBytes> seed;
  rng.fill(seed.span());
  return of_seed(seed, guard);
}

Result<Identity> Identity::decode(ByteView encoded) {
  if (encoded.size() != kPrivateKeyBytes)
    return fail(Errc::malformed, "private key of " + std::to_string(encoded.size()) +
                                     " bytes, not " + std::to_string(kPrivateKeyBytes));
  if (!equal(encoded.first(kPrefix.size()), kPrefix))
    return fail(Errc::malformed, "not an Ed25519 private key in libp2p's encoding");
  const ByteView secret = encoded.subspan(kPrefix.size());
  Identity made = of_seed(Wiped<kEd25519SeedBytes>(secret.first<kEd25519SeedBytes>()));
  if (!equal_in_constant_time(made.secret_.view(), secret))
    return fail(Errc::malformed, "the private key's public half belongs to another key");
  return made;
}

Wiped<kPrivateKeyBytes> Identity::encode() const {
  Wiped<kPrivateKeyBytes> encoded;
  std::copy(kPrefix.begin(), kPrefix.end(), encoded.data());
  const ByteView secret = secret_.view();
  std::copy(secret.begin(), secret.end(), encoded.data() + kPrefix.size());
  return encoded;
}

Signature Identity::sign(ByteView message) const {
  Signature signature{};
  CHECK(crypto_sign_detached(signature.data(), nullptr, start_of(message), message.size(),
                             secret_.view().data()) == 0);
  return signature;
}

}  // namespace kith::crypto
