// From the core's Reply to bytes: peers get the addresses that the peer store has for them, and the
// message stays below kKadMessageOutMax.
//
// Rules: a peer without addresses is left out, since the asker cannot use it (js leaves them out
// too). At most kReplyAddrsMax addresses each; with `keep_private` off, no private ones. The record
// goes first, then providers, then closer peers, nearest first; what does not fit is left out.
#pragma once

#include "dht/effects.hpp"

namespace kith::dht {

inline constexpr std::size_t kReplyAddrsMax = 8;

class AddrSource {
 public:
  virtual std::vector<Multiaddr> addrs_of(const PeerId& id) const = 0;

 protected:
  ~AddrSource() = default;
};

Bytes encode_reply(Reply reply, const AddrSource& addrs, bool keep_private);

}  // namespace kith::dht
