// A street in virtual time, of encrypted bytes or of whole messages.
#include "net/host/wire_host.hpp"
#include "simnet/cluster.hpp"
#include "simnet/sim_host.hpp"
#include "tests/reality/street.hpp"

namespace kith::reality {
namespace {

struct SimHome final : simnet::NodeApp {
  SimHome(simnet::NodeContext& context, const StreetPlan& plan, const Multiaddr& listen,
          bool messages)
      : identity(identity_of(plan, context.index)) {
    if (messages) {
      auto sim = std::make_unique<simnet::SimHost>(context.hosts, context.index, context.loop,
                                                   simnet::SimHostConfig{identity.id()});
      CHECK(sim->listen(listen));
      host = std::move(sim);
    } else {
      auto wire = std::make_unique<host::WireHost>(host::HostConfig{identity}, context.transport,
                                                   context.loop, log, context.rng.fork("host"));
      CHECK(wire->listen(listen));
      host = std::move(wire);
    }
  }
  NullLog log;
  crypto::Identity identity;
  std::unique_ptr<host::Host> host;
};

simnet::ClusterOptions cluster_options(const StreetPlan& plan) {
  simnet::ClusterOptions options;
  options.nodes = 0;
  options.seed = plan.seed;
  options.link.latency = plan.latency;
  options.link.up_bytes_per_second = plan.up_bytes_per_second;
  options.link.receive_window = plan.pipe_window;
  return options;
}

class SimStreet final : public Street {
 public:
  SimStreet(const StreetPlan& plan, bool messages)
      : cluster_(cluster_options(plan), [&plan, messages](simnet::NodeContext& context) {
          const Multiaddr listen = context.hosts.net().address(context.index, simnet::kSimPort);
          return std::make_unique<SimHome>(context, plan, listen, messages);
        }) {
    for (std::uint32_t i = 0; i < plan.hosts; ++i) cluster_.add_node();
  }
  host::Host& host(std::uint32_t i) override { return *cluster_.app<SimHome>(i).host; }
  Loop& loop(std::uint32_t i) override { return cluster_.loop(i); }
  const crypto::Identity& identity(std::uint32_t i) const override {
    return const_cast<simnet::Cluster&>(cluster_).app<SimHome>(i).identity;
  }
  Multiaddr address(std::uint32_t i) const override { return cluster_.address(i); }
  Mono now() const override { return const_cast<simnet::Cluster&>(cluster_).world().now(); }
  bool run_until(const std::function<bool()>& reached, Duration within) override {
    return cluster_.run_until(reached, within);
  }

 private:
  simnet::Cluster cluster_;
};

}  // namespace

std::unique_ptr<Street> make_sim_street(const StreetPlan& plan, bool messages) {
  return std::make_unique<SimStreet>(plan, messages);
}

}  // namespace kith::reality
