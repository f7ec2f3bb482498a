#include "simnet/scenario/oracle.hpp"

#include <algorithm>

#include "dht/key.hpp"

namespace kith::simnet {

LookupTruth judge_closest(Town& town, NodeIndex asker, ByteView raw, Mono began,
                          const dht::RoutingAnswer& answer) {
  const dht::Key target = dht::Key::of(raw);
  const Mono now = town.world().now();
  const Mono since = began - std::min(kSettledIn, began.time_since_epoch() / 2);
  std::vector<std::pair<dht::Key, NodeIndex>> nearest;  // by distance
  for (NodeIndex node = 0; node < town.started(); ++node) {
    if (node == asker || !town.up(node) || !town.group_of(node).node.dht_server) continue;
    if (!town.up_during(node, since, now)) continue;
    nearest.emplace_back(dht::distance(target, town.key_of(node)), node);
  }
  const std::size_t count = std::min(kClosest, nearest.size());
  std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(count),
                    nearest.end());
  std::vector<dht::Key> live;  // distances of those in the answer that were up
  std::vector<NodeIndex> named;
  for (const dht::PeerInfo& peer : answer.peers)
    if (const auto node = town.node_of(peer.id); node && town.was_up(*node, began, now)) {
      live.push_back(dht::distance(target, town.key_of(*node)));
      named.push_back(*node);
    }
  LookupTruth truth;
  truth.due = count;
  for (std::size_t i = 0; i < count; ++i) {
    const bool there = std::find(named.begin(), named.end(), nearest[i].second) != named.end();
    const auto nearer = std::count_if(live.begin(), live.end(),
                                      [&](const dht::Key& one) { return one < nearest[i].first; });
    if (there || static_cast<std::size_t>(nearer) >= kClosest) ++truth.found;
  }
  return truth;
}

}  // namespace kith::simnet
