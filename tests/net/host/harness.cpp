#include "harness.hpp"

#include "memory_net.hpp"
#include "net/asio/asio_transport.hpp"
#include "simnet/sim_host.hpp"
#include "simnet/sim_loop.hpp"
#include "simnet/sim_net.hpp"
#include "simnet/sim_transport.hpp"
#include "simnet/world.hpp"

namespace kith::host {
namespace {

class MemoryHarness final : public Harness {
 public:
  explicit MemoryHarness(std::uint64_t seed) : net_(seed, {}) {}
  std::size_t add_node() override {
    loops_.push_back(std::make_unique<MemoryLoop>(net_));
    transports_.push_back(std::make_unique<MemoryTransport>(net_, ip(transports_.size())));
    return transports_.size() - 1;
  }
  Loop& loop(std::size_t node) override { return *loops_[node]; }
  Transport& transport(std::size_t node) override { return *transports_[node]; }
  Multiaddr listen_addr(std::size_t node) override {
    return Multiaddr::parse("/ip4/" + ip(node) + "/tcp/0").value();
  }
  Multiaddr dead_addr() override { return Multiaddr::parse("/ip4/10.9.9.9/tcp/9").value(); }
  bool run_until(const std::function<bool()>& reached, Duration within) override {
    return net_.run_until(reached, within);
  }
  Duration latency() const override { return MemoryOptions{}.latency; }

 private:
  static std::string ip(std::size_t node) { return "10.0.0." + std::to_string(node + 1); }
  MemoryNet net_;
  std::vector<std::unique_ptr<MemoryLoop>> loops_;
  std::vector<std::unique_ptr<MemoryTransport>> transports_;
};

class SimHarness : public Harness {
 public:
  explicit SimHarness(std::uint64_t seed) : world_(seed), loops_(world_), net_(world_) {}
  std::size_t add_node() override {
    simnet::LinkOptions link;
    link.cut_ppm = 200'000;
    const simnet::NodeIndex node = net_.add_node(link);
    nodes_.push_back(node);
    sim_loops_.push_back(std::make_unique<simnet::SimLoop>(loops_, node));
    transports_.push_back(std::make_unique<simnet::SimTransport>(net_, node, *sim_loops_.back()));
    return nodes_.size() - 1;
  }
  Loop& loop(std::size_t node) override { return *sim_loops_[node]; }
  Transport& transport(std::size_t node) override { return *transports_[node]; }
  Multiaddr listen_addr(std::size_t) override {
    return Multiaddr::parse("/ip4/0.0.0.0/tcp/0").value();
  }
  Multiaddr dead_addr() override { return Multiaddr::parse("/ip4/10.250.9.9/tcp/9").value(); }
  bool run_until(const std::function<bool()>& reached, Duration within) override {
    return world_.run_until(reached, within);
  }
  Duration latency() const override { return simnet::LinkOptions{}.latency; }

 protected:
  simnet::World world_;
  simnet::SimLoops loops_;
  simnet::SimNet net_;
  std::vector<simnet::NodeIndex> nodes_;
  std::vector<std::unique_ptr<simnet::SimLoop>> sim_loops_;
  std::vector<std::unique_ptr<simnet::SimTransport>> transports_;
};

class SimHostHarness final : public SimHarness {
 public:
  explicit SimHostHarness(std::uint64_t seed) : SimHarness(seed), hosts_(net_) {}
  std::unique_ptr<SuiteHost> make_host(std::size_t node, HostConfig config, Log&, Rng) override {
    return std::make_unique<SuiteHostOf<simnet::SimHost>>(
        hosts_, nodes_[node], *sim_loops_[node],
        simnet::SimHostConfig{config.identity.id(), config.agent, config.limits});
  }

 private:
  simnet::SimHosts hosts_;
};

class AsioHarness final : public Harness {
 public:
  std::size_t add_node() override {
    transports_.push_back(std::make_unique<net::AsioTransport>(loop_));
    return transports_.size() - 1;
  }
  Loop& loop(std::size_t) override { return loop_; }
  Transport& transport(std::size_t node) override { return *transports_[node]; }
  Multiaddr listen_addr(std::size_t) override {
    return Multiaddr::parse("/ip4/127.0.0.1/tcp/0").value();
  }
  Multiaddr dead_addr() override { return Multiaddr::parse("/ip4/127.0.0.1/tcp/1").value(); }
  bool run_until(const std::function<bool()>& reached, Duration within) override {
    return loop_.run_until(reached, within);
  }
  Duration latency() const override { return {}; }

 private:
  net::AsioLoop loop_;
  std::vector<std::unique_ptr<net::AsioTransport>> transports_;
};

}  // namespace

std::unique_ptr<SuiteHost> Harness::make_host(std::size_t node, HostConfig config, Log& log,
                                              Rng rng) {
  return std::make_unique<SuiteHostOf<WireHost>>(std::move(config), transport(node), loop(node),
                                                 log, std::move(rng));
}

std::unique_ptr<Harness> make_sim_host_harness(std::uint64_t seed) {
  return std::make_unique<SimHostHarness>(seed);
}
std::unique_ptr<Harness> make_memory_harness(std::uint64_t seed) {
  return std::make_unique<MemoryHarness>(seed);
}
std::unique_ptr<Harness> make_sim_harness(std::uint64_t seed) {
  return std::make_unique<SimHarness>(seed);
}
std::unique_ptr<Harness> make_asio_harness(std::uint64_t) {
  return std::make_unique<AsioHarness>();
}

}  // namespace kith::host
