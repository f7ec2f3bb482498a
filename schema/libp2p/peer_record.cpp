#include "schema/libp2p/peer_record.hpp"

#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

Result<Bytes> decode_address(const Bytes& message, ByteView info) {
  ByteView address;
  KITH_TRY_VOID(read_message(info, [&](const Field& field) {
    if (field.key == bytes_key(1)) address = field.bytes;
  }));
  return slice_of(message, address);
}

}  // namespace

Bytes encode_peer_record(const PeerRecord& record) {
  return encode([&](auto& to) {
    to.bytes(1, record.peer_id.bytes());
    to.varint(2, record.seq);
    for (const Bytes& address : record.addresses)
      to.message(3, [&](auto& info) { info.bytes(1, address); });
  });
}

Result<PeerRecord> decode_peer_record(const Bytes& message) {
  KITH_TRY_VOID(check_repeats(message, {{bytes_key(3), kPeerRecordAddrsMax}}));
  PeerRecord record;
  ByteView id;
  KITH_TRY_VOID(read_message(message, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(1):
        id = field.bytes;
        return {};
      case varint_key(2):
        record.seq = field.number;
        return {};
      case bytes_key(3): {
        KITH_TRY(Bytes address, decode_address(message, field.bytes));
        record.addresses.push_back(std::move(address));
        return {};
      }
      default:
        return {};
    }
  }));
  KITH_TRY(record.peer_id, PeerId::decode(id));
  return record;
}

}  // namespace kith::libp2p
