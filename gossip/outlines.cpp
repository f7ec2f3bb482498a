#include "gossip/outlines.hpp"

namespace kith::gossip {
namespace {

constexpr std::uint8_t kPublishKey = libp2p::bytes_key(2);  // rpc.proto

}  // namespace

const Outline* Outlines::find(const Bytes& rpc) {
  if (rpc.empty() || rpc.size() > kCopyBytesMax) return nullptr;
  if (known_.empty()) known_.resize(kOutlinesMax);
  const auto place = reinterpret_cast<std::uintptr_t>(rpc.data());
  std::unique_ptr<Outline>& known = known_[(place >> 4 ^ place >> 12) % kOutlinesMax];
  if (known) {
    const Bytes& before = known->received.message.rpc;
    if (before.data() == rpc.data() && before.size() == rpc.size()) return known.get();
  }
  // Control, the other half of what arrives, goes its own way before a field of it is read.
  if (rpc[0] != kPublishKey) return nullptr;
  Outline fresh;
  if (!read(rpc, fresh)) return nullptr;
  if (!known) known = std::make_unique<Outline>();
  *known = std::move(fresh);
  return known.get();
}

bool Outlines::read(const Bytes& rpc, Outline& to) {
  libp2p::GossipRpc said;
  if (!libp2p::decode_gossip_rpc(rpc, said) || said.publish.size() != 1) return false;
  const ByteView encoded = said.publish.front();
  if (!is_alone(rpc, encoded)) return false;
  Result<libp2p::GossipMessageFields> fields = libp2p::decode_gossip_message(encoded);
  if (!fields || refusal_of(*fields) != Refusal::none) return false;
  to.fields = *fields;
  to.received = receive(rpc, encoded, *fields, message_id(*fields->from, *fields->seqno), true);
  return true;
}

}  // namespace kith::gossip
