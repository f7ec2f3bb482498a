#include "gossip/control_batch.hpp"

#include <algorithm>

namespace kith::gossip {
namespace {

// More than what protobuf puts around a topic or an id: keys and lengths of two levels.
constexpr std::size_t kElementOverhead = 24;
constexpr std::size_t kIdOverhead = 3;  // key and length of an id
// The most that one item adds: an id that opens the list of its topic.
constexpr std::size_t kItemMax =
    libp2p::kGossipTopicBytesMax + kMessageIdBytesMax + 2 * kElementOverhead;
constexpr std::size_t kKeptItems = 16;

}  // namespace

void ControlBatch::subscription(host::PeerSlot to, std::string_view topic, bool subscribe) {
  items_.push_back({to, subscribe ? Kind::subscribe : Kind::unsubscribe, topic, 0, {}});
}
void ControlBatch::graft(host::PeerSlot to, std::string_view topic) {
  items_.push_back({to, Kind::graft, topic, 0, {}});
}
void ControlBatch::prune(host::PeerSlot to, std::string_view topic, std::uint64_t backoff_seconds) {
  items_.push_back({to, Kind::prune, topic, backoff_seconds, {}});
}
void ControlBatch::ihave(std::vector<host::PeerSlot> to, std::string_view topic,
                         std::vector<Bytes> ids) {
  if (!to.empty()) offers_.push_back({std::move(to), topic, std::move(ids)});
}
void ControlBatch::iwant(host::PeerSlot to, ByteView id) {
  items_.push_back({to, Kind::iwant, {}, 0, Bytes::copy(id)});
}

void ControlBatch::flush(Effects& out) {
  if (empty()) return;
  const bool apart = offers_.size() <= kOffersApartMax;
  for (std::size_t i = 0; i < offers_.size() && !apart; ++i)
    for (const host::PeerSlot peer : offers_[i].to)
      items_.push_back({peer, Kind::ihave, offers_[i].topic, i, {}});
  flush_items(out);
  for (std::size_t i = 0; i < offers_.size() && apart; ++i)
    encode_offer(offers_[i], [&](const Bytes& rpc) {
      for (const host::PeerSlot peer : offers_[i].to)
        out.push_back(SendRpc{peer, rpc, host::Priority::control});
    });
  items_.clear();
  offers_.clear();
  if (items_.capacity() > kKeptItems) items_.shrink_to_fit();
  offers_.shrink_to_fit();
}

template <class Send>
void ControlBatch::encode_offer(const Offer& offer, Send&& send) {
  const std::size_t first = offer.topic.size() + kElementOverhead;
  libp2p::GossipControlOut rpc;
  for (std::size_t at = 0; at < offer.ids.size();) {
    rpc.ihave = {{offer.topic, {}}};
    for (std::size_t size = first; at < offer.ids.size(); ++at) {
      if (size + kItemMax > kControlRpcBytesMax) break;
      rpc.ihave.back().ids.push_back(offer.ids[at].view());
      size += offer.ids[at].size() + kIdOverhead;
    }
    send(libp2p::encode_gossip_control(rpc));
  }
}

void ControlBatch::flush_items(Effects& out) {
  std::stable_sort(items_.begin(), items_.end(),
                   [](const Item& a, const Item& b) { return a.to < b.to; });
  libp2p::GossipControlOut rpc;
  std::size_t size = 0;
  const auto send = [&](host::PeerSlot to) {
    out.push_back(SendRpc{to, libp2p::encode_gossip_control(rpc), host::Priority::control});
    rpc = {};
    size = 0;
  };
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    switch (item.kind) {
      case Kind::subscribe:
      case Kind::unsubscribe:
        rpc.subscriptions.push_back({item.kind == Kind::subscribe, item.topic});
        break;
      case Kind::graft:
        rpc.graft.push_back(item.topic);
        break;
      case Kind::prune:
        rpc.prune.push_back({item.topic, item.number});
        break;
      case Kind::ihave:
        for (const Bytes& id : offers_[static_cast<std::size_t>(item.number)].ids) {
          if (size + kItemMax > kControlRpcBytesMax) send(item.to);
          if (rpc.ihave.empty() || rpc.ihave.back().topic != item.topic) {
            rpc.ihave.push_back({item.topic, {}});
            size += item.topic.size() + kElementOverhead;
          }
          rpc.ihave.back().ids.push_back(id.view());
          size += id.size() + kIdOverhead;
        }
        break;
      case Kind::iwant:
        rpc.iwant.push_back(item.id.view());
        size += item.id.size() + kIdOverhead;
        break;
    }
    size += item.topic.size() + kElementOverhead;
    const bool last = i + 1 == items_.size() || items_[i + 1].to != item.to;
    if (last || size + kItemMax > kControlRpcBytesMax) send(item.to);
  }
}

}  // namespace kith::gossip
