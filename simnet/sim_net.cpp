// SimNet: nodes, listeners and dialling. Paths are in sim_net_paths.cpp, data in sim_pipes.cpp.
#include "simnet/sim_net.hpp"

#include <algorithm>
#include <utility>

#include "net/base/check.hpp"
#include "simnet/sim_address.hpp"

namespace kith::simnet {

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
  const bool translated = link.nat != nodes_[node].link.nat;
  const Duration before = std::exchange(nodes_[node].link, link).latency;
  // All are looked at only when what was the least is not any more.
  if (turns_ && link.latency / 2 < half_latency_min_) set_lookahead(link.latency / 2);
  if (turns_ && before / 2 == half_latency_min_ && link.latency > before) find_lookahead();
  if (translated) make_nat(node);
}

Multiaddr SimNet::address(NodeIndex node, std::uint16_t port) const {
  return make_address({nodes_[node].ip, port});
}

void SimNet::schedule(Mono at, NodeIndex node, Kind kind, PipeSlot pipe) {
  world_.schedule(at, handler_, node, kind, pack(pipe));
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
  node.paused_until = node.cpu_free = {};  // whoever comes next stands on its own feet
  if (kind == CrashKind::power) tell_of_cut(index);
}

bool SimNet::can_dial(const Multiaddr& to) const {
  const auto address = parse_address(to);
  return address && address->ip != 0 && address->port != 0;
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
  made.seen = open_mapping(from, made.local, made.remote);
  made.mapped = true;
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
  if (severed(from, *target)) return pipe;
  const Loss loss = draw_loss(from, *target, 0, kRetransmitSynAfter);
  if (loss.fatal) return pipe;
  const Mono leaves = unclogged(from, *target) + loss.delay;
  schedule(leaves + draw_latency(from, *target), *target, kSyn, pipe);
  return pipe;
}

void SimNet::on_syn(PipeSlot dialler, NodeIndex target) {
  PipeEnd* end = ends_.find(dialler);
  if (end == nullptr || end->state != PipeEnd::State::dialing || end->cut) return;
  if (severed(end->node, target) || nodes_[target].power == Power::off) return;
  if (const Mono later = unclogged(end->node, target); later > world_.now())
    return schedule(later, target, kSyn, dialler);
  const auto local = admit(target, end->remote, end->seen);
  if (!local) return;  // silence
  Node& node = nodes_[target];
  const Loss loss = draw_loss(target, end->node, 0, kRetransmitSynAfter);
  if (loss.fatal) return;
  const Mono answer = world_.now() + loss.delay + draw_latency(target, end->node);
  if (!draw_accept(target, *local)) return schedule(answer, end->node, kRefused, dialler);
  if (node.to_accept.size() >= kSimAcceptBacklog) return;  // dropped, as a kernel does
  PipeEnd made;
  made.node = target;
  made.peer_node = end->node;
  made.peer = dialler;
  made.local = end->remote;
  made.remote = end->seen;
  made.state = PipeEnd::State::waiting;
  made.last_arrival = answer;
  const PipeSlot accepted = ends_.insert(std::move(made));
  ends_.at(dialler).peer = accepted;
  node.to_accept.push(accepted);
  schedule(answer, ends_.at(dialler).node, kAccepted, dialler);
  if (awake(target) > world_.now()) return schedule(awake(target), target, kAccept, PipeSlot{});
  take_accepted(target);
}

void SimNet::on_accepted(PipeSlot dialler) {
  PipeEnd* end = ends_.find(dialler);
  if (end == nullptr || end->state != PipeEnd::State::dialing) return;
  if (end->cut || severed(end->peer_node, end->node)) return;
  if (const Mono later = unclogged(end->peer_node, end->node); later > world_.now())
    return schedule(later, end->node, kAccepted, dialler);
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
  Listener made{make_address(*address), address->ip, address->port};
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

// What the kernel does alone goes on while the program stands still.
bool SimNet::calls_program(Kind kind) {
  switch (kind) {
    case kAccepted:
    case kDialTimeout:
    case kAccept:
    case kDeliver:
    case kDrain:
    case kWritable:
    case kLinger:
    case kGone:
      return true;
    default:
      return false;
  }
}

void SimNet::on_event(const Event& event) {
  const auto pipe = unpack<PipeSlot>(event.data);
  const auto kind = static_cast<Kind>(event.kind);
  if (const Mono later = awake(event.node); later > world_.now() && calls_program(kind))
    return schedule(later, event.node, kind, pipe);
  switch (kind) {
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
    case kLost:
      return break_end(pipe, fail(Errc::timeout, "too many packets were lost"), true);
    case kUnheard:
      return on_unheard(pipe);
    case kGrant:
      if (PipeEnd* end = ends_.find(pipe); end != nullptr && end->ungranted != 0)
        grant(pipe, *end, std::exchange(end->ungranted, 0));
      return;
  }
}

}  // namespace kith::simnet
