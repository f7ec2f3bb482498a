// Home: one simulated machine with the whole node on it: the same node::Node that ships, over a
// WireHost (fidelity bytes) or a SimHost (messages), on a disk in memory.
//
// It passes what the node says to a HomeListener and decides nothing.
#pragma once

#include <memory>
#include <optional>

#include "dht/peer_book.hpp"
#include "gossip/outlines.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/wire_host.hpp"
#include "services/node/node.hpp"
#include "services/store/memory_store.hpp"
#include "simnet/cluster.hpp"
#include "simnet/scenario/journal.hpp"
#include "simnet/scenario/scenario.hpp"

namespace kith::simnet {

class SimHost;

class HomeListener {
 public:
  virtual void on_home_ready(NodeIndex node, Result<void> result) = 0;
  virtual void on_home_done(NodeIndex node, RequestId request, Result<node::Answer> answer) = 0;
  virtual void on_home_routed(NodeIndex node, RequestId request,
                              Result<dht::RoutingAnswer> answer) = 0;
  // `topic`: the place in NodeSpec::topics.
  virtual void on_home_heard(NodeIndex node, std::size_t topic,
                             const gossip::GossipMessage& message) = 0;

 protected:
  ~HomeListener() = default;
};

// What all homes of a run share.
struct HomeShared {
  std::string network_id;
  Fidelity fidelity = Fidelity::messages;
  SimHosts* hosts = nullptr;
  crypto::Signatures* signatures = nullptr;    // null: each node checks by itself
  std::shared_ptr<dht::PeerBook> book;         // null: each node has its own
  std::shared_ptr<gossip::Outlines> outlines;  // null in fidelity bytes
  LogBook* log = nullptr;
  HomeListener* listener = nullptr;
};

class Home final : public NodeApp, private node::RequestSink, private dht::RoutingSink {
 public:
  Home(NodeContext& context, const HomeShared& shared, const NodeSpec& spec,
       crypto::Identity identity, std::shared_ptr<store::MemoryDisk> disk, const Multiaddr& listen,
       std::vector<Multiaddr> bootstrap);
  ~Home() override;

  node::Node& node() { return node_; }
  host::Host& host() { return *host_; }
  const PeerId& id() const { return identity_.id(); }
  host::HostUsage usage() const;
  RequestId ask(node::Request request, Duration deadline) {
    return node_.start_request(std::move(request), deadline, *this);
  }
  // Straight to the DHT; numbers of its own, above every request's.
  RequestId find_closest(Bytes key);
  RequestId provide(const Multihash& key);
  RequestId find_providers(const Multihash& key, std::uint32_t enough);
  // Who is at a slot of this host, by a table of the caller's; kept for the slot's life.
  std::optional<PeerId> peer_at(host::PeerSlot slot) const;

 private:
  struct Listening final : gossip::TopicHandler {
    Home* home = nullptr;
    std::size_t topic = 0;
    void on_message(Now, gossip::TopicIndex, const gossip::GossipMessage& message) override;
  };
  std::unique_ptr<host::Host> make_host(NodeContext& context, const NodeSpec& spec,
                                        const Multiaddr& listen);
  node::NodeConfig config_of(const NodeSpec& spec, std::vector<Multiaddr> bootstrap) const;
  void on_ready(Result<void> result);
  void on_done(Now, RequestId id, Result<node::Answer> answer) override;
  void on_routing_done(Now, RequestId id, Result<dht::RoutingAnswer> answer) override;

  const HomeShared& shared_;
  const NodeSpec& spec_;
  NodeIndex index_;
  NodeLog log_;
  crypto::Identity identity_;
  store::MemoryStore store_;
  SimHost* sim_host_ = nullptr;
  host::WireHost* wire_host_ = nullptr;
  std::unique_ptr<host::Host> host_;
  node::Node node_;
  std::vector<Listening> listening_;
  std::uint64_t routed_ = 0;
};

}  // namespace kith::simnet
