#include "net/crypto/aead.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <climits>

#include "net/base/check.hpp"
#include "net/crypto/secret.hpp"

namespace kith::crypto {

namespace {

// libcrypto counts in int.
constexpr std::size_t kUpdateMax = std::size_t{1} << 30;
static_assert(kUpdateMax <= INT_MAX);

const EVP_CIPHER* chacha20_poly1305() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  CHECK(cipher != nullptr);
  return cipher;
}

CipherContext make_context(int encrypt) {
  CipherContext context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex2(context.get(), chacha20_poly1305(), nullptr, nullptr, encrypt,
                           nullptr) == 1);
  return context;
}

// Keeps the direction (-1) and sets what is not null.
void init(evp_cipher_ctx_st* context, const std::uint8_t* key, const std::uint8_t* nonce) {
  CHECK(EVP_CipherInit_ex2(context, nullptr, key, nonce, -1, nullptr) == 1);
}

void add_associated(evp_cipher_ctx_st* context, ByteView associated) {
  if (associated.empty()) return;
  int written = 0;
  CHECK(associated.size() <= kUpdateMax);
  CHECK(EVP_CipherUpdate(context, nullptr, &written, associated.data(),
                         static_cast<int>(associated.size())) == 1);
}

void transform(evp_cipher_ctx_st* context, ByteView from, std::uint8_t* to) {
  while (!from.empty()) {
    const std::size_t part = std::min(from.size(), kUpdateMax);
    int written = 0;
    CHECK(EVP_CipherUpdate(context, to, &written, from.data(), static_cast<int>(part)) == 1);
    CHECK(static_cast<std::size_t>(written) == part);
    from = from.subspan(part);
    to += part;
  }
}

}  // namespace

AeadNonce aead_nonce(std::uint64_t counter) {
  AeadNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

void CipherContextFree::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);  // wipes the key
}

AeadSealer::AeadSealer() : context_(make_context(1)) {}

void AeadSealer::set_key(AeadKey key) { init(context_.get(), key.data(), nullptr); }

void AeadSealer::begin(const AeadNonce& nonce, ByteView associated) {
  init(context_.get(), nullptr, nonce.data());
  add_associated(context_.get(), associated);
}

void AeadSealer::update(ByteView from, std::uint8_t* to) { transform(context_.get(), from, to); }

void AeadSealer::finish(std::uint8_t* tag) {
  int written = 0;
  CHECK(EVP_CipherFinal_ex(context_.get(), tag, &written) == 1 && written == 0);
  CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1);
}

void AeadSealer::seal(const AeadNonce& nonce, ByteView associated, ByteView from,
                      std::uint8_t* to) {
  begin(nonce, associated);
  update(from, to);
  finish(to + from.size());
}

AeadOpener::AeadOpener() : context_(make_context(0)) {}

void AeadOpener::set_key(AeadKey key) { init(context_.get(), key.data(), nullptr); }

bool AeadOpener::open(const AeadNonce& nonce, ByteView associated, ByteView from,
                      std::uint8_t* to) {
  if (from.size() < kAeadTagBytes) return false;
  const ByteView cipher = from.first(from.size() - kAeadTagBytes);
  std::array<std::uint8_t, kAeadTagBytes> tag{};
  std::copy_n(from.data() + cipher.size(), kAeadTagBytes, tag.data());

  init(context_.get(), nullptr, nonce.data());
  add_associated(context_.get(), associated);
  transform(context_.get(), cipher, to);
  CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1);
  int written = 0;
  std::uint8_t unused = 0;
  if (EVP_CipherFinal_ex(context_.get(), &unused, &written) == 1) return true;
  // Plaintext that nobody vouches for must not leave this function.
  wipe({to, cipher.size()});
  return false;
}

}  // namespace kith::crypto
