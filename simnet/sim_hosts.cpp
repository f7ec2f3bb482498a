#include "simnet/sim_hosts.hpp"

#include <xxhash.h>

#include <algorithm>

#include "net/base/check.hpp"
#include "simnet/sim_host.hpp"

namespace kith::simnet {

SimHosts::SimHosts(SimNet& net)
    : net_(net),
      handler_(net.world().add_handler(*this,
                                       own_kinds({kPump, kArrive, kDeliver, kDeadline, kLocal}))) {
  net_.watch_cuts(*this);
}

// The others end connections on a side that is not the event's node, or may.
std::uint64_t SimHosts::own_kinds(std::initializer_list<Kind> kinds) {
  std::uint64_t bits = 0;
  for (const Kind kind : kinds) bits |= std::uint64_t{0b11} << 2 * kind;
  return bits;
}

void SimHosts::attach(SimHost& host, NodeIndex node) {
  if (hosts_.size() <= node) hosts_.resize(node + 1);
  CHECK(hosts_[node] == nullptr);
  hosts_[node] = &host;
  net_.allow_turns();
}

void SimHosts::detach(NodeIndex node) { hosts_[node] = nullptr; }

SimLinkRef SimHosts::dial(SimHost& from, NodeIndex node, const Multiaddr& to) {
  const SimLinkRef ref{links_.insert(pool_.take()), 0};
  SimLink::Side& mine = *find(ref);
  SimLink::Side& theirs = other(ref);
  mine.node = node;
  mine.host = &from;
  mine.number_next = 1;
  mine.local = net_.next_local(node);
  theirs.remote = net_.open_mapping(node, mine.local, to);
  mine.remote = theirs.local = to;
  const auto target = net_.node_at(to);
  theirs.node = mine.peer_node = target.value_or(node);
  theirs.peer_node = node;
  theirs.number_next = 2;
  if (!target) {
    mine.bye_sent = true;  // nobody is there to hear it
    return ref;
  }
  Frame syn;
  syn.kind = FrameKind::hop;
  syn.hop = 1;
  mine.last_hop = world().now();
  push(ref, std::move(syn));
  return ref;
}

void SimHosts::schedule(Mono at, NodeIndex node, Kind kind, SimLinkRef ref) {
  const auto both = static_cast<std::uint16_t>(kind * 2 + ref.side);
  world().schedule(at, handler_, node, both, pack(ref.link));
}

void SimHosts::schedule_local(NodeIndex node) { schedule(world().now(), node, kLocal, {}); }

void SimHosts::schedule_deadline(SimLinkRef ref, Duration after) {
  schedule(later(world().now(), after), find(ref)->node, kDeadline, ref);
}

void SimHosts::push(SimLinkRef ref, Frame frame) {
  frames_.push(find(ref)->urgent, std::move(frame));
  mark_dirty(ref);
}

void SimHosts::mark_dirty(SimLinkRef ref) {
  SimLink::Side& side = *find(ref);
  if (side.dirty) return;
  side.dirty = true;
  __builtin_prefetch(net_.place_of(side.peer_node));  // departing will ask for its link
  dirty_.push_back(ref);
  world().call_at_end(handler_);
}

void SimHosts::on_event_end() {
  // Taking frames may make events for protocols, which come later, but no new frames.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    const SimLinkRef ref = dirty_[i];
    if (SimLink::Side* side = find(ref)) side->dirty = false;
    pump(ref);
  }
  dirty_.clear();
}

bool SimHosts::has_more(const SimLink::Side& side) {
  return !side.urgent.empty() || std::any_of(side.ready.begin(), side.ready.end(),
                                             [](const auto& ready) { return bool(ready.head); });
}

void SimHosts::pump(SimLinkRef ref) {
  std::optional<Duration> latency;  // of all that leaves now
  SimLink::Side* side = find(ref);
  while (side != nullptr) {
    if (side->uplink_until > world().now()) {
      if (has_more(*side) && !side->pump_scheduled) {
        side->pump_scheduled = true;
        schedule(side->uplink_until, side->node, kPump, ref);
      }
      return;
    }
    if (!side->urgent.empty()) {
      depart(ref, *side, latency, frames_.detach(side->urgent));
      side = find(ref);
      continue;
    }
    if (side->host == nullptr || !has_more(*side)) return;
    const std::uint32_t frame = side->host->next_frame(*side);
    if (frame == FramePool::kNone) return;
    if (net_.draw_reset(side->node)) {
      frames_.give_back(frame);
      side->host->lose(ref, fail(Errc::connection, "connection reset"));
      return;
    }
    depart(ref, *side, latency, frame);
    side = find(ref);
  }
}

