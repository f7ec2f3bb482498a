// SimNet: nodes, addresses, dialling and faults. Data moves in sim_pipes.cpp.
#include "simnet/sim_net.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::simnet {

namespace {

struct SimAddress {
  std::uint32_t ip = 0;
  std::uint16_t port = 0;
};

std::optional<SimAddress> parse_address(const Multiaddr& from) {
  std::vector<MultiaddrPart> parts = from.parts();
  if (parts.size() == 3 && parts[2].code == proto::p2p) parts.pop_back();
  if (parts.size() != 2 || parts[0].code != proto::ip4 || parts[1].code != proto::tcp) return {};
  SimAddress address;
  for (const std::uint8_t byte : parts[0].value) address.ip = address.ip << 8 | byte;
  address.port = static_cast<std::uint16_t>(parts[1].value[0] << 8 | parts[1].value[1]);
  return address;
}

Multiaddr make_address(std::uint32_t ip, std::uint16_t port) {
  std::array<std::uint8_t, 4> bytes{};
  for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(ip >> (24 - 8 * i));
  return Multiaddr::of_tcp(bytes, port);
}

std::uint32_t default_ip(NodeIndex node) {
  return 10u << 24 | (node & 0xff) << 16 | (node >> 8 & 0xff) << 8 | (1 + (node >> 16));
}

constexpr std::uint16_t kEphemeralFirst = 32768;
constexpr std::uint16_t kEphemeralLast = 60999;

}  // namespace

SimNet::SimNet(World& world, NetOptions options)
    : world_(world), options_(options), handler_(world.add_handler(*this)) {}

NodeIndex SimNet::add_node(const LinkOptions& link, std::uint32_t ip) {
  CHECK(nodes_.size() < kNodesMax);
  const auto index = static_cast<NodeIndex>(nodes_.size());
  Node node(ip != 0 ? ip : default_ip(index), world_.rng("link", index));
  CHECK(by_ip_.emplace(node.ip, index).second);
  nodes_.push_back(std::move(node));
  set_link(index, link);
  return index;
}

void SimNet::set_link(NodeIndex node, const LinkOptions& link) {
  CHECK(link.segment_max > 0 && link.segment_max <= host::kPipeReadMax);
  CHECK(link.receive_window > 0);
  nodes_[node].link = link;
}

Multiaddr SimNet::address(NodeIndex node, std::uint16_t port) const {
  return make_address(nodes_[node].ip, port);
}

Duration SimNet::latency(NodeIndex from, NodeIndex to) const {
  const LinkOptions& a = nodes_[from].link;
  const LinkOptions& b = nodes_[to].link;
  const Duration links = a.latency / 2 + b.latency / 2;
  if (a.region >= regions_.size() || b.region >= regions_.size()) return links;
  return links + regions_[a.region][b.region];
}

Duration SimNet::draw_latency(NodeIndex from, NodeIndex to) {
  const Duration jitter = nodes_[from].link.jitter;
  if (jitter <= Duration{}) return latency(from, to);
  const std::uint64_t drawn =
      nodes_[from].rng.below(static_cast<std::uint64_t>(jitter.count()) + 1);
  return latency(from, to) + Duration(static_cast<std::int64_t>(drawn));
}

void SimNet::schedule(Mono at, NodeIndex node, Kind kind, PipeSlot pipe) {
  world_.schedule(at, handler_, node, kind, pack(pipe));
}

void SimNet::partition(std::span<const NodeIndex> apart) {
  ++groups_;
  for (const NodeIndex node : apart) nodes_[node].group = groups_;
  watch_cuts_of(std::nullopt);
}

void SimNet::watch_cuts_of(std::optional<NodeIndex> node) {
  for (CutWatcher* watcher : watchers_) watcher->on_cut(node);
}

void SimNet::partition_one_way(std::span<const NodeIndex> mute) {
  for (const NodeIndex node : mute) nodes_[node].mute = true;
  watch_cuts_of(std::nullopt);
}

void SimNet::block(NodeIndex from, NodeIndex to) {
  blocked_.insert({from, to});
  watch_cuts_of(std::nullopt);
}

