// Keys of the kinds that we never hold ourselves, by libcrypto: RSA, ECDSA on P-256, secp256k1. For
// public_key.cpp only; the rules are in public_key.hpp.
//
// The outer form of each key is compared with its one legal prefix before libcrypto sees it, so
// that no general ASN.1 decoder, explicit curve or other algorithm can be reached from the network.
#pragma once

#include <memory>

#include "net/crypto/public_key.hpp"

namespace kith::crypto {

using ForeignKey = std::shared_ptr<const evp_pkey_st>;

// `type` is not ed25519.
Result<ForeignKey> parse_foreign_key(KeyType type, ByteView data);
bool verify_foreign(const evp_pkey_st& key, ByteView message, ByteView signature);

}  // namespace kith::crypto