// `index`: of frames_, in no list.
void SimHosts::depart(SimLinkRef ref, SimLink::Side& side, std::optional<Duration>& latency,
                      std::uint32_t index) {
  const Frame& frame = frames_.at(index);
  if (side.lost && frame.kind != FrameKind::bye) return frames_.give_back(index);
  const NodeIndex to = side.peer_node;
  side.bytes_out += frame.bytes;
  const bool opens = frame.kind == FrameKind::hop && frame.hop <= 2;
  Loss loss;
  if (frame.kind != FrameKind::bye)  // as a reset of SimNet
    loss =
        net_.draw_loss(side.node, to, frame.bytes, opens ? kRetransmitSynAfter : kRetransmitAfter);
  side.uplink_until = net_.leave_uplink(side.node, frame.bytes);
  if (!latency) latency = net_.draw_latency(side.node, to);
  const Mono at = std::max(side.uplink_until + *latency + loss.delay, side.last_arrival);
  if (loss.pace > Duration{})
    side.uplink_until = std::max(side.uplink_until, world().now() + loss.pace);
  if (loss.fatal) {  // it never arrives, nor does what is sent behind it
    side.lost = true;
    side.last_arrival = at;
    frames_.give_back(index);
    return schedule(at, side.node, kLost, ref);
  }
  // The event of what arrives at the same time takes this along. (Behind what was lost comes
  // nothing but the last word, and the tail arrives sooner.)
  const bool together =
      !side.flight.empty() && !side.lost && side.last_arrival == at && at > world().now();
  if (together) frames_.at(side.flight.tail).next_too = true;
  side.last_arrival = at;
  frames_.at(index).at = at;
  frames_.append(side.flight, index);
  if (side.entered == FramePool::kNone) side.entered = side.flight.tail;
  if (!together) schedule(at, to, kArrive, ref);
}

bool SimHosts::has_arrived(const SimLink::Side& side) {
  return side.entered != FramePool::kNone && frames_.at(side.entered).at <= world().now();
}

void SimHosts::on_arrive(SimLinkRef ref) {
  SimLink::Side* side = find(ref);
  bool more = side != nullptr && !side->stopped && has_arrived(*side);
  for (bool first = true; more && side != nullptr; first = false) {
    if (!passes(*side)) {
      side->stopped = true;
      side->held_since = world().now();
      return schedule(net_.retry_at(side->node, side->peer_node), side->node, kRetry, ref);
    }
    const Frame& frame = frames_.at(side->entered);
    more = frame.next_too;
    if (more) __builtin_prefetch(&frames_.at(frame.next));
    enter_downlink(ref, *side, first);
    side = find(ref);
  }
}

bool SimHosts::passes(const SimLink::Side& side) {
  return !side.cut && net_.passes(side.node, side.peer_node);
}

bool SimHosts::answers(SimLinkRef ref, const SimLink::Side& side) {
  // A machine that is back knows nothing of a connection from before, and says so.
  return !side.cut && other(ref).host != nullptr && net_.answers(side.node, side.peer_node);
}

void SimHosts::retry(SimLinkRef ref) {
  SimLink::Side* side = find(ref);
  if (side == nullptr || !side->stopped) return;
  if (passes(*side)) {
    side->stopped = false;
    while (side != nullptr && !side->stopped && has_arrived(*side)) {
      on_arrive(ref);
      side = find(ref);
    }
  } else if (world().now() - side->held_since >= net_.options().pipe_timeout) {
    give_up(ref, *side, "connection timed out");
  } else {
    schedule(net_.retry_at(side->node, side->peer_node), side->node, kRetry, ref);
  }
}

void SimHosts::give_up(SimLinkRef ref, SimLink::Side& side, const char* why) {
  side.stopped = false;
  frames_.clear(side.flight);
  side.entered = FramePool::kNone;
  if (side.host != nullptr)
    side.host->lose(ref, fail(Errc::timeout, why));
  else
    erase_if_over(ref.link);
}

void SimHosts::on_unheard(SimLinkRef ref) {
  SimLink::Side* side = find(ref);
  if (side == nullptr) return;
  side->unheard = false;
  if (!net_.reaches(side->peer_node, side->node)) give_up(ref, *side, "connection timed out");
}

