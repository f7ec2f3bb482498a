// ValuePoll: what the peers of one get_value said (libp2p/specs kad-dht, "Value retrieval"): the
// best valid value so far, who has it, who has an older one and who has none.
//
// Rules: a record counts when its key is the one asked for and the namespace's validator accepts
// it; anything else counts as having none. settled() when `quorum` peers gave a valid value,
// ourselves included. Who is to be corrected afterwards: holders of worse values, and peers among
// the k closest that have none (stale()). Bounds: one entry for each peer asked. Attacker: peers
// that answer with records of other keys, invalid ones, or old ones.
#pragma once

#include <vector>

#include "dht/lookup.hpp"
#include "dht/validators.hpp"

namespace kith::dht {

class ValuePoll {
 public:
  ValuePoll(const Validators& validators, Bytes key, std::uint32_t quorum)
      : validators_(&validators), key_(std::move(key)), quorum_(quorum == 0 ? 1 : quorum) {}

  // `from` is null for our own record. `record_key` and `value` as they came. True when it counted.
  bool on_value(Wall now, const PeerRef& from, ByteView record_key, ByteView value);
  void on_nothing(const PeerRef& from) { without_.push_back(from); }

  bool settled() const { return valid_ >= quorum_; }
  bool found() const { return valid_ > 0; }
  const Bytes& best() const { return best_; }
  std::vector<HeardPeer> stale(const std::vector<HeardPeer>& closest) const;

 private:
  const Validators* validators_;
  Bytes key_;
  std::uint32_t quorum_;
  std::uint32_t valid_ = 0;
  Bytes best_;
  std::vector<PeerRef> current_;
  std::vector<PeerRef> outdated_;
  std::vector<PeerRef> without_;
};

}  // namespace kith::dht