void SimNet::unblock(NodeIndex from, NodeIndex to) { blocked_.erase({from, to}); }

void SimNet::clog(NodeIndex node, Mono until) {
  nodes_[node].clogged_until = std::max(nodes_[node].clogged_until, until);
  watch_cuts_of(std::nullopt);
}

void SimNet::pause(NodeIndex node, Mono until) {
  nodes_[node].paused_until = std::max(nodes_[node].paused_until, until);
}

void SimNet::heal() {
  for (Node& node : nodes_) {
    node.group = 0;
    node.mute = false;
    node.clogged_until = std::min(node.clogged_until, world_.now());
  }
  blocked_.clear();
}

bool SimNet::reaches(NodeIndex from, NodeIndex to) const {
  const Node& a = nodes_[from];
  const Node& b = nodes_[to];
  if (a.group != b.group || a.mute) return false;
  const Mono now = world_.now();
  if (a.clogged_until > now || b.clogged_until > now) return false;
  return blocked_.empty() || blocked_.count({from, to}) == 0;
}

bool SimNet::passes(NodeIndex from, NodeIndex to) const {
  return reaches(from, to) && nodes_[to].power != Power::off;
}

void SimNet::set_address(NodeIndex index, std::uint32_t ip) {
  Node& node = nodes_[index];
  CHECK(by_ip_.emplace(ip, index).second);
  by_ip_.erase(node.ip);
  node.ip = ip;
  if (node.nat) node.nat->clear();
  for (Listener& listener : node.listeners) {
    if (listener.ip != 0) listener.ip = ip;
    listener.address = make_address(listener.ip, listener.port);
  }
  // The other ends hear nothing, and find out when what they send is never acknowledged.
  std::vector<PipeSlot> own;
  ends_.for_each([&](PipeSlot pipe, PipeEnd& end) {
    if (end.node == index) own.push_back(pipe);
    if (end.peer_node == index && end.node != index) end.cut = true;
  });
  for (const PipeSlot pipe : own)
    break_end(pipe, fail(Errc::connection, "the machine's address changed"), false);
  for (CutWatcher* watcher : watchers_) watcher->on_moved(index);
}

bool SimNet::admits(NodeIndex to, const Multiaddr& from) const {
  const Node& node = nodes_[to];
  if (node.link.nat == Nat::open) return true;
  const auto address = parse_address(from);
  return address && node.nat &&
         node.nat->admits(world_.now(), node.link.nat, {address->ip, address->port});
}

Multiaddr SimNet::seen_as(NodeIndex index, const Multiaddr& local, const Multiaddr& to) {
  Node& node = nodes_[index];
  if (node.link.nat == Nat::open) return local;
  const auto inside = parse_address(local);
  const auto target = parse_address(to);
  if (!inside || !target) return local;
  if (!node.nat) node.nat = std::make_unique<NatTable>();
  NatEndpoint outside = node.nat->dialed(world_.now(), node.link.nat, {inside->ip, inside->port},
                                         {target->ip, target->port});
  if (node.link.nat == Nat::carrier) outside.ip = NatTable::carrier_ip(index);
  return make_address(outside.ip, outside.port);
}

void SimNet::attach(NodeIndex index, Loop& loop) {
  Node& node = nodes_[index];
  CHECK(node.power != Power::on);
  node.power = Power::on;
  node.loop = &loop;
}

void SimNet::detach(NodeIndex index) {
  Node& node = nodes_[index];
  if (node.power == Power::on) forget_ends(index, true);
  if (node.power == Power::on) node.power = Power::idle;
  node.loop = nullptr;
  node.sink = nullptr;
  node.listeners.clear();
  node.to_accept.clear();
  node.accept_paused = false;
}

void SimNet::crash(NodeIndex index, CrashKind kind) {
  Node& node = nodes_[index];
  forget_ends(index, kind == CrashKind::process);
  node.power = kind == CrashKind::process ? Power::idle : Power::off;
  node.sink = nullptr;
  node.listeners.clear();
  node.to_accept.clear();
  if (kind == CrashKind::power)
    for (CutWatcher* watcher : watchers_) watcher->on_cut(index);
}

