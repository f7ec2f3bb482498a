// Identity: this node's Ed25519 key pair, from which its peer id follows. The secret half lives in
// guarded memory, is never copied out but by encode() (for the key file), and signs only: nothing
// is ever encrypted to it.
//
// Whoever signs something of Kith's own uses sign_in_domain (signing.hpp); sign() as it stands is
// for libp2p's wire, which has its own prefixes.
#pragma once

#include "net/base/rng.hpp"
#include "net/crypto/public_key.hpp"
#include "net/crypto/secret.hpp"

namespace kith::crypto {

// The libp2p PrivateKey message for Ed25519: 08 01 12 40, then seed and public key.
inline constexpr std::size_t kPrivateKeyBytes = 68;
inline constexpr std::size_t kEd25519SeedBytes = 32;

class Identity {
 public:
  static Identity make(Rng& rng, Guard guard = Guard::pages);
  static Identity of_seed(const Wiped<kEd25519SeedBytes>& seed, Guard guard = Guard::pages);
  // Refuses other key types, and a public half that does not belong to the secret one.
  static Result<Identity> decode(ByteView encoded);
  Wiped<kPrivateKeyBytes> encode() const;

  const PublicKey& public_key() const { return public_; }
  const PeerId& id() const { return public_.peer_id(); }
  Signature sign(ByteView message) const;

 private:
  Identity(GuardedSecret secret, PublicKey key);

  GuardedSecret secret_;  // seed and public key, 64 bytes
  PublicKey public_;
};

}  // namespace kith::crypto
