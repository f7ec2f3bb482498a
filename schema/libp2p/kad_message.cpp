#include "schema/libp2p/kad_message.hpp"

#include "schema/libp2p/proto.hpp"

namespace kith::libp2p {
namespace {

enum Number : std::uint32_t { kType = 1, kKey = 2, kRecord = 3, kCloser = 8, kProvider = 9 };
enum RecordNumber : std::uint32_t { kRecordKey = 1, kRecordValue = 2, kRecordTime = 5 };
enum PeerNumber : std::uint32_t { kPeerId = 1, kPeerAddr = 2, kPeerConnection = 3 };
constexpr std::int32_t kConnected = 1;
constexpr std::int32_t kCannotConnect = 3;  // the last of them

Result<void> check_size(const Field& field, std::size_t max, const char* name) {
  if (field.bytes.size() <= max) return {};
  return fail(Errc::oversized, std::string("a Kademlia ") + name + " of more than " +
                                   std::to_string(max) + " bytes");
}

// The address without a trailing /p2p of its own peer; none when it is of another, or unreadable.
std::optional<Multiaddr> address_of(const PeerId& id, ByteView packed) {
  Result<Multiaddr> read = Multiaddr::decode(packed);
  if (!read || read->empty()) return std::nullopt;
  Multiaddr bare = read->without_peer_id();
  if (bare == *read) return std::move(*read);
  if (bare.empty() || read->peer_id() != id) return std::nullopt;
  return bare;
}

// Fails only where the bytes are not protobuf; an id that cannot be read gives a peer without one.
Result<KadPeer> read_peer(ByteView from) {
  KadPeer peer;
  std::vector<ByteView> addrs;
  ByteView id;
  const auto each = [&](const Field& field) {
    switch (field.key) {
      case bytes_key(kPeerId):
        id = field.bytes;
        break;
      case bytes_key(kPeerAddr):
        if (addrs.size() < kKadAddrsMax) addrs.push_back(field.bytes);
        break;
      case varint_key(kPeerConnection):
        if (field.int32() >= 0 && field.int32() <= kCannotConnect)
          peer.connected = field.int32() == kConnected;
        break;
    }
  };
  KITH_TRY_VOID(read_message(from, each));
  Result<PeerId> decoded = PeerId::decode(id);
  if (!decoded || decoded->empty()) return peer;
  peer.id = std::move(*decoded);
  peer.addrs.reserve(addrs.size());
  for (const ByteView packed : addrs)
    if (std::optional<Multiaddr> addr = address_of(peer.id, packed))
      peer.addrs.push_back(std::move(*addr));
  return peer;
}

Result<void> add_peer(ByteView from, std::vector<KadPeer>& to) {
  if (to.size() >= kKadPeersMax) return read_message(from, [](const Field&) {});
  KITH_TRY(KadPeer peer, read_peer(from));
  if (!peer.id.empty()) to.push_back(std::move(peer));
  return {};
}

Result<void> read_record(const Bytes& message, ByteView from, KadRecord& record) {
  return read_message(from, [&](const Field& field) -> Result<void> {
    switch (field.key) {
      case bytes_key(kRecordKey):
        KITH_TRY_VOID(check_size(field, kKadKeyMax, "record key"));
        record.key = slice_of(message, field.bytes);
        break;
      case bytes_key(kRecordValue):
        KITH_TRY_VOID(check_size(field, kKadValueMax, "record value"));
        record.value = slice_of(message, field.bytes);
        break;
      case bytes_key(kRecordTime):
        KITH_TRY_VOID(check_size(field, kKadTimeMax, "record time"));
        record.time_received = field.text();
        break;
    }
    return {};
  });
}

Result<void> read_field(const Bytes& message, const Field& field, KadMessage& read) {
  switch (field.key) {
    case varint_key(kType):
      if (field.int32() < 0 || field.int32() > static_cast<std::int32_t>(KadType::ping))
        return fail(Errc::unsupported, "an unknown type of Kademlia message");
      read.type = static_cast<KadType>(field.int32());
      break;
    case bytes_key(kKey):
      KITH_TRY_VOID(check_size(field, kKadKeyMax, "key"));
      read.key = slice_of(message, field.bytes);
      break;
    case bytes_key(kRecord):
      if (!read.record) read.record.emplace();
      return read_record(message, field.bytes, *read.record);
    case bytes_key(kCloser):
      return add_peer(field.bytes, read.closer);
    case bytes_key(kProvider):
      return add_peer(field.bytes, read.providers);
  }
  return {};
}

template <class Pass>
void write_peer(Pass& to, const KadPeer& peer) {
  to.bytes(kPeerId, peer.id.bytes());
  for (const Multiaddr& addr : peer.addrs) to.bytes(kPeerAddr, addr.bytes());
  if (peer.connected) to.int32(kPeerConnection, kConnected);
}

template <class Pass>
void write_record(Pass& to, const KadRecord& record) {
  to.bytes(kRecordKey, record.key);
  to.bytes(kRecordValue, record.value);
  if (!record.time_received.empty()) to.text(kRecordTime, record.time_received);
}

}  // namespace

Result<KadMessage> decode_kad(const Bytes& message) {
  if (message.size() > kKadMessageInMax)
    return fail(Errc::oversized, "a Kademlia message of more than 64 KiB");
  KITH_TRY_VOID(check_repeats(message, {{bytes_key(kCloser), kKadListEntriesMax},
                                        {bytes_key(kProvider), kKadListEntriesMax}}));
  KadMessage read;
  read.type = KadType::put_value;  // what an absent field means
  const auto each = [&](const Field& field) { return read_field(message, field, read); };
  KITH_TRY_VOID(read_message(message, each));
  return read;
}

Bytes encode_kad(const KadMessage& message) {
  return encode([&](auto& to) {
    if (message.type != KadType::put_value)
      to.varint(kType, static_cast<std::uint64_t>(message.type));
    if (!message.key.empty()) to.bytes(kKey, message.key);
    if (message.record)
      to.message(kRecord, [&](auto& inner) { write_record(inner, *message.record); });
    for (const KadPeer& peer : message.closer)
      to.message(kCloser, [&](auto& inner) { write_peer(inner, peer); });
    for (const KadPeer& peer : message.providers)
      to.message(kProvider, [&](auto& inner) { write_peer(inner, peer); });
  });
}

std::size_t encoded_size_kad(const KadPeer& peer) {
  return encoded_size(
      [&](auto& to) { to.message(kCloser, [&](auto& inner) { write_peer(inner, peer); }); });
}

}  // namespace kith::libp2p