bool SimNet::can_dial(const Multiaddr& to) const {
  const auto address = parse_address(to);
  return address && address->ip != 0 && address->port != 0;
}

std::optional<NodeIndex> SimNet::node_at(const Multiaddr& address) const {
  const auto parsed = parse_address(address);
  const auto found = parsed ? by_ip_.find(parsed->ip) : by_ip_.end();
  if (found == by_ip_.end()) return std::nullopt;
  return found->second;
}

Multiaddr SimNet::next_local(NodeIndex index) {
  Node& node = nodes_[index];
  const std::uint16_t port = node.port_next++;
  if (port == kEphemeralLast) node.port_next = kEphemeralFirst;
  return make_address(node.ip, port);
}

bool SimNet::draw_accept(NodeIndex index, const Multiaddr& on) {
  Node& node = nodes_[index];
  const auto address = parse_address(on);
  const bool lucky = !strikes(node, node.link.dial_failure_ppm);
  return lucky && node.power == Power::on && address &&
         find_listener(index, address->ip, address->port) != nullptr;
}

host::PipeSlot SimNet::dial(NodeIndex from, const Multiaddr& to) {
  PipeEnd made;
  made.node = from;
  made.local = next_local(from);
  made.remote = to.without_peer_id();
  const PipeSlot pipe = ends_.insert(std::move(made));
  const Mono now = world_.now();
  if (!can_dial(to)) {
    break_end(pipe, fail(Errc::unsupported, "cannot dial " + to.text()), false);
    return pipe;
  }
  schedule(now + options_.dial_timeout, from, kDialTimeout, pipe);
  const auto target = node_at(to);
  if (!target) return pipe;  // nobody there: silence
  ends_.at(pipe).peer_node = *target;
  if (reaches(from, *target)) schedule(now + draw_latency(from, *target), *target, kSyn, pipe);
  return pipe;
}

void SimNet::on_syn(PipeSlot dialler, NodeIndex target) {
  PipeEnd* end = ends_.find(dialler);
  if (end == nullptr || end->state != PipeEnd::State::dialing || !passes(end->node, target)) return;
  Node& node = nodes_[target];
  const Multiaddr seen = seen_as(end->node, end->local, end->remote);
  if (!admits(target, seen)) return;  // silence
  const Mono answer = world_.now() + draw_latency(target, end->node);
  if (!draw_accept(target, end->remote)) return schedule(answer, end->node, kRefused, dialler);
  if (node.to_accept.size() >= kSimAcceptBacklog) return;  // dropped, as a kernel does
  PipeEnd made;
  made.node = target;
  made.peer_node = end->node;
  made.peer = dialler;
  made.local = end->remote;
  made.remote = seen;
  made.state = PipeEnd::State::waiting;
  made.last_arrival = answer;
  const PipeSlot accepted = ends_.insert(std::move(made));
  ends_.at(dialler).peer = accepted;
  node.to_accept.push(accepted);
  schedule(answer, ends_.at(dialler).node, kAccepted, dialler);
  take_accepted(target);
}

void SimNet::on_accepted(PipeSlot dialler) {
  PipeEnd* end = ends_.find(dialler);
  if (end == nullptr || end->state != PipeEnd::State::dialing) return;
  if (!passes(end->peer_node, end->node)) return;
  end->state = PipeEnd::State::open;
  mark_dirty(dialler, *end);  // what was written before, and perhaps closed
  nodes_[end->node].sink->on_dialed(now_of(end->node), dialler, end->local, end->remote);
}

void SimNet::fail_dial(PipeSlot dialler, Error why) {
  const PipeEnd* end = ends_.find(dialler);
  if (end != nullptr && end->state == PipeEnd::State::dialing)
    break_end(dialler, std::move(why), true);
}

