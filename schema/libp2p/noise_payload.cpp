#include "schema/libp2p/noise_payload.hpp"

#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

Result<void> read_extensions(const Bytes& message, ByteView part, NoisePayload& payload) {
  return read_message(part, [&](const Field& field) -> Result<void> {
    if (field.key == bytes_key(1)) {
      if (payload.webtransport_certhashes.size() == kNoiseCerthashesMax)
        return fail(Errc::oversized, "too many certificate hashes in a noise payload");
      payload.webtransport_certhashes.push_back(slice_of(message, field.bytes));
    } else if (field.key == bytes_key(2)) {
      if (payload.stream_muxers.size() == kNoiseMuxersMax)
        return fail(Errc::oversized, "too many muxers in a noise payload");
      payload.stream_muxers.push_back(slice_of(message, field.bytes));
    }
    return {};
  });
}

}  // namespace

Bytes encode_noise_payload(const NoisePayload& payload) {
  return encode([&](auto& to) {
    to.bytes(1, payload.identity_key);
    to.bytes(2, payload.identity_sig);
    if (payload.stream_muxers.empty() && payload.webtransport_certhashes.empty()) return;
    to.message(4, [&](auto& extensions) {
      for (const Bytes& hash : payload.webtransport_certhashes) extensions.bytes(1, hash);
      for (const Bytes& muxer : payload.stream_muxers) extensions.bytes(2, muxer);
    });
  });
}

Result<NoisePayload> decode_noise_payload(const Bytes& message) {
  NoisePayload payload;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(1):
        payload.identity_key = slice_of(message, field.bytes);
        return {};
      case bytes_key(2):
        payload.identity_sig = slice_of(message, field.bytes);
        return {};
      // Several are one, as protobuf merges.
      case bytes_key(4):
        return read_extensions(message, field.bytes, payload);
      default:
        return {};
    }
  }));
  return payload;
}

}  // namespace kith::libp2p
