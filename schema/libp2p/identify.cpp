#include "schema/libp2p/identify.hpp"

#include <algorithm>

#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

Result<Identify> decode_merged(const Bytes& message) {
  KITH_TRY_VOID(check_repeats(
      message, {{bytes_key(2), kIdentifyAddrsMax}, {bytes_key(3), kIdentifyProtocolsMax}}));
  Identify identify;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) {
    const auto value = [&] { return slice_of(message, field.bytes); };
    switch (field.key) {
      case bytes_key(1):
        identify.public_key = value();
        break;
      case bytes_key(2):
        identify.listen_addrs.push_back(value());
        break;
      case bytes_key(3):
        identify.protocols.push_back(value());
        break;
      case bytes_key(4):
        identify.observed_addr = value();
        break;
      case bytes_key(5):
        identify.protocol_version = value();
        break;
      case bytes_key(6):
        identify.agent_version = value();
        break;
      case bytes_key(8):
        identify.signed_peer_record = value();
        break;
      default:
        break;
    }
  }));
  return identify;
}

Result<void> check_size(const Bytes& part) {
  if (part.size() <= kIdentifyPartMax) return {};
  return fail(Errc::oversized, "an identify message of more than 8 KiB");
}

}  // namespace

Bytes encode_identify(const Identify& identify) {
  return encode([&](auto& to) {
    const auto optional = [&](std::uint32_t number, const std::optional<Bytes>& value) {
      if (value) to.bytes(number, *value);
    };
    optional(1, identify.public_key);
    for (const Bytes& address : identify.listen_addrs) to.bytes(2, address);
    for (const Bytes& protocol : identify.protocols) to.bytes(3, protocol);
    optional(4, identify.observed_addr);
    optional(5, identify.protocol_version);
    optional(6, identify.agent_version);
    optional(8, identify.signed_peer_record);
  });
}

Result<Identify> decode_identify(const Bytes& message) {
  KITH_TRY_VOID(check_size(message));
  return decode_merged(message);
}

Result<void> IdentifyParts::add(Bytes part) {
  KITH_TRY_VOID(check_size(part));
  if (parts_.size() == kIdentifyPartsMax)
    return fail(Errc::oversized, "an identify answer of more than 10 messages");
  parts_.push_back(std::move(part));
  return {};
}

Result<Identify> IdentifyParts::finish() const {
  if (parts_.size() == 1) return decode_merged(parts_.front());
  // Each part must be whole by itself: put together, the end of a broken one would swallow the
  // beginning of the next.
  std::size_t size = 0;
  for (const Bytes& part : parts_) {
    KITH_TRY_VOID(read_message(part, [](const Field&) {}));
    size += part.size();
  }
  return decode_merged(Bytes::make(size, [&](std::span<std::uint8_t> to) {
    auto at = to.begin();
    for (const Bytes& part : parts_) at = std::copy(part.begin(), part.end(), at);
  }));
}

}  // namespace kith::libp2p