void SimNet::take_accepted(NodeIndex index) {
  // The sink may pause us, or crash another node, with each pipe that it is told of.
  while (nodes_[index].power == Power::on && !nodes_[index].accept_paused &&
         !nodes_[index].to_accept.empty()) {
    const PipeSlot pipe = nodes_[index].to_accept.pop();
    PipeEnd* end = ends_.find(pipe);
    if (end == nullptr || end->state != PipeEnd::State::waiting) continue;
    end->state = PipeEnd::State::open;
    schedule_drain(pipe, *end);
    const Multiaddr local = end->local;
    const Multiaddr remote = end->remote;
    nodes_[index].sink->on_accept(now_of(index), pipe, local, remote);
  }
}

void SimNet::accept_paused(NodeIndex index, bool paused) {
  Node& node = nodes_[index];
  node.accept_paused = paused;
  if (!paused && !node.to_accept.empty()) schedule(world_.now(), index, kAccept, PipeSlot{});
}

const SimNet::Listener* SimNet::find_listener(NodeIndex node, std::uint32_t ip,
                                              std::uint16_t port) const {
  for (const Listener& listener : nodes_[node].listeners)
    if (listener.port == port && (listener.ip == 0 || ip == 0 || listener.ip == ip))
      return &listener;
  return nullptr;
}

std::uint16_t SimNet::free_port(NodeIndex node) const {
  std::uint16_t port = 20'000;
  while (find_listener(node, 0, port) != nullptr) ++port;
  return port;
}

Result<Multiaddr> SimNet::listen(NodeIndex index, const Multiaddr& on) {
  Node& node = nodes_[index];
  if (node.power != Power::on) return fail(Errc::cancelled, "the node has crashed");
  auto address = parse_address(on);
  if (!address) return fail(Errc::unsupported, "cannot listen on " + on.text());
  if (address->ip != 0 && address->ip != node.ip)
    return fail(Errc::configuration, "cannot listen on " + on.text() + ": not its address");
  if (address->port == 0) address->port = free_port(index);
  if (find_listener(index, address->ip, address->port) != nullptr)
    return fail(Errc::in_use, "cannot listen on " + on.text() + ": it listens there already");
  Listener made{make_address(address->ip, address->port), address->ip, address->port};
  node.listeners.push_back(made);
  return made.address;
}

std::vector<Multiaddr> SimNet::listen_addrs(NodeIndex index) const {
  std::vector<Multiaddr> found;
  for (const Listener& listener : nodes_[index].listeners)
    found.push_back(address(index, listener.port));
  std::sort(found.begin(), found.end());
  return found;
}

void SimNet::on_event(const Event& event) {
  const auto pipe = unpack<PipeSlot>(event.data);
  switch (static_cast<Kind>(event.kind)) {
    case kSyn:
      return on_syn(pipe, event.node);
    case kAccepted:
      return on_accepted(pipe);
    case kRefused:
      return break_end(pipe, fail(Errc::connection, "connection refused"), false);
    case kDialTimeout:
      if (PipeEnd* end = ends_.find(pipe); end && end->state == PipeEnd::State::dialing)
        break_end(pipe, fail(Errc::timeout, "nobody answered"), false);
      return;
    case kAccept:
      return take_accepted(event.node);
    case kPump:
      if (PipeEnd* end = ends_.find(pipe)) end->pump_scheduled = false;
      return pump(pipe);
    case kArrive:
      return on_arrive(pipe);
    case kDeliver:
      if (awake(event.node) > world_.now())
        return schedule(awake(event.node), event.node, kDeliver, pipe);
      return deliver(pipe);
    case kRetry:
      return retry(pipe);
    case kReset:
      return break_end(pipe, fail(Errc::connection, "connection reset"), false);
    case kDrain:
      return drain(pipe);
    case kWritable:
      if (PipeEnd* end = usable(event.node, pipe))
        nodes_[end->node].sink->on_writable(now_of(end->node), pipe);
      return;
    case kLinger:
      if (usable(event.node, pipe) != nullptr)
        break_end(pipe, fail(Errc::timeout, "the other side did not end it in time"), true);
      return;
    case kGone:
      return on_gone(pipe);
  }
}

}  // namespace kith::simnet
