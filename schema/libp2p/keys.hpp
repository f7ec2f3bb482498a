// PublicKey and PrivateKey: the messages around a key (libp2p/specs peer-ids; keys.proto).
//
// Rules
// * A peer id is a hash of the encoded public key, so a key has one encoding: type, data, minimal
//   varints, nothing else. decode_public_key refuses every other, which protobuf would read.
// * Sizes are checked by type before anything else looks at the key. Whether the data is a key at
//   all is for net/crypto to say.
// * An Ed25519 private key is 64 bytes, seed and public key; the legacy form with the public key
//   twice (96 bytes) is read, if both copies agree.
//
// Attacker: whoever sends a key, such as an RSA one of a megabyte (CVE-2023-39533).
#pragma once

#include <cstdint>

#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::libp2p {

enum class KeyType : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };

inline constexpr std::size_t kEd25519PublicSize = 32;
inline constexpr std::size_t kEd25519PrivateSize = 64;
inline constexpr std::size_t kEd25519LegacySize = 96;
inline constexpr std::size_t kSecp256k1PublicSize = 33;  // compressed
inline constexpr std::size_t kSecp256k1PrivateSize = 32;
inline constexpr std::size_t kRsaPublicMax = 1024;    // bytes; one of 4096 bits takes 550
inline constexpr std::size_t kRsaPrivateMax = 4096;   // bytes; one of 4096 bits takes 2,350
inline constexpr std::size_t kEcdsaPublicMax = 256;   // bytes; P-521 takes 158
inline constexpr std::size_t kEcdsaPrivateMax = 512;  // bytes; P-521 takes 223
inline constexpr std::size_t kKeyMessageOverhead = 2 + 1 + 3;  // type, tag and length of the data

struct PublicKey {
  KeyType type = KeyType::ed25519;
  Bytes data;  // slice of the message
  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

Bytes encode_public_key(KeyType type, ByteView data);
Result<PublicKey> decode_public_key(const Bytes& message);

// A view into the message, because that stands in locked memory and no copy may leave it.
struct PrivateKey {
  KeyType type = KeyType::ed25519;
  ByteView data;  // Ed25519: 64 bytes, whichever form was read
};

Result<PrivateKey> decode_private_key(ByteView message);
std::size_t private_key_size(const PrivateKey& key);
// `to` has private_key_size(key) bytes.
void write_private_key(const PrivateKey& key, std::span<std::uint8_t> to);

}  // namespace kith::libp2p
