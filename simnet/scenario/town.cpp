#include "simnet/scenario/town.hpp"

#include <algorithm>
#include <cstring>

#include "net/base/check.hpp"

namespace kith::simnet {
namespace {

// Where nobody is: contacts that are dead.
constexpr std::uint32_t kNobodyFirst = 203u << 24 | 113u << 8;

Multiaddr tcp_address(std::uint32_t ip) {
  std::array<std::uint8_t, 4> bytes{};
  for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(ip >> (24 - 8 * i));
  return Multiaddr::of_tcp(bytes, kSimPort);
}

// Spread over prefixes, so that limits by prefix are the real ones.
std::uint32_t ip_of(NodeIndex node) {
  return 10u << 24 | (node & 0xff) << 16 | (node >> 8 & 0xff) << 8 | (1 + (node >> 16));
}

}  // namespace

std::size_t Town::HashId::operator()(const PeerId& id) const {
  // The tail of an inlined key is as good as random.
  std::size_t tail = 0;
  const Bytes& bytes = id.bytes();
  if (bytes.size() >= sizeof tail)
    std::memcpy(&tail, bytes.data() + bytes.size() - sizeof tail, sizeof tail);
  return tail;
}

Town::Town(const Scenario& scenario, HomeListener& listener) : scenario_(scenario) {
  groups_ = scenario.groups;
  groups_.push_back({"rest", 0, 0, scenario.link, scenario.disk, scenario.node, scenario.clock});
  members_.resize(groups_.size() + 1);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    std::uint64_t count = group.count != 0
                              ? group.count
                              : std::uint64_t{scenario.nodes} * group.share_ppm / 1'000'000;
    if (g + 1 == groups_.size()) count = scenario.nodes - group_index_.size();
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto node = static_cast<NodeIndex>(group_index_.size());
      group_index_.push_back(static_cast<std::uint8_t>(g));
      members_[g].push_back(node);
      members_.back().push_back(node);
    }
  }
  CHECK(group_index_.size() == scenario.nodes);

  ClusterOptions options;
  options.nodes = 0;
  options.seed = scenario.seed;
  options.net = scenario.net;
  cluster_ =
      std::make_unique<Cluster>(options, [this](NodeContext& context) { return make(context); });
  std::vector<std::vector<Duration>> table;
  for (const auto& row : scenario.latency_ms) {
    table.emplace_back();
    for (const std::uint32_t cell : row) table.back().push_back(cell * Duration(1ms));
  }
  net().set_regions(std::move(table));
  journal_ = std::make_unique<Journal>(world());
  log_ = std::make_unique<LogBook>(*journal_, scenario.log_expected);
  signatures_ = std::make_unique<SharedSignatures>();
  shared_.network_id = "sim-00000000";
  shared_.fidelity = scenario.fidelity;
  shared_.hosts = &cluster_->hosts();
  shared_.signatures = signatures_.get();
  if (scenario.fidelity == Fidelity::messages) {
    shared_.book = std::make_shared<dht::PeerBook>(world().rng("peer book"));
    shared_.outlines = std::make_shared<gossip::Outlines>(world().rng("outlines"), *signatures_);
  }
  shared_.log = log_.get();
  shared_.listener = &listener;
  spans_.reserve(scenario.nodes);
  ids_.reserve(scenario.nodes);
}

Town::~Town() { cluster_.reset(); }

crypto::Identity Town::identity(NodeIndex node) const {
  Rng rng = Rng(scenario_.seed).fork("identity", node);
  return crypto::Identity::make(rng, crypto::Guard::none);
}

PeerId Town::id_of(NodeIndex node) const {
  return node < ids_.size() ? ids_[node] : identity(node).id();
}

