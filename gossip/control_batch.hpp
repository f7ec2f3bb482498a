// ControlBatch: subscriptions and control messages to peers, gathered while one event is handled
// and then sent as few RPCs: one a peer, unless it would exceed kControlRpcBytesMax. An offer
// (IHAVE), which is long and the same for all whom it goes to, is encoded once and is an RPC of its
// own, unless there are more than kOffersApartMax: who gets many RPCs with IHAVE may stop listening
// (kIHavesPerHeartbeatMax, and our heartbeats are not the peer's).
//
// Topic names must live until flush(). RPCs go out in slot order, parts of one peer in the order
// in which they were added; offers of their own after all others.
#pragma once

#include <string_view>
#include <vector>

#include "gossip/effects.hpp"

namespace kith::gossip {

inline constexpr std::size_t kOffersApartMax = 4;

class ControlBatch {
 public:
  void subscription(host::PeerSlot to, std::string_view topic, bool subscribe);
  void graft(host::PeerSlot to, std::string_view topic);
  void prune(host::PeerSlot to, std::string_view topic, std::uint64_t backoff_seconds);
  void ihave(std::vector<host::PeerSlot> to, std::string_view topic, std::vector<Bytes> ids);
  void iwant(host::PeerSlot to, ByteView id);
  bool empty() const { return items_.empty() && offers_.empty(); }
  void flush(Effects& out);

 private:
  enum class Kind : std::uint8_t { subscribe, unsubscribe, graft, prune, ihave, iwant };
  struct Item {
    host::PeerSlot to;
    Kind kind{};
    std::string_view topic;
    std::uint64_t number = 0;  // prune: backoff, seconds; ihave: which of offers_
    Bytes id;                  // iwant
  };
  struct Offer {
    std::vector<host::PeerSlot> to;
    std::string_view topic;
    std::vector<Bytes> ids;
  };
  // Calls `send` with each RPC of `offer`.
  template <class Send>
  static void encode_offer(const Offer& offer, Send&& send);
  void flush_items(Effects& out);
  std::vector<Item> items_;
  std::vector<Offer> offers_;
};

}  // namespace kith::gossip
