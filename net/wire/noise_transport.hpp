// NoiseTransport: the encrypted connection after the handshake (libp2p/specs noise, "Wire Format"):
// frames of a 2-byte big-endian length and that many bytes of ciphertext, 16 of them the tag.
// Plaintext is a byte stream for whoever is above: frame boundaries mean nothing.
//
// Rules
// * seal() gathers its parts straight into the frames of one output buffer: nothing is copied
// before it is encrypted, and one write to the transport carries header, ciphertext and tag.
// * open() takes bytes in any cut and returns the plaintext of all frames that are whole now, in
// one buffer; what is left of an unfinished frame is kept, at most kNoiseFrameMax bytes, and its
// memory grows with what came, not with what the length promised.
// * The receiving nonce moves only on success, and a failure is final: everything is refused after
// it. A nonce is used once; 2^64 - 1 is never used (Noise specification, section 5.1).
//
// Attacker: anybody between the two machines can cut, flip, replay and reorder; each ends the
// connection. A frame shorter than its tag is refused when its length is read. Empty frames are
// legal and yield nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "net/wire/noise_xx.hpp"

namespace kith::wire {

inline constexpr std::size_t kNoiseLengthBytes = 2;
inline constexpr std::size_t kNoiseFrameMax = kNoiseLengthBytes + kNoiseMessageMax;
// What a frame costs beside its plaintext.
inline constexpr std::size_t kNoiseFrameOverhead = kNoiseLengthBytes + kNoiseTagBytes;

class NoiseTransport {
 public:
  // The nonces are arguments so that their end can be tested.
  explicit NoiseTransport(const NoiseXx::Keys& keys, std::uint64_t send_nonce = 0,
                          std::uint64_t receive_nonce = 0);

  // All parts, one behind the other, in as few frames as hold them; empty when they are.
  // Errc::exhausted when the nonces are used up: nothing is written then.
  Result<Bytes> seal(std::span<const ByteView> parts);
  Result<Bytes> seal(ByteView plaintext) { return seal({&plaintext, 1}); }
  // Plaintext, perhaps empty. Errc::malformed is final.
  Result<Bytes> open(const Bytes& chunk);

  // Bytes that seal() makes of `plaintext` bytes.
  static std::size_t sealed_size(std::size_t plaintext);
  // Bytes of an unfinished frame that are held.
  std::size_t held_bytes() const { return held_.size(); }

 private:
  struct Whole {  // frames that are there in full
    std::size_t bytes = 0;
    std::size_t plaintext = 0;
  };
  void complete_held(ByteView& rest);
  Result<Whole> measure(ByteView bytes);
  Result<void> open_frames(ByteView frames, std::uint8_t* to);
  Error broken(std::string what);

  crypto::AeadSealer sealer_;
  crypto::AeadOpener opener_;
  std::uint64_t send_nonce_;
  std::uint64_t receive_nonce_;
  bool failed_ = false;
  std::vector<std::uint8_t> held_;  // the front of an unfinished frame, length included
};

}  // namespace kith::wire
