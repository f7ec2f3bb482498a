#include "simnet/scenario/home.hpp"

#include <algorithm>

#include "net/base/check.hpp"
#include "simnet/sim_host.hpp"

namespace kith::simnet {
namespace {

// Beside those of the node (from 1) and of R1FS (from 2^62).
constexpr std::uint64_t kRoutedFirst = std::uint64_t{1} << 61;
constexpr Duration kHoldDeadline = 30s;

}  // namespace

Home::Home(NodeContext& context, const HomeShared& shared, const NodeSpec& spec,
           crypto::Identity identity, std::shared_ptr<store::MemoryDisk> disk,
           const Multiaddr& listen, std::vector<Multiaddr> bootstrap)
    : shared_(shared),
      spec_(spec),
      index_(context.index),
      log_(*shared.log, context.index),
      identity_(std::move(identity)),
      store_(std::move(disk), context.loop),
      host_(make_host(context, spec, listen)),
      node_(config_of(spec, std::move(bootstrap)),
            {identity_, *host_, context.loop, store_, log_, context.rng.fork("node"),
             shared.signatures, shared.book, shared.outlines}),
      listening_(spec.topics.size()) {
  if (sim_host_ != nullptr) CHECK(sim_host_->listen(listen));
  if (wire_host_ != nullptr) CHECK(wire_host_->listen(listen));
  for (std::size_t i = 0; i < spec.topics.size(); ++i) {
    listening_[i].home = this;
    listening_[i].topic = i;
    CHECK(node_.gossip().subscribe(spec.topics[i], listening_[i]));
  }
  node_.start([this](Result<void> result) { on_ready(std::move(result)); });
}

Home::~Home() { node_.drop_sink(*this); }

std::unique_ptr<host::Host> Home::make_host(NodeContext& context, const NodeSpec& spec,
                                            const Multiaddr&) {
  host::HostLimits limits;
  limits.connections_max = spec.connections;
  limits.inbound_max = spec.connections;
  if (shared_.fidelity == Fidelity::messages) {
    SimHostConfig config{identity_.id()};
    config.limits = limits;
    auto made = std::make_unique<SimHost>(*shared_.hosts, context.index, context.loop, config);
    sim_host_ = made.get();
    return made;
  }
  host::HostConfig config{identity_};
  config.limits = limits;
  auto made = std::make_unique<host::WireHost>(std::move(config), context.transport, context.loop,
                                               log_, context.rng.fork("host"));
  wire_host_ = made.get();
  return made;
}

node::NodeConfig Home::config_of(const NodeSpec& spec, std::vector<Multiaddr> bootstrap) const {
  node::NodeConfig config;
  config.network_id = shared_.network_id;
  config.bootstrap = std::move(bootstrap);
  config.dht_mode = spec.dht_server ? dht::Mode::server : dht::Mode::client;
  config.quota_bytes = spec.quota;
  config.kept_quota_bytes = spec.quota / 2;
  config.keep_for_others = spec.keeps;
  config.poa.beat = spec.beats;
  config.poa.timing = {spec.beat, spec.epoch};
  config.connections.low = spec.keep_low;
  config.connections.high = spec.keep_high;
  config.gossip.degree = spec.degree;
  config.gossip.degree_low = spec.degree_low;
  config.gossip.degree_high = spec.degree_high;
  config.gossip.degree_lazy = spec.degree_lazy;
  // What a small mesh cannot keep is not asked of it.
  config.gossip.degree_out =
      std::min<std::size_t>({config.gossip.degree_out, spec.degree / 2, spec.degree_low - 1});
  return config;
}

void Home::on_ready(Result<void> result) {
  if (result)
    for (const std::string& space : spec_.spaces)
      ask(cstore::Request(cstore::Stat{space}), kHoldDeadline);
  shared_.listener->on_home_ready(index_, std::move(result));
}

host::HostUsage Home::usage() const {
  return sim_host_ != nullptr ? sim_host_->usage() : wire_host_->usage();
}

RequestId Home::find_closest(Bytes key) {
  const RequestId id{kRoutedFirst + ++routed_};
  node_.routing().find_closest(id, std::move(key), *this);
  return id;
}

RequestId Home::provide(const Multihash& key) {
  const RequestId id{kRoutedFirst + ++routed_};
  node_.routing().provide(id, key, *this);
  return id;
}

RequestId Home::find_providers(const Multihash& key, std::uint32_t enough) {
  const RequestId id{kRoutedFirst + ++routed_};
  node_.routing().find_providers(id, key, enough, *this);
  return id;
}

std::optional<PeerId> Home::peer_at(host::PeerSlot slot) const {
  const host::PeerFacts* facts = host_->facts(slot);
  return facts == nullptr ? std::nullopt : std::optional(facts->id);
}

void Home::Listening::on_message(Now, gossip::TopicIndex, const gossip::GossipMessage& message) {
  home->shared_.listener->on_home_heard(home->index_, topic, message);
}

void Home::on_done(Now, RequestId id, Result<node::Answer> answer) {
  shared_.listener->on_home_done(index_, id, std::move(answer));
}

void Home::on_routing_done(Now, RequestId id, Result<dht::RoutingAnswer> answer) {
  shared_.listener->on_home_routed(index_, id, std::move(answer));
}

}  // namespace kith::simnet
