#include "net/crypto/foreign_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>

#include "net/base/check.hpp"

namespace kith::crypto {

namespace {

// SubjectPublicKeyInfo of RSA behind its outer length: the algorithm rsaEncryption with NULL.
constexpr std::array<std::uint8_t, 15> kRsaAlgorithm = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
// 30 82 hh ll: keys of 2048 bits and more have a length of two bytes.
constexpr std::size_t kRsaAlgorithmAt = 4;
constexpr BN_ULONG kRsaExponentMax = 0x7fffffff;  // go-libp2p's limit

// SubjectPublicKeyInfo of an uncompressed point on P-256, up to the point.
constexpr std::array<std::uint8_t, 26> kP256Prefix = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr std::size_t kP256PointBytes = 65;       // 04, x, y
constexpr std::size_t kSecp256k1PointBytes = 33;  // 02 or 03, x

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// libcrypto's own error texts stay in a queue of the thread; nobody reads them here.
Error refuse(std::string what) {
  ERR_clear_error();
  return fail(Errc::malformed, std::move(what));
}

bool exponent_is_small(const EVP_PKEY* key) {
  BIGNUM* read = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &read) != 1) return false;
  const Owned<BIGNUM> exponent(read);
  return BN_num_bits(read) <= 31 && BN_get_word(read) >= 3 && BN_get_word(read) <= kRsaExponentMax;
}

bool encodes_as(const EVP_PKEY* key, ByteView data) {
  unsigned char* encoded = nullptr;
  const int length = i2d_PUBKEY(key, &encoded);
  if (length < 0) return false;
  const bool same = equal({encoded, static_cast<std::size_t>(length)}, data);
  OPENSSL_free(encoded);
  return same;
}

Result<ForeignKey> parse_rsa(ByteView data) {
  if (data.size() <= kRsaAlgorithmAt + kRsaAlgorithm.size() ||
      !equal(data.subspan(kRsaAlgorithmAt, kRsaAlgorithm.size()), kRsaAlgorithm))
    return refuse("RSA public key is not in PKIX form, or shorter than 2048 bits");
  const unsigned char* at = data.data();
  Owned<EVP_PKEY> key(d2i_PUBKEY(nullptr, &at, static_cast<long>(data.size())));
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return refuse("RSA public key does not parse");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kRsaBitsMin || bits > kRsaBitsMax)
    return refuse("RSA public key of " + std::to_string(bits) + " bits, not 2048 to 4096");
  if (!exponent_is_small(key.get())) return refuse("RSA public exponent is out of range");
  if (!encodes_as(key.get(), data)) return refuse("RSA public key is not in canonical DER");
  return ForeignKey(key.release(), Free{});
}

// libcrypto checks that the point is on the curve.
Result<ForeignKey> make_ec_key(const char* group, ByteView point) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                        const_cast<std::uint8_t*>(point.data()), point.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return refuse(std::string(group) + " public key is not a point of the curve");
  return ForeignKey(made, Free{});
}

Result<ForeignKey> parse_p256(ByteView data) {
  if (data.size() != kP256Prefix.size() + kP256PointBytes ||
      !equal(data.first(kP256Prefix.size()), kP256Prefix) || data[kP256Prefix.size()] != 0x04)
    return refuse("ECDSA public key is not an uncompressed P-256 key in PKIX form");
  return make_ec_key("P-256", data.subspan(kP256Prefix.size()));
}

Result<ForeignKey> parse_secp256k1(ByteView data) {
  if (data.size() != kSecp256k1PointBytes || (data[0] != 0x02 && data[0] != 0x03))
    return refuse("secp256k1 public key is not a compressed point");
  return make_ec_key("secp256k1", data);
}

}  // namespace

Result<ForeignKey> parse_foreign_key(KeyType type, ByteView data) {
  switch (type) {
    case KeyType::rsa:
      return parse_rsa(data);
    case KeyType::ecdsa:
      return parse_p256(data);
    case KeyType::secp256k1:
      return parse_secp256k1(data);
    case KeyType::ed25519:
      break;
  }
  CHECK(false);
}

bool verify_foreign(const evp_pkey_st& key, ByteView message, ByteView signature) {
  if (signature.empty() || signature.size() > kSignatureBytesMax) return false;
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  // libcrypto takes its reference-counted key by a plain pointer and does not change it.
  auto* shared = const_cast<evp_pkey_st*>(&key);
  CHECK(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, shared) == 1);
  const bool good = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                     message.data(), message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace kith::crypto