// What arrives together is one segment, unless it is bulk.
void SimHosts::enter_downlink(SimLinkRef ref, SimLink::Side& side, bool first) {
  const Frame& frame = frames_.at(side.entered);
  const NodeIndex to = side.peer_node;
  side.entered = frame.next;
  // It arrives, and its acknowledgement does not come back.
  if (net_.one_sided() && !side.unheard && !net_.reaches(to, side.node)) {
    side.unheard = true;
    schedule(world().now() + net_.options().pipe_timeout, side.node, kUnheard, ref);
  }
  const bool segment = first || frame.payload == kSliceMax;
  const Mono through = net_.pass_downlink(side.node, to, frame.bytes, segment);
  if (through <= world().now()) return deliver(ref);
  schedule(through, to, kDeliver, ref);
}

void SimHosts::deliver(SimLinkRef ref) {
  SimLink* const* link = links_.find(ref.link);
  if (link == nullptr) return;
  SimLink::Side* from = &(*link)->sides[ref.side];
  if (from->flight.head == from->entered) return;  // lost
  const std::uint32_t index = frames_.detach(from->flight);
  Frame& frame = frames_.at(index);
  const SimLinkRef target{ref.link, 1 - ref.side};
  SimLink::Side& to = (*link)->sides[target.side];
  net_.count_received(to.node, frame.bytes);
  to.bytes_in += frame.bytes;
  world().mix(std::uint64_t{frame.bytes} << 32 | frame.stream);
  if (!frame.data.empty()) world().mix(digest(frame.data));
  // The listener's side appears with the first hop, if there is somebody.
  const bool first_hop = frame.kind == FrameKind::hop && frame.hop == 1 && ref.side == 0;
  SimHost* host = to.host;
  if (first_hop && to.node < hosts_.size()) host = hosts_[to.node];
  if (host != nullptr) {
    const bool lives_on = from->host != nullptr;  // else what ends it looks whether it is over
    host->on_frame(target, to, frame);
    frames_.give_back(index);
    if (lives_on) return;
    return erase_if_over(ref.link);
  }
  if (frame.kind != FrameKind::bye && frame.kind != FrameKind::refused && !to.bye_sent) {
    to.bye_sent = true;
    Frame answer;
    answer.kind = first_hop ? FrameKind::refused : FrameKind::bye;
    push(target, std::move(answer));
  }
  frames_.give_back(index);
  erase_if_over(ref.link);
}

std::uint64_t SimHosts::digest(const Bytes& data) {
  const auto place = reinterpret_cast<std::uintptr_t>(data.data());
  Digest& known = digests_[(place >> 4 ^ place >> 12) % digests_.size()];
  if (known.data.data() != data.data() || known.data.size() != data.size()) {
    known.data = data;
    known.value = XXH3_64bits(data.data(), data.size());
  }
  return known.value;
}

Bytes SimHosts::name(std::string_view id) {
  const auto found = names_.find(id);
  if (found != names_.end()) return found->second;
  return names_.emplace(std::string(id), Bytes::copy(id)).first->second;
}

host::ProtocolList SimHosts::protocols(host::ProtocolList list) {
  for (const host::ProtocolList& known : lists_)
    if (known == list) return known;
  if (lists_.size() >= kSharedListsMax) lists_.clear();
  lists_.push_back(list);
  return list;
}

void SimHosts::end_side(SimLinkRef ref, bool tell) {
  SimLink::Side& side = *find(ref);
  if (ref.side == 0 && side.host != nullptr) net_.close_mapping(side.node, side.local, side.remote);
  side.host = nullptr;
  frames_.clear(side.urgent);
  side.ready = {};
  side.numbers.clear();
  if (tell && !side.bye_sent) {
    side.bye_sent = true;
    Frame bye;
    bye.kind = FrameKind::bye;
    push(ref, std::move(bye));
  }
  erase_if_over(ref.link);
}

void SimHosts::erase_if_over(host::LinkSlot slot) {
  auto* link = links_.find(slot);
  if (link == nullptr) return;
  for (SimLink::Side& side : (*link)->sides)
    if (side.host != nullptr || !side.flight.empty() || !side.urgent.empty()) return;
  pool_.give_back(*link);
  links_.erase(slot);
}

