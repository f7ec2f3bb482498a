// SimNet: what a path does to what travels on it, for both fidelities: time, rates, losses, cuts,
// translators, addresses that change.
#include <algorithm>
#include <utility>

#include "net/base/check.hpp"
#include "simnet/sim_address.hpp"
#include "simnet/sim_net.hpp"

namespace kith::simnet {

namespace {
// How long `bytes` occupy a link; rounded up, so that a link never carries more than its rate.
Duration span_of(std::size_t bytes, std::uint64_t bytes_per_second) {
  if (bytes_per_second == 0) return Duration{};
  const std::uint64_t nanos =
      (bytes * std::uint64_t{1'000'000'000} + bytes_per_second - 1) / bytes_per_second;
  return Duration(static_cast<std::int64_t>(nanos));
}

// The sum of four uniform draws in [0, most / 4]: 64 random bits in four parts.
Duration normal_like(std::uint64_t bits, Duration most) {
  std::int64_t sum = 0;
  for (; bits != 0; bits >>= 16) sum += static_cast<std::int64_t>(bits & 0xffff);
  constexpr std::int64_t kMost = 4 * 0xffff;
  return most / kMost * sum + most % kMost * sum / kMost;
}
}  // namespace

// ---- time

void SimNet::set_regions(RegionTable table) {
  for (const auto& row : table) CHECK(row.size() == table.size());
  regions_ = std::move(table);
}

void SimNet::allow_turns() {
  if (std::exchange(turns_, true)) return;
  find_lookahead();
}

// Regions and jitter only add to it.
void SimNet::find_lookahead() {
  Duration least = Duration::max() / 2;
  for (const Node& node : nodes_) least = std::min(least, node.link.latency / 2);
  set_lookahead(least);
}

void SimNet::set_lookahead(Duration half_latency_min) {
  half_latency_min_ = half_latency_min;
  world_.set_lookahead(2 * half_latency_min);
}

Duration SimNet::latency(NodeIndex from, NodeIndex to) const {
  const LinkOptions& a = nodes_[from].link;
  const LinkOptions& b = nodes_[to].link;
  const Duration links = a.latency / 2 + b.latency / 2;
  if (a.region >= regions_.size() || b.region >= regions_.size()) return links;
  return links + regions_[a.region][b.region];
}

Duration SimNet::draw_latency(NodeIndex from, NodeIndex to) {
  Node& node = nodes_[from];
  const Duration jitter = node.link.jitter;
  if (jitter <= Duration{}) return latency(from, to);
  if (node.link.jitter_kind == Jitter::normal) {
    const std::uint64_t bits = node.draws.next();
    return latency(from, to) + normal_like(bits, jitter);
  }
  const std::uint64_t drawn = node.draws.below(static_cast<std::uint64_t>(jitter.count()) + 1);
  return latency(from, to) + Duration(static_cast<std::int64_t>(drawn));
}

Loss SimNet::draw_path_loss(NodeIndex from, NodeIndex to, std::size_t bytes, std::uint32_t ppm,
                            Duration timeout_min) {
  const Duration round_trip = latency(from, to) + latency(to, from);
  return simnet::draw_loss(nodes_[from].draws, std::min(ppm, 1'000'000u), bytes, round_trip,
                           std::max(timeout_min, round_trip));
}

Mono SimNet::leave_uplink(NodeIndex from, std::size_t bytes) {
  Node& node = nodes_[from];
  node.traffic.bytes_out += bytes;
  if (node.link.up_bytes_per_second == 0) return world_.now();
  node.up_free =
      std::max(world_.now(), node.up_free) + span_of(bytes, node.link.up_bytes_per_second);
  return node.up_free;
}

Mono SimNet::pass_downlink(NodeIndex from, NodeIndex to, std::size_t bytes, bool segment) {
  Node& node = nodes_[to];
  Mono through = world_.now();
  if (node.link.down_bytes_per_second != 0) {
    // Its first byte arrived as long ago as the uplink took for the rest.
    const Mono first = through - span_of(bytes, nodes_[from].link.up_bytes_per_second);
    node.down_free =
        std::max(node.down_free, first) + span_of(bytes, node.link.down_bytes_per_second);
    through = std::max(node.down_free, through);
  }
  if (node.link.cpu_per_message == Duration{} && node.paused_until <= through) return through;
  // One queue for the node's thread.
  node.cpu_free = std::max({node.cpu_free, through, node.paused_until});
  if (segment) node.cpu_free += node.link.cpu_per_message;
  return node.cpu_free;
}

void SimNet::count_received(NodeIndex node, std::size_t bytes) {
  nodes_[node].traffic.bytes_in += bytes;
  ++nodes_[node].traffic.segments_in;
}

// ---- cuts

void SimNet::partition(std::span<const NodeIndex> apart) {
  ++groups_;
  for (const NodeIndex node : apart) nodes_[node].group = groups_;
  tell_of_cut(std::nullopt);
}

void SimNet::tell_of_cut(std::optional<NodeIndex> node) {
  cuts_ = true;
  for (CutWatcher* watcher : watchers_) watcher->on_cut(node);
}

void SimNet::partition_one_way(std::span<const NodeIndex> from_those) {
  one_sided_ = one_sided_ || !from_those.empty();
  for (const NodeIndex node : from_those) nodes_[node].mute = true;
  for (const NodeIndex node : from_those) tell_of_cut(node);
}

void SimNet::block(NodeIndex from, NodeIndex to) {
  one_sided_ = true;
  blocked_.insert({from, to});
  tell_of_cut(from);
}

void SimNet::unblock(NodeIndex from, NodeIndex to) { blocked_.erase({from, to}); }

void SimNet::clog(NodeIndex node, Mono until) {
  nodes_[node].clogged_until = std::max(nodes_[node].clogged_until, until);
  tell_of_cut(node);
}

void SimNet::pause(NodeIndex node, Mono until) {
  nodes_[node].paused_until = std::max(nodes_[node].paused_until, until);
  tell_of_cut(node);
}

void SimNet::heal() {
  for (Node& node : nodes_) {
    node.group = 0;
    node.mute = false;
    node.clogged_until = std::min(node.clogged_until, world_.now());
  }
  blocked_.clear();
  one_sided_ = false;
  cuts_ = std::any_of(nodes_.begin(), nodes_.end(),
                      [](const Node& node) { return node.power == Power::off; });
}

bool SimNet::severed(NodeIndex from, NodeIndex to) const {
  const Node& a = nodes_[from];
  if (a.group != nodes_[to].group || a.mute) return true;
  return !blocked_.empty() && blocked_.count({from, to}) != 0;
}

Mono SimNet::unclogged(NodeIndex from, NodeIndex to) const {
  return std::max({world_.now(), nodes_[from].clogged_until, nodes_[to].clogged_until});
}

bool SimNet::reaches(NodeIndex from, NodeIndex to) const {
  return !severed(from, to) && unclogged(from, to) == world_.now();
}

bool SimNet::answers(NodeIndex from, NodeIndex to) const {
  return passes(from, to) && reaches(to, from) && awake(to) == world_.now();
}

Mono SimNet::retry_at(NodeIndex from, NodeIndex to) const {
  const Mono next = world_.now() + options_.retransmit;
  const Mono clog = unclogged(from, to);
  return clog > world_.now() ? std::min(next, clog) : next;
}

// ---- addresses

void SimNet::set_address(NodeIndex index, std::uint32_t ip) {
  Node& node = nodes_[index];
  CHECK(by_ip_.emplace(ip, index).second);
  by_ip_.erase(node.ip);
  node.ip = ip;
  make_nat(index);
  for (Listener& listener : node.listeners) {
    if (listener.ip != 0) listener.ip = ip;
    listener.address = make_address({listener.ip, listener.port});
  }
  // Neither side is told: what they send is never acknowledged.
  ends_.for_each([&](PipeSlot, PipeEnd& end) {
    if (end.node == index || (end.peer_node == index && end.node != index)) end.cut = true;
  });
  for (CutWatcher* watcher : watchers_) watcher->on_moved(index);
}

void SimNet::make_nat(NodeIndex index) {
  Node& node = nodes_[index];
  const Nat kind = node.link.nat;
  if (kind == Nat::open) {
    node.nat.reset();
  } else if (kind == Nat::carrier) {
    auto& shared = carriers_[carrier_ip(index)];
    if (!shared) shared = std::make_shared<NatTable>(kind, carrier_ip(index));
    node.nat = shared;
  } else {
    node.nat = std::make_shared<NatTable>(kind, node.ip);
  }
}

Multiaddr SimNet::next_local(NodeIndex index) {
  Node& node = nodes_[index];
  if (node.nat && !node.listeners.empty())
    return make_address({node.ip, node.listeners.front().port});
  const std::uint16_t port = node.port_next++;
  if (port == kEphemeralLast) node.port_next = kEphemeralFirst;
  return make_address({node.ip, port});
}

Multiaddr SimNet::open_mapping(NodeIndex from, const Multiaddr& local, const Multiaddr& to) {
  NatTable* nat = nodes_[from].nat.get();
  if (nat == nullptr) return local;
  const auto inside = parse_address(local);
  const auto target = parse_address(to);
  if (!inside || !target) return local;
  return make_address(nat->open(world_.now(), *inside, *target));
}

void SimNet::close_mapping(NodeIndex from, const Multiaddr& local, const Multiaddr& to) {
  NatTable* nat = nodes_[from].nat.get();
  if (nat == nullptr) return;
  const auto inside = parse_address(local);
  const auto target = parse_address(to);
  if (inside && target) nat->close(world_.now(), *inside, *target);
}

std::optional<Multiaddr> SimNet::admit(NodeIndex to, const Multiaddr& dialled,
                                       const Multiaddr& from) const {
  const NatTable* nat = nodes_[to].nat.get();
  if (nat == nullptr) return dialled;
  const auto outside = parse_address(dialled);
  const auto source = parse_address(from);
  if (!outside || !source) return std::nullopt;
  const auto inside = nat->admit(world_.now(), outside->port, *source);
  if (!inside) return std::nullopt;
  return make_address(*inside);
}

std::optional<NodeIndex> SimNet::node_at(const Multiaddr& address) const {
  const auto parsed = parse_address(address);
  if (!parsed) return std::nullopt;
  const auto found = by_ip_.find(parsed->ip);
  if (found != by_ip_.end()) {
    // What a carrier gave its node inside is known to nobody outside.
    if (nodes_[found->second].link.nat == Nat::carrier) return std::nullopt;
    return found->second;
  }
  const auto carrier = carriers_.find(parsed->ip);
  if (carrier == carriers_.end()) return std::nullopt;
  const auto inside = carrier->second->owner(world_.now(), parsed->port);
  const auto behind = inside ? by_ip_.find(inside->ip) : by_ip_.end();
  if (behind == by_ip_.end()) return std::nullopt;
  return behind->second;
}

}  // namespace kith::simnet
