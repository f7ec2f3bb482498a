#include "simnet/scenario/topology.hpp"

#include <algorithm>

namespace kith::simnet {
namespace {
constexpr Duration kDialDeadline = 20s;
constexpr std::uint64_t kDialJitter = 1'000'000'000;  // so that not all dial in one instant
}  // namespace

TopologyDriver::TopologyDriver(Town& town)
    : town_(town), handler_(town.world().add_handler(*this)) {}

void TopologyDriver::begin() {
  const Scenario& scenario = town_.scenario();
  Rng rng = town_.world().rng("join");
  std::vector<std::int64_t> times(scenario.nodes);
  const auto window = static_cast<std::uint64_t>(scenario.topology.join.count());
  for (std::int64_t& time : times)
    time = window == 0 ? 0 : static_cast<std::int64_t>(rng.below(window));
  std::sort(times.begin(), times.end());
  for (std::size_t i = 0; i < times.size(); ++i)
    town_.world().schedule(Mono(Duration(times[i])), handler_, static_cast<NodeIndex>(i), kStart,
                           0);
  all_started_ = scenario.topology.join;
}

void TopologyDriver::on_event(const Event& event) {
  if (event.kind == kStart) return town_.start_next();
  if (town_.up(event.node)) connect(event.node);
}

void TopologyDriver::on_ready(NodeIndex node) {
  if (town_.scenario().topology.graph == Graph::bootstrap) return;
  const std::uint64_t life = std::uint64_t{town_.incarnation(node)} << 32 | node;
  Rng rng = town_.world().rng("first dial", life);
  const Duration jitter(static_cast<std::int64_t>(rng.below(kDialJitter)));
  const Mono all = std::max(town_.world().now(), Mono(all_started_));
  town_.world().schedule(all + jitter, handler_, node, kConnect, 0);
}

void TopologyDriver::connect(NodeIndex node) {
  const Topology& topology = town_.scenario().topology;
  const std::uint32_t nodes = town_.scenario().nodes;
  if (nodes < 2) return;
  if (topology.graph == Graph::ring) return dial(node, (node + 1) % nodes);
  if (topology.graph == Graph::full) {
    for (NodeIndex to = 0; to < node; ++to) dial(node, to);
    return;
  }
  // Each dials half of the degree; the other half dials it.
  Rng rng = town_.world().rng("neighbours", node);
  std::vector<NodeIndex> chosen;
  const std::uint32_t wanted = std::min((topology.degree + 1) / 2, nodes - 1);
  for (std::uint32_t tries = 0; chosen.size() < wanted && tries < 20 * wanted; ++tries) {
    const auto to = static_cast<NodeIndex>(rng.below(nodes));
    if (to == node || std::find(chosen.begin(), chosen.end(), to) != chosen.end()) continue;
    chosen.push_back(to);
    dial(node, to);
  }
}

void TopologyDriver::dial(NodeIndex from, NodeIndex to) {
  town_.home(from).ask(node::PeerConnect{town_.address(to)}, kDialDeadline);
}

}  // namespace kith::simnet
