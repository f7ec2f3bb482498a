#include "net/crypto/public_key.hpp"

#include <algorithm>
#include <vector>

#include "net/base/check.hpp"
#include "net/crypto/foreign_key.hpp"
#include "net/crypto/sodium.hpp"
#include "schema/base/varint.hpp"

namespace kith::crypto {

static_assert(kEd25519PublicBytes == crypto_sign_PUBLICKEYBYTES);
static_assert(kSignatureBytes == crypto_sign_BYTES);

namespace {

struct Parts {
  KeyType type;
  ByteView data;
};

// Exactly 08 <type> 12 <length> <data>: the one deterministic encoding of the message.
Result<Parts> split_message(ByteView encoded) {
  if (encoded.size() > kPublicKeyBytesMax)
    return fail(Errc::oversized, "public key of " + std::to_string(encoded.size()) + " bytes");
  if (encoded.size() < 4) return fail(Errc::truncated, "public key message is too short");
  if (encoded[0] != 0x08 || encoded[2] != 0x12)
    return fail(Errc::malformed, "public key message is not in its deterministic form");
  if (encoded[1] > static_cast<std::uint8_t>(KeyType::ecdsa))
    return fail(Errc::unsupported, "public key of unknown type " + std::to_string(encoded[1]));
  const VarintRead length = read_varint(encoded.subspan(3));
  if (length.state != VarintRead::State::complete ||
      encoded.size() - 3 - length.length != length.value)
    return fail(Errc::malformed, "public key message has a wrong length");
  return Parts{static_cast<KeyType>(encoded[1]), encoded.subspan(3 + length.length)};
}

Bytes join_message(KeyType type, ByteView data) {
  std::vector<std::uint8_t> encoded{0x08, static_cast<std::uint8_t>(type), 0x12};
  append_varint(encoded, data.size());
  encoded.insert(encoded.end(), data.begin(), data.end());
  return Bytes::adopt(std::move(encoded));
}

}  // namespace

std::string_view key_type_name(KeyType type) {
  switch (type) {
    case KeyType::rsa:
      return "RSA";
    case KeyType::ed25519:
      return "Ed25519";
    case KeyType::secp256k1:
      return "secp256k1";
    case KeyType::ecdsa:
      return "ECDSA";
  }
  return "unknown";
}

PublicKey::PublicKey(KeyType type, Bytes encoded)
    : type_(type), encoded_(std::move(encoded)), id_(PeerId::of_public_key(encoded_)) {}

Result<PublicKey> PublicKey::decode(ByteView encoded) {
  KITH_TRY(const Parts parts, split_message(encoded));
  PublicKey key(parts.type, Bytes::copy(encoded));
  if (parts.type == KeyType::ed25519) {
    if (parts.data.size() != kEd25519PublicBytes)
      return fail(Errc::malformed,
                  "Ed25519 public key of " + std::to_string(parts.data.size()) + " bytes, not 32");
    std::copy(parts.data.begin(), parts.data.end(), key.ed25519_.begin());
    return key;
  }
  KITH_TRY(key.key_, parse_foreign_key(parts.type, parts.data));
  return key;
}

Result<PublicKey> PublicKey::of_peer(const PeerId& id) {
  const std::optional<Bytes> inlined = id.inlined_key();
  if (!inlined) return fail(Errc::not_found, "peer id " + id.text() + " does not hold its key");
  return decode(*inlined);
}

PublicKey PublicKey::of_ed25519(const Ed25519Public& bytes) {
  PublicKey key(KeyType::ed25519, join_message(KeyType::ed25519, bytes));
  key.ed25519_ = bytes;
  return key;
}

bool PublicKey::verify(ByteView message, ByteView signature) const {
  if (type_ != KeyType::ed25519) return verify_foreign(*key_, message, signature);
  require_sodium();
  return signature.size() == kSignatureBytes &&
         crypto_sign_verify_detached(signature.data(), start_of(message), message.size(),
                                     ed25519_.data()) == 0;
}

}  // namespace kith::crypto
