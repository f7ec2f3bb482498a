// Makes keys and signatures of the kinds that Kith only verifies, by libcrypto.
#pragma once

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

#include "net/crypto/public_key.hpp"
#include "schema/base/varint.hpp"

namespace kith::crypto {

using OwnedKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

inline OwnedKey owned(EVP_PKEY* key) { return {key, &EVP_PKEY_free}; }

// The libp2p PublicKey message around `data`.
inline std::vector<std::uint8_t> message_of(KeyType type, ByteView data) {
  std::vector<std::uint8_t> bytes{0x08, static_cast<std::uint8_t>(type), 0x12};
  append_varint(bytes, data.size());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

inline std::vector<std::uint8_t> pkix_of(const OwnedKey& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  EXPECT_GT(size, 0);
  std::vector<std::uint8_t> bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

inline OwnedKey key_from_params(const char* algorithm, int selection, OSSL_PARAM_BLD* builder) {
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr);
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context, &made, selection, params), 1);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(builder);
  return owned(made);
}

// The private keys of the published vectors: PKCS#1, SEC1, or 32 raw bytes.
inline OwnedKey private_key(KeyType type, ByteView data) {
  if (type == KeyType::secp256k1) {
    OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
    BIGNUM* number = BN_bin2bn(data.data(), static_cast<int>(data.size()), nullptr);
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "secp256k1", 0);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
    OwnedKey key = key_from_params("EC", EVP_PKEY_KEYPAIR, builder);
    BN_free(number);
    return key;
  }
  const unsigned char* at = data.data();
  const int kind = type == KeyType::rsa ? EVP_PKEY_RSA : EVP_PKEY_EC;
  return owned(d2i_PrivateKey(kind, nullptr, &at, static_cast<long>(data.size())));
}

// A modulus of that size, which nobody can factor or use, and an exponent.
inline OwnedKey rsa_public(int bits, BN_ULONG exponent) {
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  BIGNUM* modulus = BN_new();
  BIGNUM* e = BN_new();
  BN_rand(modulus, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
  BN_set_word(e, exponent);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
  OwnedKey key = key_from_params("RSA", EVP_PKEY_PUBLIC_KEY, builder);
  BN_free(modulus);
  BN_free(e);
  return key;
}

inline std::vector<std::uint8_t> sign_foreign(const OwnedKey& key, ByteView message) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t size = 0;
  EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key.get()), 1);
  EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, message.data(), message.size()), 1);
  std::vector<std::uint8_t> signature(size);
  EXPECT_EQ(EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()), 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  return signature;
}

}  // namespace kith::crypto
