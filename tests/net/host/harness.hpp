// Harness: what the conformance suite needs of a world. Instantiated over the memory net here, the
// simulator's Transport, and sockets on loopback.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "net/base/loop.hpp"
#include "net/host/transport.hpp"
#include "suite_host.hpp"

namespace kith::host {

class Harness {
 public:
  virtual ~Harness() = default;
  virtual std::size_t add_node() = 0;
  virtual Loop& loop(std::size_t node) = 0;
  virtual Transport& transport(std::size_t node) = 0;
  virtual Multiaddr listen_addr(std::size_t node) = 0;  // to listen on, port 0
  virtual Multiaddr dead_addr() = 0;                    // nobody listens there
  // The implementation under test; WireHost over the node's transport unless the world has its own.
  virtual std::unique_ptr<SuiteHost> make_host(std::size_t node, HostConfig config, Log& log,
                                               Rng rng);
  virtual bool run_until(const std::function<bool()>& reached, Duration within) = 0;
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }
  // Exact: one way between two nodes, and everything else takes no time. Zero: real time.
  virtual Duration latency() const = 0;
  bool is_virtual() const { return latency() > Duration::zero(); }
};

struct World {
  std::string name;
  std::function<std::unique_ptr<Harness>(std::uint64_t seed)> make;
};
inline void PrintTo(const World& world, std::ostream* to) { *to << world.name; }
std::unique_ptr<Harness> make_memory_harness(std::uint64_t seed);
std::unique_ptr<Harness> make_sim_harness(std::uint64_t seed);
std::unique_ptr<Harness> make_asio_harness(std::uint64_t seed);
// The simulator's whole Host, without a transport of bytes.
std::unique_ptr<Harness> make_sim_host_harness(std::uint64_t seed);

}  // namespace kith::host
