#include "net/crypto/hkdf.hpp"

#include <algorithm>
#include <initializer_list>

#include "net/base/check.hpp"
#include "schema/base/sha256.hpp"

namespace kith::crypto {

namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;
static_assert(kHkdfHashBytes == kSha256Size);

HkdfKey digest_of(Sha256& hasher) {
  Sha256Digest digest = hasher.finish();
  const HkdfKey key{std::span<const std::uint8_t, kHkdfHashBytes>(digest)};
  wipe(digest);
  return key;
}

// HMAC (RFC 2104) with the thread's one context: a new one would cost more than these two or three
// blocks. finish() leaves nothing of the secrets in it.
HkdfKey hmac(ByteView key, std::initializer_list<ByteView> parts) {
  thread_local Sha256 hasher;
  Wiped<kBlockBytes> pad;
  if (key.size() > kBlockBytes) {
    hasher.update(key);
    const HkdfKey shorter = digest_of(hasher);
    std::copy_n(shorter.data(), shorter.size(), pad.data());
  } else {
    std::copy(key.begin(), key.end(), pad.data());
  }
  for (std::uint8_t& byte : pad.span()) byte ^= kInnerPad;
  hasher.update(pad);
  for (const ByteView part : parts) hasher.update(part);
  const HkdfKey inner = digest_of(hasher);
  for (std::uint8_t& byte : pad.span()) byte ^= kInnerPad ^ kOuterPad;
  hasher.update(pad);
  hasher.update(inner);
  return digest_of(hasher);
}

}  // namespace

HkdfKey hkdf_extract(ByteView salt, ByteView input_key) { return hmac(salt, {input_key}); }

void hkdf_expand(const HkdfKey& key, ByteView info, std::span<std::uint8_t> to) {
  CHECK(to.size() <= kHkdfOutputMax);
  HkdfKey block;
  std::uint8_t counter = 1;
  for (std::size_t at = 0; at < to.size(); ++counter) {
    const ByteView previous = counter == 1 ? ByteView{} : ByteView(block);
    block = hmac(key, {previous, info, {&counter, 1}});
    const std::size_t part = std::min(block.size(), to.size() - at);
    std::copy_n(block.data(), part, to.data() + at);
    at += part;
  }
}

}  // namespace kith::crypto
