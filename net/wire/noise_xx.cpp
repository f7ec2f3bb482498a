#include "net/wire/noise_xx.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "net/base/check.hpp"
#include "net/crypto/hkdf.hpp"

namespace kith::wire {

namespace {

// Exactly as long as a hash, so it is the first hash itself (section 5.2, InitializeSymmetric).
constexpr std::string_view kProtocolName = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(kProtocolName.size() == std::tuple_size_v<NoiseHash>);

constexpr std::size_t kSealedKeyBytes = kNoiseKeyBytes + kNoiseTagBytes;
constexpr std::size_t kOverheads[] = {kNoiseKeyBytes,
                                      kNoiseKeyBytes + kSealedKeyBytes + kNoiseTagBytes,
                                      kSealedKeyBytes + kNoiseTagBytes};

// Noise's HKDF with two outputs is RFC 5869's with the chaining key as salt and no info.
std::pair<NoiseKey, NoiseKey> hkdf_two(const NoiseKey& chaining_key, ByteView input) {
  crypto::Wiped<2 * kNoiseKeyBytes> both;
  crypto::hkdf_expand(crypto::hkdf_extract(chaining_key, input), {}, both.span());
  return {NoiseKey(both.span().first<kNoiseKeyBytes>()),
          NoiseKey(both.span().last<kNoiseKeyBytes>())};
}

ByteView take(ByteView& from, std::size_t size) {
  const ByteView front = from.first(size);
  from = from.subspan(size);
  return front;
}

}  // namespace

NoiseXx::NoiseXx(NoiseRole role, ByteView prologue, const crypto::X25519Key& own_static,
                 const crypto::X25519Key& own_ephemeral)
    : role_(role), static_(own_static), ephemeral_(own_ephemeral) {
  std::copy(kProtocolName.begin(), kProtocolName.end(), hash_.begin());
  std::copy(hash_.begin(), hash_.end(), chaining_key_.data());
  mix_hash(prologue);
}

std::size_t NoiseXx::overhead() const {
  CHECK(turn_ < 3);
  return kOverheads[turn_];
}

Result<Bytes> NoiseXx::write(ByteView payload) {
  CHECK(may_write());
  CHECK(payload.size() + overhead() <= kNoiseMessageMax);
  Result<void> written;
  Bytes message = Bytes::make(payload.size() + overhead(), [&](std::span<std::uint8_t> to) {
    written = write_turn(payload, to.data());
  });
  failed_ = !written;
  KITH_TRY_VOID(written);
  ++turn_;
  return message;
}

Result<Bytes> NoiseXx::read(ByteView message) {
  CHECK(may_read());
  if (message.size() > kNoiseMessageMax)
    return refuse(fail(Errc::oversized, "Noise message is too long"));
  if (message.size() < overhead())
    return refuse(fail(Errc::truncated, "Noise message " + std::to_string(turn_ + 1) +
                                            " is too short: " + std::to_string(message.size()) +
                                            " bytes"));
  Result<void> read;
  Bytes payload = Bytes::make(message.size() - overhead(), [&](std::span<std::uint8_t> to) {
    read = read_turn(message, to.data());
  });
  if (!read) return refuse(read.error());
  ++turn_;
  return payload;
}

Error NoiseXx::refuse(Error error) {
  failed_ = true;
  return error;
}

Result<void> NoiseXx::write_turn(ByteView payload, std::uint8_t* to) {
  if (turn_ < 2) {  // e
    const crypto::X25519Public& own = ephemeral_.public_key();
    to = std::copy(own.begin(), own.end(), to);
    mix_hash(own);
  }
  if (turn_ == 1) KITH_TRY_VOID(mix_agreement(ephemeral_, remote_ephemeral_));  // ee
  if (turn_ > 0) {                                                              // s, es or se
    seal_and_hash(static_.public_key(), to);
    to += kSealedKeyBytes;
    KITH_TRY_VOID(mix_agreement(static_, remote_ephemeral_));
  }
  seal_and_hash(payload, to);
  return {};
}

Result<void> NoiseXx::read_turn(ByteView message, std::uint8_t* payload) {
  if (turn_ < 2) {  // e
    const ByteView key = take(message, kNoiseKeyBytes);
    std::copy(key.begin(), key.end(), remote_ephemeral_.begin());
    mix_hash(key);
  }
  if (turn_ == 1) KITH_TRY_VOID(mix_agreement(ephemeral_, remote_ephemeral_));  // ee
  if (turn_ > 0) {                                                              // s, es or se
    KITH_TRY_VOID(open_and_hash(take(message, kSealedKeyBytes), remote_static_.data()));
    KITH_TRY_VOID(mix_agreement(ephemeral_, remote_static_));
  }
  return open_and_hash(message, payload);
}

void NoiseXx::mix_hash(ByteView data) {
  hasher_.update(hash_);
  hasher_.update(data);
  hash_ = hasher_.finish();
}

Result<void> NoiseXx::mix_agreement(const crypto::X25519Key& own,
                                    const crypto::X25519Public& remote) {
  KITH_TRY(const crypto::X25519Shared shared, own.agree(remote));
  const auto [chaining_key, key] = hkdf_two(chaining_key_, shared);
  chaining_key_ = chaining_key;
  sealer_.set_key(key.span());
  opener_.set_key(key.span());
  keyed_ = true;
  nonce_ = 0;
  return {};
}

void NoiseXx::seal_and_hash(ByteView from, std::uint8_t* to) {
  if (keyed_)
    sealer_.seal(crypto::aead_nonce(nonce_++), hash_, from, to);
  else
    std::copy(from.begin(), from.end(), to);
  mix_hash({to, from.size() + (keyed_ ? kNoiseTagBytes : 0)});
}

Result<void> NoiseXx::open_and_hash(ByteView from, std::uint8_t* to) {
  if (!keyed_)
    std::copy(from.begin(), from.end(), to);
  else if (opener_.open(crypto::aead_nonce(nonce_), hash_, from, to))
    ++nonce_;
  else
    return fail(Errc::malformed,
                "Noise message " + std::to_string(turn_ + 1) + " does not decrypt");
  mix_hash(from);
  return {};
}

NoiseXx::Keys NoiseXx::split() const {
  CHECK(finished());
  const auto [forth, back] = hkdf_two(chaining_key_, {});
  return role_ == NoiseRole::initiator ? Keys{forth, back} : Keys{back, forth};
}

}  // namespace kith::wire
