#include "simnet/cluster.hpp"

#include "net/base/check.hpp"

namespace kith::simnet {

Cluster::Cluster(ClusterOptions options, Factory factory)
    : options_(options),
      factory_(std::move(factory)),
      world_(options.seed),
      loops_(world_),
      net_(world_, options.net),
      hosts_(net_) {
  for (std::size_t i = 0; i < options.nodes; ++i) add_node();
}

Cluster::~Cluster() {
  for (NodeIndex i = 0; i < nodes_.size(); ++i) end(i);
}

NodeIndex Cluster::add_node(std::uint32_t ip, const LinkOptions& link) {
  const NodeIndex index = net_.add_node(link, ip);
  nodes_.emplace_back();
  start(index);
  return index;
}

void Cluster::start(NodeIndex index) {
  Node& node = nodes_[index];
  node.loop = std::make_unique<SimLoop>(loops_, index, options_.costs);
  node.loop->set_wall_error(node.wall);
  node.transport = std::make_unique<SimTransport>(net_, index, *node.loop);
  if (!factory_) return;
  const std::uint64_t life = std::uint64_t{node.incarnation} << 32 | index;
  NodeContext context{index,           node.incarnation, *node.loop,
                      *node.transport, hosts_,           world_.rng("node", life)};
  node.app = factory_(context);
}

void Cluster::end(NodeIndex index) {
  Node& node = nodes_[index];
  node.app.reset();
  node.transport.reset();
  if (node.loop) node.wall = node.loop->wall_error();
  node.loop.reset();
}

Multiaddr Cluster::address(NodeIndex node) const { return net_.address(node, kSimPort); }

void Cluster::crash(NodeIndex node, CrashKind kind) {
  CHECK(alive(node));
  net_.crash(node, kind);
  end(node);
}

void Cluster::pause(NodeIndex node, Mono until) {
  if (!alive(node)) return;
  nodes_[node].loop->pause(until);
  net_.pause(node, until);
}

void Cluster::restart(NodeIndex node) {
  CHECK(!alive(node));
  ++nodes_[node].incarnation;
  start(node);
}

}  // namespace kith::simnet
