// SimTransport: the Transport (net/host/transport.hpp, whose rules hold) of one simulated node,
// over the byte pipes of a SimNet.
//
// Addresses: a node has one IPv4 address (SimNet::add_node); it listens on /ip4/A/tcp/P, where A is
// its own or 0.0.0.0 and P may be 0, and dials the same. Prefixes and ephemeral ports are as over
// sockets, so that limits by prefix are the real ones. dial() takes one round trip.
// Destroying it resets what is open, unless the node has crashed.
#pragma once

#include "net/base/loop.hpp"
#include "net/host/transport.hpp"
#include "simnet/world.hpp"

namespace kith::simnet {

class SimNet;

class SimTransport final : public host::Transport {
 public:
  // One at a time for a node; see SimNet::add_node.
  SimTransport(SimNet& net, NodeIndex node, Loop& loop);
  ~SimTransport() override;
  SimTransport(const SimTransport&) = delete;
  SimTransport& operator=(const SimTransport&) = delete;

  void set_sink(host::TransportSink& sink) override;
  bool can_dial(const Multiaddr& to) const override;
  host::PipeSlot dial(const Multiaddr& to) override;
  Result<Multiaddr> listen(const Multiaddr& on) override;
  std::vector<Multiaddr> listen_addrs() const override;
  void accept_paused(bool paused) override;
  void write(host::PipeSlot pipe, Bytes data) override;
  std::size_t backlog(host::PipeSlot pipe) const override;
  void read_paused(host::PipeSlot pipe, bool paused) override;
  void close(host::PipeSlot pipe) override;
  void abort(host::PipeSlot pipe) override;

 private:
  SimNet& net_;
  NodeIndex node_;
};

}  // namespace kith::simnet
