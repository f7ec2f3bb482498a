#include "schema/libp2p/keys.hpp"

#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

struct KeyFields {
  std::uint64_t type = 0;
  ByteView data;
  bool has_type = false;
  bool has_data = false;
};

Result<KeyFields> read_fields(ByteView message) {
  KeyFields key;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) {
    if (field.key == varint_key(1)) {
      key.type = field.number;
      key.has_type = true;
    } else if (field.key == bytes_key(2)) {
      key.data = field.bytes;
      key.has_data = true;
    }
  }));
  if (!key.has_type || !key.has_data)
    return fail(Errc::malformed, "a key message without type or data");
  if (key.type > static_cast<std::uint64_t>(KeyType::ecdsa))
    return fail(Errc::unsupported, "a key of unknown type " + std::to_string(key.type));
  return key;
}

Error bad_size(const char* kind, std::size_t size) {
  return fail(Errc::malformed, std::string(kind) + " of " + std::to_string(size) + " bytes");
}

Result<void> check_public(KeyType type, std::size_t size) {
  switch (type) {
    case KeyType::rsa:
      if (size <= kRsaPublicMax) return {};
      return fail(Errc::oversized, "an RSA public key of more than 1 KiB");
    case KeyType::ed25519:
      if (size == kEd25519PublicSize) return {};
      return bad_size("an Ed25519 public key", size);
    case KeyType::secp256k1:
      if (size == kSecp256k1PublicSize) return {};
      return bad_size("a secp256k1 public key", size);
    case KeyType::ecdsa:
      if (size <= kEcdsaPublicMax) return {};
      return fail(Errc::oversized, "an ECDSA public key of more than 256 bytes");
  }
  return fail(Errc::unsupported, "a key of unknown type");
}

Result<ByteView> check_ed25519_private(ByteView data) {
  if (data.size() == kEd25519PrivateSize) return data;
  if (data.size() != kEd25519LegacySize) return bad_size("an Ed25519 private key", data.size());
  const ByteView once = data.first(kEd25519PrivateSize);
  if (!equal(once.last(kEd25519PublicSize), data.last(kEd25519PublicSize)))
    return fail(Errc::malformed, "an Ed25519 private key whose two public keys differ");
  return once;
}

Result<ByteView> check_private(KeyType type, ByteView data) {
  switch (type) {
    case KeyType::rsa:
      if (data.size() <= kRsaPrivateMax) return data;
      return fail(Errc::oversized, "an RSA private key of more than 4 KiB");
    case KeyType::ed25519:
      return check_ed25519_private(data);
    case KeyType::secp256k1:
      if (data.size() == kSecp256k1PrivateSize) return data;
      return bad_size("a secp256k1 private key", data.size());
    case KeyType::ecdsa:
      if (data.size() <= kEcdsaPrivateMax) return data;
      return fail(Errc::oversized, "an ECDSA private key of more than 512 bytes");
  }
  return fail(Errc::unsupported, "a key of unknown type");
}

auto key_fields(KeyType type, ByteView data) {
  return [type, data](auto& to) {
    to.varint(1, static_cast<std::uint64_t>(type));
    to.bytes(2, data);
  };
}

}  // namespace

Bytes encode_public_key(KeyType type, ByteView data) { return encode(key_fields(type, data)); }

Result<PublicKey> decode_public_key(const Bytes& message) {
  if (message.size() > kRsaPublicMax + kKeyMessageOverhead)
    return fail(Errc::oversized, "a public key message of more than 1 KiB");
  KITH_TRY(const KeyFields fields, read_fields(message));
  const auto type = static_cast<KeyType>(fields.type);
  KITH_TRY_VOID(check_public(type, fields.data.size()));
  PublicKey key{type, slice_of(message, fields.data)};
  if (encode_public_key(type, key.data) != message)
    return fail(Errc::malformed, "a public key that is not in its one encoding");
  return key;
}

Result<PrivateKey> decode_private_key(ByteView message) {
  KITH_TRY(const KeyFields fields, read_fields(message));
  const auto type = static_cast<KeyType>(fields.type);
  KITH_TRY(const ByteView data, check_private(type, fields.data));
  return PrivateKey{type, data};
}

std::size_t private_key_size(const PrivateKey& key) {
  return encoded_size(key_fields(key.type, key.data));
}

void write_private_key(const PrivateKey& key, std::span<std::uint8_t> to) {
  WritePass pass(to);
  key_fields(key.type, key.data)(pass);
}

}  // namespace kith::libp2p
