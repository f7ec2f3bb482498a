#include "gossip/message.hpp"

#include <cstring>

#include "net/crypto/public_key.hpp"
#include "schema/base/varint.hpp"

namespace kith::gossip {
namespace {

bool within(const std::optional<ByteView>& field, std::size_t max) {
  return field && !field->empty() && field->size() <= max;
}

std::array<std::uint8_t, kSeqnoBytes> big_endian(std::uint64_t number) {
  std::array<std::uint8_t, kSeqnoBytes> to{};
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<std::uint8_t>(number >> (8 * (to.size() - 1 - i)));
  return to;
}

Bytes own_rpc(const Bytes& rpc, ByteView encoded, bool share) {
  if (!is_alone(rpc, encoded)) return libp2p::encode_gossip_publish(encoded);
  return share || rpc.size() > kCopyBytesMax ? rpc : Bytes::copy(rpc);
}

}  // namespace

// One byte of field key and the length stand in front.
bool is_alone(const Bytes& rpc, ByteView encoded) {
  return rpc.size() == 1 + varint_size(encoded.size()) + encoded.size() &&
         encoded.data() + encoded.size() == rpc.end();
}

Refusal refusal_of(const libp2p::GossipMessageFields& fields) {
  if (fields.data && fields.data->size() > kGossipDataMax) return Refusal::oversized;
  const bool complete =
      within(fields.from, kFromBytesMax) && within(fields.seqno, kSeqnoBytes) &&
      fields.seqno->size() == kSeqnoBytes && within(fields.signature, crypto::kSignatureBytesMax) &&
      (!fields.key || within(fields.key, crypto::kPublicKeyBytesMax)) && fields.topic;
  return complete ? Refusal::none : Refusal::malformed;
}

Bytes message_id(ByteView author, ByteView seqno) {
  return Bytes::make(author.size() + seqno.size(), [&](std::span<std::uint8_t> to) {
    std::copy(seqno.begin(), seqno.end(), std::copy(author.begin(), author.end(), to.begin()));
  });
}

std::uint64_t tail_of(ByteView id) {
  std::uint64_t tail = 0;
  const std::size_t size = std::min(id.size(), sizeof tail);
  if (size != 0) std::memcpy(&tail, id.data() + id.size() - size, size);
  return tail;
}

Received receive(const Bytes& rpc, ByteView encoded, const libp2p::GossipMessageFields& fields,
                 Bytes id, bool share) {
  Received received;
  Message& message = received.message;
  message.rpc = own_rpc(rpc, encoded, share);
  message.id = std::move(id);
  if (Result<PeerId> from = PeerId::decode(*fields.from)) message.from = std::move(*from);
  // The encoded message is the tail of its RPC, so a field of it is found again from the end.
  const auto part_of = [&](const std::optional<ByteView>& field) -> Bytes {
    if (!field || field->empty()) return {};
    const auto from_end = encoded.data() + encoded.size() - field->data();
    return message.rpc.slice(message.rpc.size() - static_cast<std::size_t>(from_end),
                             field->size());
  };
  message.data = part_of(fields.data);
  received.part.author = message.id.slice(0, fields.from->size());
  received.part.key = part_of(fields.key);
  received.part.signature = part_of(fields.signature);
  received.part.content = libp2p::gossip_signed_bytes(fields);
  return received;
}

bool verify(const SignedPart& part, crypto::Signatures& signatures) {
  const Result<PeerId> author = PeerId::decode(part.author);
  if (!author) return false;
  const Result<crypto::PublicKey> key =
      part.key.empty() ? crypto::PublicKey::of_peer(*author) : crypto::PublicKey::decode(part.key);
  return key && key->peer_id() == *author && signatures.verify(*key, part.content, part.signature);
}

Result<void> check_publish(std::string_view topic, std::size_t data_bytes) {
  if (topic.empty() || topic.size() > libp2p::kGossipTopicBytesMax)
    return fail(Errc::malformed, "a topic has 1 to 256 bytes");
  if (data_bytes > kGossipDataMax)
    return fail(Errc::oversized, "a gossip message holds at most 60 KiB",
                "this one has " + std::to_string(data_bytes) + " bytes");
  return {};
}

Message make_message(const crypto::Identity& author, std::uint64_t seqno, std::string_view topic,
                     Bytes data) {
  const std::array<std::uint8_t, kSeqnoBytes> number = big_endian(seqno);
  libp2p::GossipMessageFields fields;
  fields.from = author.id().bytes().view();
  fields.data = data.view();
  fields.seqno = ByteView(number);
  fields.topic = topic;
  const crypto::Signature signature = author.sign(libp2p::gossip_signed_bytes(fields));
  fields.signature = ByteView(signature);
  Message message;
  message.rpc = libp2p::encode_gossip_publish(fields);
  message.from = author.id();
  message.id = message_id(author.id().bytes(), number);
  message.data = std::move(data);
  return message;
}

}  // namespace kith::gossip
