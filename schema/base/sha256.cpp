#include "schema/base/sha256.hpp"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>

namespace kith {
namespace {

// libcrypto fails here only when it is out of memory or built without SHA-256.
void require(bool ok) {
  if (ok) return;
  std::fputs("libcrypto cannot hash with SHA-256\n", stderr);
  std::abort();
}

const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

EVP_MD_CTX* as_context(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(as_context(context)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr && algorithm() != nullptr);
  require(EVP_DigestInit_ex2(as_context(context_.get()), algorithm(), nullptr) == 1);
}

void Sha256::update(ByteView piece) {
  require(EVP_DigestUpdate(as_context(context_.get()), piece.data(), piece.size()) == 1);
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  EVP_MD_CTX* const context = as_context(context_.get());
  require(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1);
  // Without a digest named, the context starts again with the one it has: no look-up.
  require(EVP_DigestInit_ex2(context, nullptr, nullptr) == 1);
  return digest;
}

Sha256Digest sha256(ByteView content) {
  thread_local Sha256 hasher;
  hasher.update(content);
  return hasher.finish();
}

}  // namespace kith
