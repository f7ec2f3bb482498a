// NoiseXx: the Noise handshake XX with 25519, ChaChaPoly and SHA256 (Noise specification, revision
// 34, sections 5 and 7), messages in and out, nothing of libp2p in it. NoiseHandshake (noise.hpp)
// frames its messages and puts the identities into its payloads.
//
//     -> e
//     <- e, ee, s, es
//     -> s, se
//
// Rules: the two sides take turns; a message that fails to decrypt or a point of low order ends the
// handshake, which then refuses everything. The keys are arguments, so the published vectors run
// through the same door as the node.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "net/crypto/aead.hpp"
#include "net/crypto/secret.hpp"
#include "net/crypto/x25519.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"
#include "schema/base/sha256.hpp"

namespace kith::wire {

inline constexpr std::size_t kNoiseKeyBytes = 32;
inline constexpr std::size_t kNoiseTagBytes = 16;
inline constexpr std::size_t kNoiseMessageMax = 65535;  // Noise specification, section 3
inline constexpr std::size_t kNoisePlaintextMax = kNoiseMessageMax - kNoiseTagBytes;

enum class NoiseRole : std::uint8_t { initiator, responder };

using NoiseKey = crypto::Wiped<kNoiseKeyBytes>;
using NoiseHash = Sha256Digest;

class NoiseXx {
 public:
  NoiseXx(NoiseRole role, ByteView prologue, const crypto::X25519Key& own_static,
          const crypto::X25519Key& own_ephemeral);

  // Whose turn it is. Both false: finished, or failed.
  bool may_write() const { return !failed_ && turn_ < 3 && ours(turn_); }
  bool may_read() const { return !failed_ && turn_ < 3 && !ours(turn_); }
  bool finished() const { return !failed_ && turn_ == 3; }
  int messages() const { return turn_; }  // that have passed, both ways
  // Bytes of the next message around its payload: 32, 96, 64.
  std::size_t overhead() const;

  // The next message with `payload` in it. Our turn; payload + overhead() <= kNoiseMessageMax.
  // Fails when the other side's ephemeral key was a point of low order.
  Result<Bytes> write(ByteView payload);
  // The payload of the other side's message. Errc::malformed, ::truncated, ::oversized.
  Result<Bytes> read(ByteView message);

  // After the other side's static key came: message 2 for the initiator, 3 for the responder.
  const crypto::X25519Public& remote_static() const { return remote_static_; }
  // When finished: the same on both sides of this handshake and of no other.
  const NoiseHash& hash() const { return hash_; }

  struct Keys {
    NoiseKey send;
    NoiseKey receive;
  };
  Keys split() const;  // when finished

 private:
  bool ours(int turn) const { return (turn % 2 == 0) == (role_ == NoiseRole::initiator); }
  Result<void> write_turn(ByteView payload, std::uint8_t* to);
  Result<void> read_turn(ByteView message, std::uint8_t* payload);
  Error refuse(Error error);
  void mix_hash(ByteView data);
  void mix_key(const crypto::X25519Shared& shared);
  Result<void> mix_agreement(const crypto::X25519Key& own, const crypto::X25519Public& remote);
  void seal_and_hash(ByteView from, std::uint8_t* to);
  Result<void> open_and_hash(ByteView from, std::uint8_t* to);

  NoiseRole role_;
  int turn_ = 0;  // 0..2: the message that is next
  bool failed_ = false;
  bool keyed_ = false;
  std::uint64_t nonce_ = 0;
  NoiseKey chaining_key_;
  NoiseHash hash_{};
  crypto::X25519Key static_;
  crypto::X25519Key ephemeral_;
  crypto::X25519Public remote_static_{};
  crypto::X25519Public remote_ephemeral_{};
  crypto::AeadSealer sealer_;
  crypto::AeadOpener opener_;
  Sha256 hasher_;
};

}  // namespace kith::wire
