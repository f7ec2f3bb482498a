#include "net/wire/noise_transport.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::wire {

namespace {

// The last value of the counter belongs to rekeying and is never used for a message.
constexpr std::uint64_t kNonceEnd = UINT64_MAX;

std::size_t frame_count(std::size_t plaintext) {
  return plaintext / kNoisePlaintextMax + (plaintext % kNoisePlaintextMax != 0 ? 1 : 0);
}

std::size_t frame_length(const std::uint8_t* header) {
  return static_cast<std::size_t>(header[0]) << 8 | header[1];
}

// Walks through several parts as through one stretch of bytes.
class Gather {
 public:
  explicit Gather(std::span<const ByteView> parts) : parts_(parts) {}
  // Up to `size` bytes that lie together, not empty while bytes are left.
  ByteView next(std::size_t size) {
    while (offset_ == parts_.front().size()) {
      parts_ = parts_.subspan(1);
      offset_ = 0;
    }
    const ByteView left = parts_.front().subspan(offset_);
    const ByteView piece = left.first(std::min(size, left.size()));
    offset_ += piece.size();
    return piece;
  }

 private:
  std::span<const ByteView> parts_;
  std::size_t offset_ = 0;
};

std::size_t total_size(std::span<const ByteView> parts) {
  std::size_t total = 0;
  for (const ByteView part : parts) total += part.size();
  return total;
}

}  // namespace

NoiseTransport::NoiseTransport(const NoiseXx::Keys& keys, std::uint64_t send_nonce,
                               std::uint64_t receive_nonce)
    : send_nonce_(send_nonce), receive_nonce_(receive_nonce) {
  sealer_.set_key(keys.send.span());
  opener_.set_key(keys.receive.span());
}

std::size_t NoiseTransport::sealed_size(std::size_t plaintext) {
  return plaintext + frame_count(plaintext) * kNoiseFrameOverhead;
}

Result<Bytes> NoiseTransport::seal(std::span<const ByteView> parts) {
  std::size_t left = total_size(parts);
  if (frame_count(left) > kNonceEnd - send_nonce_)
    return fail(Errc::exhausted, "the connection's nonces are used up");
  return Bytes::make(sealed_size(left), [&](std::span<std::uint8_t> out) {
    std::uint8_t* to = out.data();
    Gather gather(parts);
    for (; left > 0; left -= std::min(left, kNoisePlaintextMax)) {
      const std::size_t length = std::min(left, kNoisePlaintextMax) + kNoiseTagBytes;
      *to++ = static_cast<std::uint8_t>(length >> 8);
      *to++ = static_cast<std::uint8_t>(length);
      sealer_.begin(crypto::aead_nonce(send_nonce_++), {});
      std::uint8_t* const tag = to + length - kNoiseTagBytes;
      while (to != tag) {
        const ByteView piece = gather.next(static_cast<std::size_t>(tag - to));
        sealer_.update(piece, to);
        to += piece.size();
      }
      sealer_.finish(tag);
      to += kNoiseTagBytes;
    }
  });
}

Result<Bytes> NoiseTransport::open(const Bytes& chunk) {
  if (failed_) return fail(Errc::closed, "the encrypted connection failed before");
  ByteView rest = chunk;
  complete_held(rest);
  KITH_TRY(const Whole held, measure(held_));
  KITH_TRY(const Whole here, measure(rest));  // nothing while the held frame is not whole
  Result<void> opened;
  Bytes plaintext = Bytes::make(held.plaintext + here.plaintext, [&](std::span<std::uint8_t> to) {
    opened = open_frames(ByteView(held_).first(held.bytes), to.data());
    if (opened) opened = open_frames(rest.first(here.bytes), to.data() + held.plaintext);
  });
  KITH_TRY_VOID(opened);
  if (held.bytes > 0) held_ = {};  // gives the memory back: most connections are idle
  rest = rest.subspan(here.bytes);
  held_.insert(held_.end(), rest.begin(), rest.end());
  return plaintext;
}

// Moves from the front of `rest` what the held frame lacks.
void NoiseTransport::complete_held(ByteView& rest) {
  if (held_.empty()) return;
  const auto fill_to = [&](std::size_t size) {
    const std::size_t lacking = size - std::min(size, held_.size());
    const ByteView part = rest.first(std::min(lacking, rest.size()));
    held_.insert(held_.end(), part.begin(), part.end());
    rest = rest.subspan(part.size());
  };
  fill_to(kNoiseLengthBytes);
  if (held_.size() >= kNoiseLengthBytes) fill_to(kNoiseLengthBytes + frame_length(held_.data()));
}

// Adds up the whole frames at the front of `bytes`. An impossible length is refused as soon as it
// is there, not when its frame is.
Result<NoiseTransport::Whole> NoiseTransport::measure(ByteView bytes) {
  Whole whole;
  for (;;) {
    const ByteView at = bytes.subspan(whole.bytes);
    if (at.size() < kNoiseLengthBytes) return whole;
    const std::size_t length = frame_length(at.data());
    if (length < kNoiseTagBytes) return broken("encrypted frame is shorter than its tag");
    if (at.size() - kNoiseLengthBytes < length) return whole;
    whole.bytes += kNoiseLengthBytes + length;
    whole.plaintext += length - kNoiseTagBytes;
  }
}

// `frames` are whole ones, measured before.
Result<void> NoiseTransport::open_frames(ByteView frames, std::uint8_t* to) {
  while (!frames.empty()) {
    const std::size_t length = frame_length(frames.data());
    if (receive_nonce_ == kNonceEnd) return broken("the connection's nonces are used up");
    if (!opener_.open(crypto::aead_nonce(receive_nonce_), {},
                      frames.subspan(kNoiseLengthBytes, length), to))
      return broken("encrypted frame does not verify");
    ++receive_nonce_;
    to += length - kNoiseTagBytes;
    frames = frames.subspan(kNoiseLengthBytes + length);
  }
  return {};
}

Error NoiseTransport::broken(std::string what) {
  failed_ = true;
  held_ = {};
  return fail(Errc::malformed, std::move(what));
}

}  // namespace kith::wire
