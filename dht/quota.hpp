// SourceQuota: how many records each source has here, so that one source cannot fill the table. A
// source is the network group of the peer that sent the record, or the peer itself where the group
// is exempt: a thousand identities in one rented subnet are one source.
#pragma once

#include <map>

#include "dht/network_group.hpp"
#include "dht/peer_book.hpp"

namespace kith::dht {

using Source = std::uint64_t;

inline Source source_of(const PeerRef& peer, NetworkGroup group) {
  return group != 0 ? group : peer.key().words[0];
}

class SourceQuota {
 public:
  std::size_t held(Source source) const {
    const auto found = held_.find(source);
    return found == held_.end() ? 0 : found->second;
  }
  void take(Source source) { ++held_[source]; }
  void give_back(Source source) {
    const auto found = held_.find(source);
    if (found != held_.end() && --found->second == 0) held_.erase(found);
  }

 private:
  std::map<Source, std::size_t> held_;
};

}  // namespace kith::dht
