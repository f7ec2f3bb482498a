// Recent: what was met lately, a set of at most Max things of which the oldest gives way; and
// Shunned, the peers whose answers by stream were false, of whom nothing is asked for a while.
//
// Shunned names connections: who comes back on a new one is asked again, and costs one question.
#pragma once

#include <algorithm>
#include <deque>
#include <set>

#include "net/base/time.hpp"
#include "net/host/host.hpp"

namespace kith::edil {

template <class T, std::size_t Max>
class Recent {
 public:
  // False: it is there already.
  bool insert(const T& one) {
    if (!known_.insert(one).second) return false;
    order_.push_back(one);
    if (order_.size() > Max) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  bool contains(const T& one) const { return known_.count(one) != 0; }
  std::size_t size() const { return known_.size(); }

 private:
  std::set<T> known_;
  std::deque<T> order_;
};

inline constexpr std::size_t kShunnedMax = 64;
inline constexpr Duration kShunTime = 60s;

class Shunned {
 public:
  void add(Mono now, host::PeerSlot peer) {
    std::erase_if(peers_, [&](const auto& one) { return one.first == peer || one.second <= now; });
    if (peers_.size() >= kShunnedMax) peers_.pop_front();
    peers_.emplace_back(peer, now + kShunTime);
  }
  bool contains(Mono now, host::PeerSlot peer) const {
    return std::any_of(peers_.begin(), peers_.end(),
                       [&](const auto& one) { return one.first == peer && one.second > now; });
  }

 private:
  std::deque<std::pair<host::PeerSlot, Mono>> peers_;
};

}  // namespace kith::edil
