#include "schema/libp2p/envelope.hpp"

#include <algorithm>

#include "schema/base/varint.hpp"
#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {

Bytes encode_envelope(const Envelope& envelope) {
  return encode([&](auto& to) {
    to.bytes(1, envelope.public_key);
    to.bytes(2, envelope.payload_type);
    to.bytes(3, envelope.payload);
    to.bytes(5, envelope.signature);
  });
}

Result<Envelope> decode_envelope(const Bytes& message) {
  if (message.size() > kEnvelopeMax)
    return fail(Errc::oversized, "a signed envelope of more than 8 KiB");
  Envelope envelope;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) {
    switch (field.key) {
      case bytes_key(1):
        envelope.public_key = slice_of(message, field.bytes);
        break;
      case bytes_key(2):
        envelope.payload_type = slice_of(message, field.bytes);
        break;
      case bytes_key(3):
        envelope.payload = slice_of(message, field.bytes);
        break;
      case bytes_key(5):
        envelope.signature = slice_of(message, field.bytes);
        break;
      default:
        break;
    }
  }));
  return envelope;
}

Bytes envelope_signed_bytes(std::string_view domain, ByteView payload_type, ByteView payload) {
  const std::array<ByteView, 3> parts{as_bytes(domain), payload_type, payload};
  std::size_t size = 0;
  for (const ByteView part : parts) size += varint_size(part.size()) + part.size();
  return Bytes::make(size, [&](std::span<std::uint8_t> to) {
    auto at = to.begin();
    for (const ByteView part : parts) {
      at += static_cast<std::ptrdiff_t>(write_varint(&*at, part.size()));
      at = std::copy(part.begin(), part.end(), at);
    }
  });
}

}  // namespace kith::libp2p
