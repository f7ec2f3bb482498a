#include "dht/value_poll.hpp"

#include <algorithm>

namespace kith::dht {

bool ValuePoll::on_value(Wall now, const PeerRef& from, ByteView record_key, ByteView value) {
  if (!equal(record_key, key_) || !validators_->validate(key_, value, now)) {
    if (from) without_.push_back(from);
    return false;
  }
  ++valid_;
  if (valid_ == 1 || validators_->better(key_, best_, value)) {
    outdated_.insert(outdated_.end(), current_.begin(), current_.end());
    current_.clear();
    best_ = Bytes::copy(value);
    if (from) current_.push_back(from);
  } else if (from) {
    (equal(best_, value) ? current_ : outdated_).push_back(from);
  }
  return true;
}

std::vector<HeardPeer> ValuePoll::stale(const std::vector<HeardPeer>& closest) const {
  std::vector<HeardPeer> stale;
  for (const PeerRef& peer : outdated_) stale.push_back({peer, {}});
  for (const HeardPeer& near : closest)
    if (std::find(without_.begin(), without_.end(), near.peer) != without_.end())
      stale.push_back(near);
  return stale;
}

}  // namespace kith::dht
