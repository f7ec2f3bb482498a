// SimHost: what protocols ask and hear. Connections are in sim_host_links.cpp, streams in
// sim_host_streams.cpp.
#include "simnet/sim_host.hpp"

#include <algorithm>

#include "net/base/check.hpp"
#include "net/base/planted.hpp"

namespace kith::simnet {

namespace {
constexpr const char* kIdentify = "/ipfs/id/1.0.0";
constexpr std::size_t kKeptEvents = 4;
constexpr const char* kIdentifyPush = "/ipfs/id/push/1.0.0";
}  // namespace

SimHost::SimHost(SimHosts& hosts, NodeIndex node, Loop& loop, SimHostConfig config)
    : config_(std::move(config)),
      hosts_(hosts),
      node_(node),
      loop_(loop),
      budget_(config_.limits.assembly_bytes_max),
      admission_(config_.limits),
      dialer_(config_.limits),
      store_(config_.limits.known_peers_max, config_.limits.known_addrs_per_peer_max,
             config_.limits.known_lifetime_max) {
  host::ProtocolSpec identify;
  identify.ids = {kIdentify, kIdentifyPush};
  identify.inbound_streams_per_peer_max = 0;
  registry_.add(std::move(identify), named_, true);
  hosts_.attach(*this, node_);
}

SimHost::~SimHost() {
  loop_.arm(*this, kNever);
  loop_.arm(push_alarm_, kNever);
  // Without power nobody says good-bye.
  const bool tell = hosts_.net().powered(node_);
  for (const SimLinkRef ref : links_) hosts_.end_side(ref, tell);
  streams_.for_each([&](host::StreamSlot, Stream& stream) { hosts_.frames().clear(stream.queue); });
  hosts_.detach(node_);
}

Result<Multiaddr> SimHost::listen(const Multiaddr& on) {
  auto bound = hosts_.net().listen(node_, on);
  if (bound) announce();
  return bound;
}

std::vector<Multiaddr> SimHost::listen_addrs() const { return hosts_.net().listen_addrs(node_); }

host::ProtocolIndex SimHost::add_protocol(host::ProtocolSpec spec, host::Protocol& protocol) {
  if (spec.framing == host::Framing::message)
    spec.send_queue_bytes_max =
        std::max(spec.send_queue_bytes_max, framed_size(spec.framing, spec.message_bytes_max));
  const host::ProtocolIndex index = registry_.add(std::move(spec), protocol);
  if (std::find(listeners_.begin(), listeners_.end(), &protocol) == listeners_.end())
    listeners_.push_back(&protocol);
  facts_.reset();
  return index;
}

void SimHost::set_serving(host::ProtocolIndex protocol, bool serve) {
  if (registry_.set_serving(protocol, serve)) announce();
}

void SimHost::connect(host::ProtocolIndex who, RequestId request, const PeerId& id,
                      std::span<const Multiaddr> addrs) {
  const Now now = loop_.now();
  const host::ConnectRequest asked{who, request};
  PeerId target = id;
  if (target.empty() && !addrs.empty())
    if (const auto named = addrs.front().peer_id()) target = *named;
  if (stopped_)
    return emit(host::DialAnswer{asked, {}, fail(Errc::cancelled, "this node is stopping")});
  if (target == self())
    return emit(host::DialAnswer{asked, {}, fail(Errc::refused, "this is our own peer id")});
  if (const auto ready = find_peer(target)) return emit(host::DialAnswer{asked, *ready, {}});
  std::vector<Multiaddr> known;
  if (addrs.empty()) {
    known = store_.known(now, target);
    addrs = known;
  }
  std::vector<Multiaddr> usable;
  std::vector<std::string> unusable;
  for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), config_.limits.dial_addrs_max))) {
    const auto named = addr.peer_id();
    const Multiaddr bare = addr.without_peer_id();
    if (named && *named != target)
      unusable.push_back(addr.text() + ": names another peer");
    else if (!hosts_.net().can_dial(bare))
      unusable.push_back(addr.text() + ": no transport for it");
    else
      usable.push_back(bare);
  }
  host::DialEffects effects;
  dialer_.connect(now, asked, target, usable, std::move(unusable), effects);
  apply(effects);
}

std::optional<host::PeerSlot> SimHost::find_peer(const PeerId& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || !peers_.find(found->second)->ready) return std::nullopt;
  return found->second;
}

const host::PeerFacts* SimHost::facts(host::PeerSlot peer) const {
  const Peer* found = peers_.find(peer);
  return found == nullptr || !found->ready || found->gone ? nullptr : &found->facts;
}

std::vector<host::PeerStatus> SimHost::peers() const {
  std::vector<host::PeerStatus> all;
  peers_.for_each([&](host::PeerSlot slot, const Peer& peer) {
    if (!peer.ready || peer.gone) return;
    host::PeerStatus status{slot, peer.facts, peer.bytes_in, peer.bytes_out, {}, peer.since};
    for (const SimLinkRef ref : peer.links) {
      const SimLink::Side* side = hosts_.find(ref);
      status.bytes_in += side->bytes_in;
      status.bytes_out += side->bytes_out;
      if (status.round_trip == Duration::zero()) status.round_trip = side->round_trip;
    }
    all.push_back(std::move(status));
  });
  return all;
}

std::vector<Multiaddr> SimHost::observed_addrs() const {
  std::vector<Multiaddr> seen;
  peers_.for_each([&](host::PeerSlot, const Peer& peer) {
    if (peer.ready && !peer.gone) seen.push_back(hosts_.other(peer.links.front()).remote);
  });
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  return seen;
}

