#include "gossip/outlines.hpp"

namespace kith::gossip {
namespace {

// rpc.proto
constexpr std::uint8_t kPublishKey = libp2p::bytes_key(2);
constexpr std::uint8_t kControlKey = libp2p::bytes_key(3);

}  // namespace

const Outline* Outlines::find(const Bytes& rpc) {
  if (rpc.empty() || rpc.size() > kCopyBytesMax) return nullptr;
  if (known_.empty()) known_.resize(kOutlinesMax);
  const auto place = reinterpret_cast<std::uintptr_t>(rpc.data());
  std::unique_ptr<Outline>& known = known_[(place >> 4 ^ place >> 12) % kOutlinesMax];
  if (known && known->rpc.data() == rpc.data() && known->rpc.size() == rpc.size())
    return known.get();
  // Whatever else there is goes its own way before a field of it is read.
  if (rpc[0] != kPublishKey && rpc[0] != kControlKey) return nullptr;
  Outline fresh;
  if (!read(rpc, fresh)) return nullptr;
  if (!known) known = std::make_unique<Outline>();
  *known = std::move(fresh);
  return known.get();
}

bool Outlines::read(const Bytes& rpc, Outline& to) const {
  libp2p::GossipRpc said;
  if (!libp2p::decode_gossip_rpc(rpc, said)) return false;
  to.rpc = rpc;
  if (said.publish.size() == 1)
    return read_message(rpc, said.publish.front(), to.what.emplace<MessageOutline>());
  const bool offers_alone = said.ihave.size() == 1 && said.subscriptions.empty() &&
                            said.publish.empty() && said.iwant.empty() && said.graft.empty() &&
                            said.prune.empty() && said.left_out == 0;
  return offers_alone && read_offer(said.ihave.front(), to.what.emplace<OfferOutline>());
}

bool Outlines::read_message(const Bytes& rpc, ByteView encoded, MessageOutline& to) const {
  if (!is_alone(rpc, encoded)) return false;
  Result<libp2p::GossipMessageFields> fields = libp2p::decode_gossip_message(encoded);
  if (!fields || refusal_of(*fields) != Refusal::none) return false;
  Received read = receive(rpc, encoded, *fields, message_id(*fields->from, *fields->seqno), true);
  to.valid = verify(read.part, signatures_);
  to.message = std::move(read.message);
  to.message.key = hash_(to.message.id);
  to.message.author = hash_(*fields->from);
  to.from = *fields->from;
  to.topic = hash_(as_bytes(*fields->topic));
  return true;
}

bool Outlines::read_offer(const libp2p::GossipIHave& offer, OfferOutline& to) const {
  to.offer = offer;
  to.keys.reserve(offer.ids.count());
  bool within = true;
  offer.ids.for_each(offer.ids.count(), [&](ByteView id) {
    within = within && !id.empty() && id.size() <= kMessageIdBytesMax;
    to.keys.push_back(hash_(id));
  });
  return within;
}

}  // namespace kith::gossip