std::optional<NodeIndex> Town::node_of(const PeerId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

Multiaddr Town::address(NodeIndex node) const {
  const SimNet& net = cluster_->net();  // a machine may have moved
  return node < net.nodes() ? net.address(node, kSimPort) : tcp_address(ip_of(node));
}

std::vector<Multiaddr> Town::contacts(NodeIndex node) {
  std::vector<Multiaddr> found;
  if (scenario_.topology.graph != Graph::bootstrap) return found;
  Rng rng = world().rng("contacts", node);
  const std::uint32_t among = std::min(node, scenario_.topology.seeds);
  for (std::uint32_t i = 0; among > 0 && i < scenario_.topology.contacts; ++i) {
    const bool dead = scenario_.topology.dead_ppm != 0 && rng.chance(scenario_.topology.dead_ppm);
    const auto drawn = static_cast<NodeIndex>(rng.below(among));
    found.push_back(dead ? tcp_address(kNobodyFirst + drawn) : address(drawn));
  }
  return found;
}

std::unique_ptr<NodeApp> Town::make(NodeContext& context) {
  const NodeIndex node = context.index;
  const Group& group = group_of(node);
  Rng clock = world().rng("clock", node);
  const bool first = context.incarnation == 0;  // later lives keep the machine's clock
  if (first && group.clock.skew > Duration{}) {
    const auto most = static_cast<std::uint64_t>(group.clock.skew.count());
    context.loop.set_wall_offset(
        Duration(static_cast<std::int64_t>(clock.below(2 * most + 1)) - group.clock.skew.count()));
  }
  if (first && group.clock.drift_ppm != 0) {
    const std::uint64_t drawn = clock.below(2 * std::uint64_t{group.clock.drift_ppm} + 1);
    context.loop.set_wall_drift_ppm(static_cast<std::int32_t>(drawn) -
                                    static_cast<std::int32_t>(group.clock.drift_ppm));
  }
  crypto::Identity own = identity(node);
  if (node == ids_.size()) {
    ids_.push_back(own.id());
    keys_.push_back(dht::Key::of(own.id().bytes()));
    by_id_.emplace(own.id(), node);
  }
  return std::make_unique<Home>(context, shared_, group.node, std::move(own), disks_[node],
                                address(node), contacts(node));
}

void Town::start_next() {
  const NodeIndex node = started();
  CHECK(node < scenario_.nodes);
  std::vector<std::string> families;
  for (const FamilySpec& family : node::node_families()) families.emplace_back(family.name);
  disks_.push_back(
      std::make_shared<store::MemoryDisk>(std::move(families), world().rng("disk", node)));
  disks_.back()->faults = group_of(node).disk;
  spans_.push_back({UpSpan{world().now(), kNever}});
  cluster_->add_node(ip_of(node), group_of(node).link);
}

void Town::crash(NodeIndex node, CrashKind kind) {
  CHECK(up(node));
  cluster_->crash(node, kind);
  if (kind == CrashKind::power) disks_[node]->crash(world().now());
  spans_[node].back().to = world().now();
}

void Town::restart(NodeIndex node) {
  CHECK(node < started() && !up(node));
  spans_[node].push_back({world().now(), kNever});
  cluster_->restart(node);
}

bool Town::up_during(NodeIndex node, Mono from, Mono to) const {
  if (node >= started()) return false;
  for (const UpSpan& span : spans_[node])
    if (span.from <= from && span.to >= to) return true;
  return false;
}

bool Town::was_up(NodeIndex node, Mono from, Mono to) const {
  if (node >= started()) return false;
  return std::any_of(spans_[node].begin(), spans_[node].end(),
                     [&](const UpSpan& span) { return span.from <= to && span.to >= from; });
}

std::span<const NodeIndex> Town::members(const std::string& who) const {
  if (who == "all") return members_.back();
  for (std::size_t g = 0; g < groups_.size(); ++g)
    if (groups_[g].name == who) return members_[g];
  check_failed("a group that the scenario does not have", __FILE__, __LINE__);
}

}  // namespace kith::simnet
