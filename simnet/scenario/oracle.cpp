#include "simnet/scenario/oracle.hpp"

#include <algorithm>
#include <bit>

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

namespace {

// Buckets of `own` in which one of `servers` (sorted) belongs; bit n: bucket n. Deeper ones than 63
// would take keys that agree in 64 bits.
std::uint64_t due_buckets(const dht::Key& own, const std::vector<dht::Key>& servers) {
  std::uint64_t due = 0;
  // Those that share n bits with `own`: [from, to).
  auto from = servers.begin();
  auto to = servers.end();
  for (int bit = 0; bit < 64 && from != to; ++bit) {
    const auto split = std::partition_point(
        from, to, [&](const dht::Key& key) { return (key.words[0] >> (63 - bit) & 1) == 0; });
    const bool one = own.words[0] >> (63 - bit) & 1;
    if (one ? split != from : split != to) due |= std::uint64_t{1} << bit;
    (one ? from : to) = split;
  }
  return due;
}

}  // namespace

TableTruth judge_tables(Town& town) {
  const Mono now = town.world().now();
  const Mono since = now - std::min(kSettledIn, now.time_since_epoch() / 2);
  std::vector<dht::Key> servers;
  for (NodeIndex node = 0; node < town.started(); ++node)
    if (town.group_of(node).node.dht_server && town.up(node) && town.up_during(node, since, now))
      servers.push_back(town.key_of(node));
  std::sort(servers.begin(), servers.end());
  TableTruth truth;
  for (NodeIndex node = 0; node < town.started(); ++node) {
    if (!town.up(node) || !town.up_during(node, since, now)) continue;
    std::uint64_t served = 0;
    std::uint64_t living = 0;
    for (const PeerId& peer : town.home(node).node().routing().table_peers()) {
      ++truth.entries;
      const auto other = town.node_of(peer);
      if (!other || !town.up(*other)) continue;
      ++living;
      const int bucket = dht::common_prefix(town.key_of(node), town.key_of(*other));
      if (bucket < 64) served |= std::uint64_t{1} << bucket;
    }
    const std::uint64_t due = due_buckets(town.key_of(node), servers);
    truth.living += living;
    truth.buckets += static_cast<std::uint64_t>(std::popcount(due));
    truth.served += static_cast<std::uint64_t>(std::popcount(due & served));
    truth.lost += living == 0 && due != 0;
  }
  return truth;
}

}  // namespace kith::simnet
