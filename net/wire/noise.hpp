// NoiseHandshake: libp2p's secure channel "/noise" (libp2p/specs noise/README.md) over a byte
// stream: Noise XX, its messages framed by a 2-byte length, and in messages 2 and 3 a payload that
// binds the Noise key to the peer's identity. What comes out is who the peer is, whether the muxer
// is agreed already, and the encrypted connection.
//
// Rules
// * Empty prologue; message 1 carries nothing, ours and theirs; our payload offers "/yamux/1.0.0"
// and nothing else, as js-libp2p takes whatever of our list it knows first.
// * The peer is who signed "noise-libp2p-static-key:" and its Noise key. An initiator that dialled
// an id accepts that id only (Errc::identity).
// * A peer without extensions (rust, nim, cpp) or without a common muxer is fine: muxer_agreed is
// false, and multistream-select goes on inside the channel.
// * The ephemeral key is drawn at construction; the node's Noise key and its signature
// (NoiseStatic) are made once, as signing costs as much as half a Diffie-Hellman and never changes.
//
// Bounds: a handshake message is at most kNoiseHandshakeMessageMax bytes, refused when its length
// is read (an RSA-4096 identity takes about 1,200); deadlines are the driver's.
//
// Attacker: whoever dials or answers, and anybody in between: flipped, cut, replayed and reordered
// messages, points of low order, a signature over another key, an id that is not the one dialled.
// After an error the machine refuses everything.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "net/base/rng.hpp"
#include "net/crypto/identity.hpp"
#include "net/wire/noise_transport.hpp"
#include "net/wire/noise_xx.hpp"

namespace kith::wire {

inline constexpr std::string_view kNoiseProtocol = "/noise";
inline constexpr std::string_view kYamuxMuxer = "/yamux/1.0.0";
inline constexpr std::string_view kNoiseSignaturePrefix = "noise-libp2p-static-key:";
inline constexpr std::size_t kNoiseHandshakeMessageMax = 4096;

// The node's Noise key with its payload, signed once. Outlives its handshakes.
class NoiseStatic {
 public:
  NoiseStatic(const crypto::Identity& identity, Rng& rng);
  NoiseStatic(const crypto::Identity& identity, const crypto::X25519Key& key);
  const crypto::X25519Key& key() const { return key_; }
  const Bytes& payload() const { return payload_; }

 private:
  crypto::X25519Key key_;
  Bytes payload_;
};

struct NoiseSession {
  crypto::PublicKey remote_key;
  PeerId remote;
  bool muxer_agreed = false;  // both offered kYamuxMuxer
  NoiseTransport transport;
  Bytes rest;  // came behind the handshake: the first bytes for transport.open()
};

struct NoiseStep {
  Bytes write;                          // to send at once; may be empty
  std::optional<NoiseSession> session;  // set once, with the last step
};

class NoiseHandshake {
 public:
  // `expected`: only this peer is accepted; none: whoever proves an id. `own` outlives the machine.
  NoiseHandshake(NoiseRole role, const NoiseStatic& own, Rng& rng,
                 std::optional<PeerId> expected = {});
  // With an ephemeral key of the caller's, never to be used again.
  NoiseHandshake(NoiseRole role, const NoiseStatic& own, const crypto::X25519Key& ephemeral,
                 std::optional<PeerId> expected);

  // The initiator's first message, once and before anything else.
  Bytes start();
  // Errors are final: malformed, oversized, signature, identity, unsupported (the peer's key type).
  Result<NoiseStep> on_bytes(const Bytes& chunk);

 private:
  struct Remote {
    crypto::PublicKey key;
    PeerId id;
    bool muxer_agreed;
  };
  Result<NoiseStep> advance(const Bytes& chunk);
  Result<bool> complete_held(ByteView& rest);
  Result<void> on_message(ByteView message, NoiseStep& step);
  Result<void> answer(NoiseStep& step);
  Result<Remote> identify(ByteView payload) const;

  const NoiseStatic& own_;
  std::optional<PeerId> expected_;
  NoiseXx noise_;
  bool failed_ = false;
  std::vector<std::uint8_t> held_;  // the front of an unfinished message, length included
};

}  // namespace kith::wire