void SimHost::keep_addrs(const PeerId& id, Duration lifetime) {
  store_.extend(loop_.now(), id, lifetime);
}

void SimHost::learn_addrs(const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime) {
  if (id != self()) store_.learn(loop_.now(), id, addrs, lifetime);
}

std::vector<Multiaddr> SimHost::known_addrs(const PeerId& id) const {
  return store_.known(loop_.now(), id);
}

host::HostUsage SimHost::usage() const {
  host::HostUsage usage;
  usage.links = links_.size();
  usage.unauthenticated = admission_.unauthenticated();
  usage.peers = peers_.size();
  usage.streams = streams_.size();
  usage.connects = dialer_.requests();
  usage.dials = dialer_.in_flight();
  usage.assembly_bytes = budget_.used();
  usage.known_peers = store_.peers();
  usage.events = events_.size() - events_read_;
  return usage;
}

// ---- events to protocols

void SimHost::emit(host::HostEvent event) {
  events_.push_back(std::move(event));
  if (delivering_ || local_scheduled_) return;
  local_scheduled_ = true;
  hosts_.schedule_local(node_);
}

void SimHost::on_local() {
  local_scheduled_ = false;
  deliver_all();
}

void SimHost::deliver_all() {
  CHECK(!delivering_);
  delivering_ = true;
  const Now now = loop_.now();
  while (events_read_ < events_.size()) {
    host::HostEvent event = std::move(events_[events_read_++]);
    deliver_one(now, event);
  }
  events_.clear();
  events_read_ = 0;
  if (events_.capacity() > kKeptEvents) events_.shrink_to_fit();
  delivering_ = false;
}

void SimHost::deliver_one(Now now, host::HostEvent& event) {
  if (auto* data = std::get_if<host::StreamData>(&event)) return deliver_data(now, *data);
  if (const auto* ready = std::get_if<host::PeerReady>(&event)) {
    for (host::Protocol* protocol : listeners_)
      if (const Peer* peer = peers_.find(ready->peer))
        protocol->on_peer_ready(now, ready->peer, peer->facts);
  } else if (const auto* changed = std::get_if<host::PeerChanged>(&event)) {
    for (host::Protocol* protocol : listeners_)
      if (const host::PeerFacts* known = facts(changed->peer))
        protocol->on_peer_changed(now, changed->peer, *known);
  } else if (const auto* gone = std::get_if<host::PeerGone>(&event)) {
    for (host::Protocol* protocol : listeners_) protocol->on_peer_gone(now, gone->peer);
    peers_.erase(gone->peer);
  } else if (auto* answer = std::get_if<host::DialAnswer>(&event)) {
    Result<host::PeerSlot> result = answer->peer;
    if (answer->error) result = std::move(*answer->error);
    host::Protocol& who = *registry_.at(answer->to.who).handler;
    who.on_connected(now, answer->to.request, std::move(result));
  } else {
    deliver_stream(now, event);
  }
}

void SimHost::deliver_data(Now now, host::StreamData& event) {
  Stream* stream = streams_.find(event.stream);
  if (stream == nullptr || stream->muted) return;
  host::Protocol& handler = *stream->handler;
  if (!stream->messages) return handler.on_data(now, event.stream, std::move(event.data));
  if (!stream->assembler) return handler.on_message(now, event.stream, std::move(event.data));
  stream->assembler->feed(std::move(event.data));
  for (Bytes message; stream != nullptr && !stream->muted;) {
    const auto step = stream->assembler->next(message);
    if (step == host::MessageAssembler::Step::more) return;
    if (step == host::MessageAssembler::Step::failed)
      return kill(event.stream, stream->assembler->error());
    handler.on_message(now, event.stream, std::move(message));
    stream = streams_.find(event.stream);
  }
}

void SimHost::deliver_stream(Now now, host::HostEvent& event) {
  if (const auto* closed = std::get_if<host::StreamClosed>(&event)) {
    const Stream* stream = streams_.find(closed->stream);
    if (stream == nullptr) return;
    host::Protocol& handler = *registry_.at(stream->protocol).handler;
    streams_.erase(closed->stream);
    return handler.on_closed(now, closed->stream, closed->error ? &*closed->error : nullptr);
  }
  const host::StreamSlot slot = std::visit(
      [](const auto& any) -> host::StreamSlot {
        if constexpr (requires { any.stream; })
          return any.stream;
        else
          return {};
      },
      event);
  Stream* stream = streams_.find(slot);
  if (stream == nullptr || stream->muted) return;
  host::Protocol& handler = *registry_.at(stream->protocol).handler;
  if (std::holds_alternative<host::StreamAccepted>(event)) {
    handler.on_stream(now, slot, stream->peer, stream->id);
  } else if (std::holds_alternative<host::StreamOpened>(event)) {
    handler.on_opened(now, slot, stream->id);
  } else if (std::holds_alternative<host::StreamWritable>(event)) {
    if (!planted(Planted::wakeup_lost)) handler.on_writable(now, slot);
  } else if (const auto* refused = std::get_if<host::StreamRefused>(&event)) {
    handler.on_send_refused(now, slot, refused->tag);
  } else if (std::holds_alternative<host::StreamEnded>(event)) {
    if (stream->assembler && !stream->assembler->at_boundary())
      return kill(slot, fail(Errc::truncated, "the stream ended within a message"));
    handler.on_end(now, slot);
  }
}

}  // namespace kith::simnet
