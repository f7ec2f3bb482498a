// ControlBatch: subscriptions and control messages to peers, gathered while one event is handled
// and then sent as few RPCs: one a peer, unless it would exceed kControlRpcBytesMax.
//
// Topic names must live until flush(). RPCs go out in slot order, parts of one peer in the order
// in which they were added.
#pragma once

#include <string_view>
#include <vector>

#include "gossip/effects.hpp"

namespace kith::gossip {

class ControlBatch {
 public:
  void subscription(host::PeerSlot to, std::string_view topic, bool subscribe);
  void graft(host::PeerSlot to, std::string_view topic);
  void prune(host::PeerSlot to, std::string_view topic, std::uint64_t backoff_seconds);
  void ihave(const std::vector<host::PeerSlot>& to, std::string_view topic, std::vector<Bytes> ids);
  void iwant(host::PeerSlot to, ByteView id);
  bool empty() const { return items_.empty(); }
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
  std::vector<Item> items_;
  std::vector<std::vector<Bytes>> offers_;  // the same ids go to some peers
};

}  // namespace kith::gossip
