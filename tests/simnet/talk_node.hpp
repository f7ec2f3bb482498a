// A host that talks, in both fidelities, and a fixture that builds towns of them.
#pragma once

#include <gtest/gtest.h>

#include "net/base/log.hpp"
#include "net/crypto/identity.hpp"
#include "net/host/wire_host.hpp"
#include "simnet/cluster.hpp"
#include "simnet/sim_host.hpp"

namespace kith::simnet {

using host::PeerSlot;
using host::Priority;
using host::StreamSlot;

inline PeerId id_of(NodeIndex node) {
  std::string key = "\x08\x01\x12\x20" + std::string(32, static_cast<char>(node & 0xff));
  key[4] = static_cast<char>(node >> 8);
  return PeerId::of_public_key(as_bytes(key));
}

// Notes what it hears; echoes when asked to.
class Talker final : public host::Protocol {
 public:
  void on_peer_ready(Now, PeerSlot peer, const host::PeerFacts&) override { ready.push_back(peer); }
  void on_peer_gone(Now now, PeerSlot) override {
    ++gone;
    gone_at = now.mono;
  }
  void on_message(Now now, StreamSlot stream, Bytes message) override {
    bytes += message.size();
    last = std::move(message);
    last_at = now.mono;
    ++messages;
    if (last.size() < 100) heard.emplace_back(std::string(last.text()), now.mono);
    if (echoes) host->send(stream, last, Priority::normal, 0);
  }
  void on_data(Now now, StreamSlot stream, Bytes data) override {
    bytes += data.size();
    last_at = now.mono;
    host->release(stream, data.size());
  }
  host::Host* host = nullptr;
  bool echoes = false;
  std::vector<PeerSlot> ready;
  int gone = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  Bytes last;
  std::vector<std::pair<std::string, Mono>> heard;  // short ones
  Mono last_at{}, gone_at{};
};

struct TalkNode : NodeApp {
  virtual Result<Multiaddr> listen(const Multiaddr& on) = 0;
  virtual std::vector<Multiaddr> observed() const = 0;
  void start(host::Host& made) {
    host = &made;
    talk.host = bulk.host = &made;
    host::ProtocolSpec messages{.ids = {"/talk/1"}};
    messages.message_bytes_max = messages.send_queue_bytes_max = 16u << 20;
    talk_index = made.add_protocol(messages, talk);
    host::ProtocolSpec raw{.ids = {"/bulk/1"}, .framing = host::Framing::raw};
    raw.send_queue_bytes_max = 64u << 20;
    bulk_index = made.add_protocol(raw, bulk);
    EXPECT_TRUE(listen(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001")));
  }
  host::Host* host = nullptr;
  Talker talk, bulk;
  host::ProtocolIndex talk_index = 0, bulk_index = 0;
};

struct SimNode final : TalkNode {
  explicit SimNode(NodeContext& context)
      : sim(context.hosts, context.index, context.loop, {.id = id_of(context.index)}) {
    start(sim);
  }
  Result<Multiaddr> listen(const Multiaddr& on) override { return sim.listen(on); }
  std::vector<Multiaddr> observed() const override { return sim.observed_addrs(); }
  SimHost sim;
};

struct WireNode final : TalkNode {
  explicit WireNode(NodeContext& context)
      : identity(crypto::Identity::make(context.rng)),
        wire({identity}, context.transport, context.loop, log, context.rng.fork("host")) {
    start(wire);
  }
  Result<Multiaddr> listen(const Multiaddr& on) override { return wire.listen(on); }
  std::vector<Multiaddr> observed() const override { return wire.observed_addrs(); }
  NullLog log;
  crypto::Identity identity;
  host::WireHost wire;
};

class TalkTest : public ::testing::Test {
 protected:
  void build(std::size_t nodes, const LinkOptions& link = {}, std::uint64_t seed = 1) {
    cluster = std::make_unique<Cluster>(
        ClusterOptions{.nodes = nodes, .seed = seed, .link = link, .net = {}, .costs = {}},
        [this](NodeContext& context) { return make_node(context); });
  }
  std::unique_ptr<NodeApp> make_node(NodeContext& context) {
    if (over_wire) return std::make_unique<WireNode>(context);
    return std::make_unique<SimNode>(context);
  }
  TalkNode& at(NodeIndex node) { return cluster->app<TalkNode>(node); }
  PeerSlot join(NodeIndex from, NodeIndex to) {
    const std::size_t before = at(from).talk.ready.size();
    const std::size_t before_there = at(to).talk.ready.size();
    at(from).host->connect(at(from).talk_index, {1}, {}, std::vector{cluster->address(to)});
    EXPECT_TRUE(cluster->run_until(
        [&] {
          return at(from).talk.ready.size() > before && at(to).talk.ready.size() > before_there;
        },
        60s));
    return at(from).talk.ready.back();
  }
  Duration now() { return cluster->world().now().time_since_epoch(); }
  bool over_wire = false;
  std::unique_ptr<Cluster> cluster;
};

inline Bytes sized(std::size_t size) { return Bytes::copy(std::string(size, 'm')); }

}  // namespace kith::simnet
