#include "net/host/wire_host.hpp"

#include <algorithm>

namespace kith::host {

WireHost::WireHost(HostConfig config, Transport& transport, Loop& loop, Log& log, Rng rng)
    : config_(std::move(config)),
      transport_(transport),
      loop_(loop),
      log_(log),
      rng_(std::move(rng)),
      noise_(config_.identity, rng_),
      budget_(config_.limits.assembly_bytes_max),
      admission_(config_.limits),
      dialer_(config_.limits),
      store_(config_.limits.known_peers_max, config_.limits.known_addrs_per_peer_max,
             config_.limits.known_lifetime_max),
      peers_(config_.limits, budget_, turn_),
      streams_(config_.limits, registry_, peers_, budget_, turn_),
      identify_(*this, loop_,
                wire::IdentifyMaker(config_.identity, config_.agent, config_.record_sequence_mark),
                config_.limits.push_delay) {
  const auto ask = registry_.add(IdentifyService::ask_spec(), identify_.asking(), true);
  const auto push = registry_.add(IdentifyService::push_spec(), identify_.pushing(), true);
  identify_.set_indexes(ask, push);
  streams_.set_served(registry_.served());
  transport_.set_sink(*this);
}

WireHost::~WireHost() {
  loop_.arm(dial_alarm_, kNever);
  loop_.arm(turn_alarm_, kNever);
  links_.for_each([&](LinkSlot, std::unique_ptr<Link>& link) {
    loop_.arm(*link, kNever);
    transport_.abort(link->pipe);
  });
}

Result<Multiaddr> WireHost::listen(const Multiaddr& on) {
  auto bound = transport_.listen(on);
  if (bound) addrs_changed();
  return bound;
}

void WireHost::set_external_addrs(std::vector<Multiaddr> addrs) {
  if (external_ == addrs) return;
  external_ = std::move(addrs);
  addrs_changed();
}

void WireHost::addrs_changed() { identify_.announce(loop_.now()); }

std::vector<Multiaddr> WireHost::listen_addrs() const {
  auto addrs = transport_.listen_addrs();
  for (const Multiaddr& addr : external_)
    if (std::find(addrs.begin(), addrs.end(), addr) == addrs.end()) addrs.push_back(addr);
  return addrs;
}

ProtocolIndex WireHost::add_protocol(ProtocolSpec spec, Protocol& protocol) {
  // A queue that cannot hold one message would refuse it for ever.
  if (spec.framing == Framing::message)
    spec.send_queue_bytes_max =
        std::max(spec.send_queue_bytes_max, framed_size(spec.framing, spec.message_bytes_max));
  const ProtocolIndex index = registry_.add(std::move(spec), protocol);
  if (std::find(listeners_.begin(), listeners_.end(), &protocol) == listeners_.end())
    listeners_.push_back(&protocol);
  streams_.set_served(registry_.served());
  return index;
}

void WireHost::set_serving(ProtocolIndex protocol, bool serve) {
  if (!registry_.set_serving(protocol, serve)) return;
  streams_.set_served(registry_.served());
  identify_.announce(loop_.now());
}

void WireHost::stop() {
  if (std::exchange(stopped_, true)) return;
  const Now now = loop_.now();
  update_door();
  DialEffects effects;
  dialer_.stop(now, effects);
  apply(now, effects);
  links_.for_each([&](LinkSlot, std::unique_ptr<Link>& link) {
    if (link->closing) return;
    if (link->connection && link->connection->is_open()) link->connection->mux().go_away();
    lose(now, *link, fail(Errc::cancelled, "this node is stopping"));
  });
  schedule();
}

HostUsage WireHost::usage() const {
  return {links_.size(),       admission_.unauthenticated(),
          peers_.size(),       streams_.size(),
          dialer_.requests(),  dialer_.in_flight(),
          budget_.used(),      store_.peers(),
          identify_.readers(), turn_.events()};
}

// --- peers

// What can be dialled of `addrs`, without /p2p; what cannot says why.
std::vector<Multiaddr> WireHost::usable_addrs(const PeerId& id, std::span<const Multiaddr> addrs,
                                              std::vector<std::string>& unusable) const {
  std::vector<Multiaddr> usable;
  for (const Multiaddr& addr : addrs.first(std::min(addrs.size(), config_.limits.dial_addrs_max))) {
    const auto named = addr.peer_id();
    const Multiaddr bare = addr.without_peer_id();
    if (named && *named != id)
      unusable.push_back(addr.text() + ": names another peer");
    else if (!transport_.can_dial(bare))
      unusable.push_back(addr.text() + ": no transport for it");
    else
      usable.push_back(bare);
  }
  return usable;
}

void WireHost::connect(ProtocolIndex who, RequestId request, const PeerId& id,
                       std::span<const Multiaddr> addrs) {
  const Now now = loop_.now();
  const ConnectRequest asked{who, request};
  schedule();
  // An address that names its peer says whom we expect.
  PeerId target = id;
  if (target.empty() && !addrs.empty())
    if (const auto named = addrs.front().peer_id()) target = *named;
  if (stopped_)
    return turn_.push(DialAnswer{asked, {}, fail(Errc::cancelled, "this node is stopping")});
  if (target == self())
    return turn_.push(DialAnswer{asked, {}, fail(Errc::refused, "this is our own peer id")});
  if (const Peer* ready = peers_.find_ready(target))
    return turn_.push(DialAnswer{asked, ready->slot, {}});
  std::vector<std::string> unusable;
  std::vector<Multiaddr> known;
  if (addrs.empty()) {
    known = store_.known(now, target);
    addrs = known;
  }
  const auto usable = usable_addrs(target, addrs, unusable);
  DialEffects effects;
  dialer_.connect(now, asked, target, usable, std::move(unusable), effects);
  apply(now, effects);
}

void WireHost::disconnect(PeerSlot peer) {
  const Peer* found = peers_.find(peer);
  if (found == nullptr || found->gone) return;
  const Now now = loop_.now();
  const auto links = found->links;
  for (Link* link : links) {
    if (link->connection->is_open()) link->connection->mux().go_away();
    lose(now, *link, fail(Errc::cancelled, "the connection was ended on this side"));
  }
  schedule();
}

std::optional<PeerSlot> WireHost::find_peer(const PeerId& id) const {
  const Peer* found = peers_.find_ready(id);
  if (found == nullptr) return std::nullopt;
  return found->slot;
}

const PeerFacts* WireHost::facts(PeerSlot peer) const {
  const Peer* found = peers_.find(peer);
  return found == nullptr || !found->ready || found->gone ? nullptr : &found->facts;
}

void WireHost::learn_addrs(const PeerId& id, std::span<const Multiaddr> addrs, Duration lifetime) {
  if (id != self()) store_.learn(loop_.now(), id, addrs, lifetime);
}

void WireHost::keep_addrs(const PeerId& id, Duration lifetime) {
  store_.extend(loop_.now(), id, lifetime);
}

std::vector<Multiaddr> WireHost::known_addrs(const PeerId& id) const {
  return store_.known(loop_.now(), id);
}

// --- streams

StreamSlot WireHost::open(PeerSlot peer, ProtocolIndex protocol, Bytes first, Priority priority) {
  schedule();
  return streams_.open(loop_.now(), peer, protocol, std::move(first), priority);
}

void WireHost::send(StreamSlot stream, Bytes message, Priority priority, std::uint64_t tag) {
  schedule();
  streams_.send(loop_.now(), stream, std::move(message), priority, tag);
}

std::size_t WireHost::queued_bytes(StreamSlot stream) const {
  return streams_.queued_bytes(stream);
}

void WireHost::release(StreamSlot stream, std::size_t bytes) {
  schedule();
  streams_.release(stream, bytes);
}

void WireHost::close(StreamSlot stream) {
  schedule();
  streams_.close(stream);
}

void WireHost::reset(StreamSlot stream) {
  schedule();
  streams_.reset(stream);
}

std::optional<PeerSlot> WireHost::peer_of(StreamSlot stream) const {
  const Stream* found = streams_.find(stream);
  if (found == nullptr) return std::nullopt;
  return found->peer;
}

}  // namespace kith::host
