#include "dht/bootstrap.hpp"

#include <algorithm>

namespace kith::dht {
namespace {
constexpr std::uint64_t kRequestsEnd = 1u << 20;
}

Bootstrap::Bootstrap(const PeerId& self, const std::vector<Multiaddr>& addrs, Rng rng)
    : self_(self), rng_(rng) {
  for (const Multiaddr& addr : addrs) {
    const PeerId id = addr.peer_id().value_or(PeerId{});
    if (id == self) continue;
    const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return !id.empty() && entry.id == id;
    });
    if (same != entries_.end()) {
      same->addrs.push_back(addr.without_peer_id());
    } else if (entries_.size() < kBootstrapMax) {
      entries_.emplace_back();
      entries_.back().id = id;
      entries_.back().addrs.push_back(addr.without_peer_id());
    }
  }
}

bool Bootstrap::on_neighbour(PeerInfo neighbour) {
  if (neighbour.id == self_ || neighbour.addrs.empty()) return false;
  if (neighbours_.size() >= kNeighboursMax) return false;
  neighbours_.push_back(std::move(neighbour));
  return true;
}

Duration Bootstrap::jittered(Duration delay) {
  const auto half = static_cast<std::uint64_t>(delay.count() / 2);
  return delay / 2 + Duration(static_cast<std::int64_t>(rng_.below(half + 1)));
}

void Bootstrap::dial(Entry& entry, Effects& out) {
  requests_ = requests_ % (kRequestsEnd - 1) + 1;
  entry.request = RequestId{requests_};
  ++under_way_;
  out.push_back(Connect{entry.request, entry.id, entry.addrs});
}

bool Bootstrap::on_connected(Now now, RequestId request, const PeerId* reached) {
  if (request.value == 0 || request.value >= kRequestsEnd) return false;
  if (std::erase(neighbours_under_way_, request) > 0) {
    --under_way_;
    return true;
  }
  for (Entry& entry : entries_) {
    if (entry.request != request) continue;
    entry.request = {};
    --under_way_;
    entry.due = later(now.mono, jittered(entry.delay));
    entry.delay = reached != nullptr ? kDialFirst : std::min(entry.delay * 2, kDialMax);
    if (reached != nullptr) {
      entry.id = *reached;
      entry.connected = true;
    }
    return true;
  }
  return true;
}

void Bootstrap::on_peer_ready(const PeerId& peer) {
  for (Entry& entry : entries_)
    if (entry.id == peer) entry.connected = true;
}

void Bootstrap::on_peer_gone(Now now, const PeerId& peer) {
  for (Entry& entry : entries_) {
    if (entry.id != peer) continue;
    entry.connected = false;
    entry.due = std::max(entry.due, later(now.mono, jittered(kDialFirst)));
  }
}

void Bootstrap::on_tick(Now now, bool wanted, Effects& out) {
  if (!wanted) {
    neighbours_.clear();
    return;
  }
  for (Entry& entry : entries_)
    if (entry.request.value == 0 && !entry.connected && entry.due <= now.mono) dial(entry, out);
  while (!neighbours_.empty() && neighbours_under_way_.size() < kNeighboursAtOnce) {
    Entry once;
    once.id = neighbours_.front().id;
    once.addrs = std::move(neighbours_.front().addrs);
    neighbours_.pop_front();
    dial(once, out);
    neighbours_under_way_.push_back(once.request);
  }
}

Mono Bootstrap::next_deadline(bool wanted) const {
  if (!wanted) return kNever;
  Mono next = kNever;
  for (const Entry& entry : entries_)
    if (entry.request.value == 0 && !entry.connected) next = std::min(next, entry.due);
  if (!neighbours_.empty() && neighbours_under_way_.size() < kNeighboursAtOnce) next = Mono{};
  return next;
}

}  // namespace kith::dht
