// Cluster: N simulated nodes for a test, each with a Loop, a Transport, a generator and, given a
// factory, whatever runs on them.
//
//   Cluster cluster({.nodes = 3, .seed = 7}, [](NodeContext& node) {
//     return std::make_unique<MyNode>(node.loop, node.transport, node.rng);
//   });
//   cluster.app<MyNode>(0).dial(cluster.address(1));
//   ASSERT_TRUE(cluster.run_until([&] { return ...; }, 10s));
//
// crash() destroys a node's app, transport and loop, in that order, after the net stopped listening
// to them; restart() makes them anew by the factory, at the same address and with the same clock.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "simnet/link.hpp"
#include "simnet/sim_hosts.hpp"
#include "simnet/sim_loop.hpp"
#include "simnet/sim_net.hpp"
#include "simnet/sim_transport.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

class NodeApp {
 public:
  virtual ~NodeApp() = default;
};

struct NodeContext {
  NodeIndex index;
  std::uint32_t incarnation;  // 0 at first, one more after each restart
  SimLoop& loop;
  SimTransport& transport;
  SimHosts& hosts;  // for a SimHost instead of a host over the transport
  Rng rng;          // differs by node and by incarnation
};

struct ClusterOptions {
  std::size_t nodes = 2;
  std::uint64_t seed = 1;
  LinkOptions link;  // of every node; SimNet::set_link changes one
  NetOptions net;
  OffloadCosts costs;
};

inline constexpr std::uint16_t kSimPort = 4001;

class Cluster {
 public:
  using Factory = std::function<std::unique_ptr<NodeApp>(NodeContext&)>;
  explicit Cluster(ClusterOptions options, Factory factory = {});
  ~Cluster();

  std::size_t size() const { return nodes_.size(); }
  World& world() { return world_; }
  SimNet& net() { return net_; }
  SimHosts& hosts() { return hosts_; }
  SimLoop& loop(NodeIndex node) { return *nodes_[node].loop; }
  SimTransport& transport(NodeIndex node) { return *nodes_[node].transport; }
  template <class App>
  App& app(NodeIndex node) {
    return dynamic_cast<App&>(*nodes_[node].app);
  }
  bool alive(NodeIndex node) const { return nodes_[node].loop != nullptr; }
  // Where a node listens by convention: its IPv4 address and kSimPort.
  Multiaddr address(NodeIndex node) const;

  NodeIndex add_node(std::uint32_t ip = 0) { return add_node(ip, options_.link); }
  // One more, started at once; see SimNet::add_node.
  NodeIndex add_node(std::uint32_t ip, const LinkOptions& link);
  void crash(NodeIndex node, CrashKind kind = CrashKind::power);
  void restart(NodeIndex node);  // a crashed one
  // The process stands still: what comes in and what is due waits, and then comes in its order.
  void pause(NodeIndex node, Mono until);
  void pause(NodeIndex node, Duration time) { pause(node, later(world_.now(), time)); }

  void run_for(Duration time) { world_.run_for(time); }
  bool run_until(const std::function<bool()>& reached, Duration within) {
    return world_.run_until(reached, within);
  }
  std::uint64_t trace_hash() { return world_.trace_hash(); }

 private:
  struct Node {
    std::unique_ptr<SimLoop> loop;
    std::unique_ptr<SimTransport> transport;
    std::unique_ptr<NodeApp> app;
    std::uint32_t incarnation = 0;
    WallError wall;  // of the machine, while no process runs
  };
  void start(NodeIndex node);
  void end(NodeIndex node);

  ClusterOptions options_;
  Factory factory_;
  World world_;
  SimLoops loops_;
  SimNet net_;
  SimHosts hosts_;
  std::vector<Node> nodes_;
};

}  // namespace kith::simnet