void SimHosts::on_cut(std::optional<NodeIndex> node) {
  if (node) {
    if (*node >= hosts_.size() || hosts_[*node] == nullptr) return;
    const bool powered = net_.powered(*node);
    for (SimLinkRef ref : hosts_[*node]->links()) {
      if (powered) watch_for_silence(ref);
      ref.side = 1 - ref.side;
      watch_for_silence(ref);
    }
    return;
  }
  links_.for_each([&](host::LinkSlot slot, SimLink*) {
    watch_for_silence({slot, 0});
    watch_for_silence({slot, 1});
  });
}

// Both sides hear of it by what they send next, or by their keep-alives.
void SimHosts::on_moved(NodeIndex node) {
  if (node < hosts_.size() && hosts_[node] != nullptr) hosts_[node]->on_moved();
  links_.for_each([&](host::LinkSlot slot, SimLink* link) {
    if (link->sides[0].node != node && link->sides[1].node != node) return;
    for (SimLink::Side& side : link->sides) side.cut = true;
    watch_for_silence({slot, 0});
    watch_for_silence({slot, 1});
  });
}

// An idle connection over a cut is noticed by its keep-alive, which is not simulated ping by ping:
// two intervals after the cut, if it lasts so long.
void SimHosts::watch_for_silence(SimLinkRef ref) {
  SimLink::Side& side = *find(ref);
  if (side.host == nullptr || side.silence_scheduled || answers(ref, side)) return;
  side.silence_scheduled = true;
  const Mono at = world().now() + 2 * host::HostLimits{}.keepalive_interval;
  schedule(at, side.node, kSilence, ref);
}

void SimHosts::on_silence(SimLinkRef ref) {
  SimLink::Side* side = find(ref);
  if (side == nullptr) return;
  side->silence_scheduled = false;
  if (side->host != nullptr && !answers(ref, *side))
    side->host->lose(ref, fail(Errc::timeout, "the peer does not answer"));
}

SimLinkRef SimHosts::ref_of(const Event& event) {
  return {unpack<host::LinkSlot>(event.data), event.kind & 1u};
}

void SimHosts::on_event(const Event& event) {
  const SimLinkRef ref = ref_of(event);
  const auto kind = static_cast<Kind>(event.kind >> 1);
  // A program that stands still neither sends nor takes nor looks at its clock.
  const bool programs =
      kind == kPump || kind == kDeliver || kind == kSilence || kind == kDeadline || kind == kLocal;
  if (const Mono awake = net_.awake(event.node); programs && awake > world().now())
    return schedule(awake, event.node, kind, ref);
  switch (kind) {
    case kPump:
      if (SimLink::Side* side = find(ref)) side->pump_scheduled = false;
      return pump(ref);
    case kArrive:
      return on_arrive(ref);
    case kDeliver:
      return deliver(ref);
    case kRetry:
      return retry(ref);
    case kLost:
      if (SimLink::Side* side = find(ref); side != nullptr && side->host != nullptr)
        give_up(ref, *side, "too many packets were lost");
      return;
    case kUnheard:
      return on_unheard(ref);
    case kSilence:
      return on_silence(ref);
    case kDeadline:
      if (SimLink::Side* side = find(ref); side != nullptr && side->host != nullptr)
        side->host->on_deadline(ref);
      return;
    case kLocal:
      if (hosts_[event.node] != nullptr) hosts_[event.node]->on_local();
      return;
  }
}

// The way of a frame from its event to the protocol: its connection, both sides, the frame and the
// host, the stream.
void SimHosts::prefetch(const Event& event, unsigned stage) {
  if (static_cast<Kind>(event.kind >> 1) != kArrive) return;
  const SimLinkRef ref = ref_of(event);
  if (stage == 0) {
    links_.prefetch(ref.link);
    return prefetch_lines(net_.place_of(event.node), 2);
  }
  const SimLink::Side* from = find(ref);
  if (from == nullptr) return;
  const SimLink::Side& to = other(ref);
  if (stage == 1) {
    prefetch_lines(from, 2);
    return prefetch_lines(&to, 4);
  }
  if (from->flight.empty() || to.host == nullptr) return;
  const Frame& frame = frames_.at(from->flight.head);
  if (stage == 2) {
    __builtin_prefetch(&frame);
    return to.host->prefetch();
  }
  to.host->prefetch(to.numbers.find(frame.stream));
}

}  // namespace kith::simnet
