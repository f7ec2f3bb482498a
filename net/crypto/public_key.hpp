// PublicKey: another peer's identity key in one of libp2p's four kinds (libp2p/specs peer-ids), and
// the check of its signatures.
//
// Rules
// * The encoding must be the deterministic one: type, then data, minimal varints, nothing else, and
// within it the one DER or SEC1 form. A key that had two encodings would have two peer ids.
// * Ed25519 signatures are accepted by one rule everywhere, libsodium's: S below the group order;
// the key canonical; neither the key nor R of small order; and R compared byte for byte with
// S*B - k*A (no cofactor). So all nodes agree on which messages are signed.
// * RSA: 2048 to 4096 bits with an exponent of 3 to 2^31 - 1, PKCS#1 v1.5 with SHA-256. ECDSA:
// P-256 only, SHA-256, DER. secp256k1: compressed keys of 33 bytes, SHA-256, DER; a high S is
// accepted, as the specification does not forbid it. We hold only Ed25519 keys ourselves; the
// others are there so that we can talk to peers that have them.
//
// Attacker: whoever answers. Sizes are checked before a key is parsed, so that an enormous RSA key
// costs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "schema/base/bytes.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"

struct evp_pkey_st;

namespace kith::crypto {

inline constexpr std::size_t kEd25519PublicBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;  // Ed25519: what we make ourselves
inline constexpr int kRsaBitsMin = 2048;
inline constexpr int kRsaBitsMax = 4096;
// An RSA key of 4096 bits takes 560 bytes, and its signature 512.
inline constexpr std::size_t kPublicKeyBytesMax = 640;
inline constexpr std::size_t kSignatureBytesMax = 512;

using Ed25519Public = std::array<std::uint8_t, kEd25519PublicBytes>;
using Signature = std::array<std::uint8_t, kSignatureBytes>;

enum class KeyType : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };
std::string_view key_type_name(KeyType type);

class PublicKey {
 public:
  // The libp2p PublicKey message.
  static Result<PublicKey> decode(ByteView encoded);
  // The key that a peer id inlines. Errc::not_found when the id is only a hash of the key.
  static Result<PublicKey> of_peer(const PeerId& id);
  static PublicKey of_ed25519(const Ed25519Public& key);

  KeyType type() const { return type_; }
  const Bytes& encoded() const { return encoded_; }
  const PeerId& peer_id() const { return id_; }
  [[nodiscard]] bool verify(ByteView message, ByteView signature) const;

  friend bool operator==(const PublicKey& a, const PublicKey& b) {
    return a.encoded_ == b.encoded_;
  }

 private:
  PublicKey(KeyType type, Bytes encoded);

  KeyType type_;
  Bytes encoded_;
  PeerId id_;
  Ed25519Public ed25519_{};                 // for that type
  std::shared_ptr<const evp_pkey_st> key_;  // for the others
};

}  // namespace kith::crypto
