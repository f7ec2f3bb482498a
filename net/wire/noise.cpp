#include "net/wire/noise.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "net/base/check.hpp"
#include "schema/libp2p/proto.hpp"

namespace kith::wire {

namespace {

using libp2p::bytes_key;
using libp2p::Field;

// How many muxers a peer may name; each list entry costs a comparison only.
constexpr std::size_t kMuxersMax = 32;

using SignedText = std::array<std::uint8_t, kNoiseSignaturePrefix.size() + kNoiseKeyBytes>;

SignedText signed_text(const crypto::X25519Public& noise_key) {
  SignedText text;
  const auto key_at =
      std::copy(kNoiseSignaturePrefix.begin(), kNoiseSignaturePrefix.end(), text.begin());
  std::copy(noise_key.begin(), noise_key.end(), key_at);
  return text;
}

// message NoiseHandshakePayload { bytes identity_key = 1; bytes identity_sig = 2;
//                                 NoiseExtensions extensions = 4; }
// message NoiseExtensions { repeated bytes webtransport_certhashes = 1;
//                           repeated string stream_muxers = 2; }
struct Payload {
  ByteView identity_key;
  ByteView identity_signature;
  bool offers_yamux = false;
};

Bytes encode_payload(const crypto::Identity& identity, const crypto::Signature& signature) {
  return libp2p::encode([&](auto& to) {
    to.bytes(1, identity.public_key().encoded());
    to.bytes(2, signature);
    to.message(4, [](auto& extensions) { extensions.text(2, kYamuxMuxer); });
  });
}

Result<Payload> decode_payload(ByteView encoded) {
  Payload payload;
  KITH_TRY_VOID(libp2p::read_message(encoded, [&](const Field& field) -> Result<void> {
    if (field.key == bytes_key(1)) payload.identity_key = field.bytes;
    if (field.key == bytes_key(2)) payload.identity_signature = field.bytes;
    if (field.key != bytes_key(4)) return {};
    KITH_TRY_VOID(libp2p::check_repeats(field.bytes, {{bytes_key(2), kMuxersMax}}));
    return libp2p::read_message(field.bytes, [&](const Field& extension) {
      if (extension.key == bytes_key(2) && extension.text() == kYamuxMuxer)
        payload.offers_yamux = true;
    });
  }));
  return payload;
}

Bytes framed(const Bytes& message) {
  return Bytes::make(kNoiseLengthBytes + message.size(), [&](std::span<std::uint8_t> to) {
    to[0] = static_cast<std::uint8_t>(message.size() >> 8);
    to[1] = static_cast<std::uint8_t>(message.size());
    std::copy(message.begin(), message.end(), to.begin() + kNoiseLengthBytes);
  });
}

}  // namespace

NoiseStatic::NoiseStatic(const crypto::Identity& identity, const crypto::X25519Key& key)
    : key_(key), payload_(encode_payload(identity, identity.sign(signed_text(key.public_key())))) {}

NoiseStatic::NoiseStatic(const crypto::Identity& identity, Rng& rng)
    : NoiseStatic(identity, crypto::X25519Key::make(rng)) {}

NoiseHandshake::NoiseHandshake(NoiseRole role, const NoiseStatic& own,
                               const crypto::X25519Key& ephemeral, std::optional<PeerId> expected)
    : own_(own), expected_(std::move(expected)), noise_(role, {}, own.key(), ephemeral) {}

NoiseHandshake::NoiseHandshake(NoiseRole role, const NoiseStatic& own, Rng& rng,
                               std::optional<PeerId> expected)
    : NoiseHandshake(role, own, crypto::X25519Key::make(rng), std::move(expected)) {}

Bytes NoiseHandshake::start() {
  auto message = noise_.write({});
  CHECK(message.has_value());  // nothing of the other side is in it yet
  return framed(*message);
}

Result<NoiseStep> NoiseHandshake::on_bytes(const Bytes& chunk) {
  if (failed_ || noise_.finished()) return fail(Errc::closed, "the Noise handshake is over");
  auto step = advance(chunk);
  failed_ = !step;
  return step;
}

Result<NoiseStep> NoiseHandshake::advance(const Bytes& chunk) {
  NoiseStep step;
  ByteView rest = chunk;
  for (;;) {
    KITH_TRY(const bool whole, complete_held(rest));
    if (!whole) return step;
    KITH_TRY_VOID(on_message(ByteView(held_).subspan(kNoiseLengthBytes), step));
    held_.clear();
    if (!step.session) continue;
    step.session->rest = chunk.slice(chunk.size() - rest.size());
    return step;
  }
}

// Moves what the message under assembly lacks from the front of `rest`; true when it is whole.
Result<bool> NoiseHandshake::complete_held(ByteView& rest) {
  const auto fill_to = [&](std::size_t size) {
    const ByteView part = rest.first(std::min(size - held_.size(), rest.size()));
    held_.insert(held_.end(), part.begin(), part.end());
    rest = rest.subspan(part.size());
    return held_.size() == size;
  };
  if (held_.size() < kNoiseLengthBytes && !fill_to(kNoiseLengthBytes)) return false;
  const std::size_t length = static_cast<std::size_t>(held_[0]) << 8 | held_[1];
  if (length > kNoiseHandshakeMessageMax)
    return fail(Errc::oversized, "Noise handshake message of " + std::to_string(length) + " bytes");
  return fill_to(kNoiseLengthBytes + length);
}

Result<void> NoiseHandshake::on_message(ByteView message, NoiseStep& step) {
  if (!noise_.may_read()) return fail(Errc::malformed, "Noise message out of turn");
  KITH_TRY(const Bytes payload, noise_.read(message));
  if (noise_.messages() == 1) {
    if (!payload.empty()) return fail(Errc::malformed, "the first Noise message carries a payload");
    return answer(step);
  }
  // Who they are comes before message 3, which tells them who we are.
  KITH_TRY(Remote remote, identify(payload));
  if (noise_.messages() == 2) KITH_TRY_VOID(answer(step));
  step.session.emplace(NoiseSession{std::move(remote.key),
                                    std::move(remote.id),
                                    remote.muxer_agreed,
                                    NoiseTransport(noise_.split()),
                                    {}});
  return {};
}

Result<void> NoiseHandshake::answer(NoiseStep& step) {
  KITH_TRY(const Bytes message, noise_.write(own_.payload()));
  step.write = framed(message);
  return {};
}

Result<NoiseHandshake::Remote> NoiseHandshake::identify(ByteView encoded) const {
  KITH_TRY(const Payload payload, decode_payload(encoded));
  KITH_TRY(crypto::PublicKey key, crypto::PublicKey::decode(payload.identity_key));
  if (!key.verify(signed_text(noise_.remote_static()), payload.identity_signature))
    return fail(Errc::signature, "the peer's identity did not sign its Noise key");
  PeerId id = key.peer_id();
  if (expected_ && id != *expected_)
    return fail(Errc::identity, "another peer answered than was dialled",
                "dialled " + expected_->text() + ", " + id.text() + " answered");
  return Remote{std::move(key), std::move(id), payload.offers_yamux};
}

}  // namespace kith::wire
