// SimNet: bytes on their way, and how a pipe ends.
#include <xxhash.h>

#include <algorithm>

#include "net/base/check.hpp"
#include "simnet/sim_net.hpp"

namespace kith::simnet {

PipeEnd* SimNet::usable(NodeIndex node, PipeSlot pipe) {
  PipeEnd* end = ends_.find(pipe);
  if (end == nullptr || end->node != node) return nullptr;
  return end->state == PipeEnd::State::dialing || end->state == PipeEnd::State::open ? end
                                                                                     : nullptr;
}

void SimNet::write(NodeIndex node, PipeSlot pipe, Bytes data) {
  PipeEnd* end = usable(node, pipe);
  if (end == nullptr || end->close_asked || data.empty()) return;
  end->backlog += data.size();
  end->queue.push(std::move(data));
  if (end->backlog > host::kPipeBacklogLow) end->above_low = true;
  mark_dirty(pipe, *end);
}

std::size_t SimNet::backlog(NodeIndex node, PipeSlot pipe) const {
  const PipeEnd* end = const_cast<SimNet*>(this)->usable(node, pipe);
  return end == nullptr ? 0 : end->backlog;
}

void SimNet::mark_dirty(PipeSlot pipe, PipeEnd& end) {
  if (end.dirty || end.state != PipeEnd::State::open) return;
  end.dirty = true;
  dirty_.push_back(pipe);
  world_.call_at_end(handler_);
}

void SimNet::on_event_end() {
  // Writes of one event leave together. Nothing in here calls a sink.
  for (const PipeSlot pipe : dirty_) {
    if (PipeEnd* end = ends_.find(pipe)) end->dirty = false;
    pump(pipe);
  }
  dirty_.clear();
}

void SimNet::pump(PipeSlot pipe) {
  PipeEnd* end = ends_.find(pipe);
  if (end == nullptr || end->state != PipeEnd::State::open) return;
  end->absorb_credits(world_.now());
  while (send_segment(pipe, *end)) {
  }
  if (end->above_low && end->backlog <= host::kPipeBacklogLow) {
    end->above_low = false;
    schedule(world_.now(), end->node, kWritable, pipe);
  }
}

bool SimNet::send_segment(PipeSlot pipe, PipeEnd& end) {
  const bool fin = end.backlog == 0 && end.close_asked && !end.fin_sent;
  if (end.state != PipeEnd::State::open || (end.backlog == 0 && !fin)) return false;
  if (end.uplink_until > world_.now()) {
    // One segment at a time in the uplink: the node's other pipes get their turn.
    if (!end.pump_scheduled) schedule(end.uplink_until, end.node, kPump, pipe);
    end.pump_scheduled = true;
    return false;
  }
  if (fin) {
    end.fin_sent = true;
    depart(pipe, end, Segment{{}, true});
    finish_if_ended(pipe, end);
    return false;
  }
  std::size_t room = 0;
  if (!has_window(pipe, end, room)) return false;
  Node& node = nodes_[end.node];
  std::size_t size = std::min({end.backlog, node.link.segment_max, room});
  if (strikes(node, node.link.cut_ppm)) size = 1 + node.draws.below(size);
  if (draw_reset(end.node)) {
    break_end(pipe, fail(Errc::connection, "connection reset"), true);
    return false;
  }
  depart(pipe, end, Segment{end.take(size), false});
  return true;
}

// Waits for a 64th of a window, or all that there is to send, rather than to send crumbs. What is
// waited for stays unused: an eighth cost as much of the throughput, where TCP's segments cost
// none.
bool SimNet::has_window(PipeSlot pipe, PipeEnd& end, std::size_t& room) {
  const std::size_t window = nodes_[end.peer_node].link.receive_window;
  room = window > end.unacknowledged ? window - end.unacknowledged : 0;
  const std::size_t wanted =
      std::min({end.backlog, nodes_[end.node].link.segment_max, (window + 63) / 64});
  if (room >= wanted) return true;
  if (end.credits.empty()) {
    end.starved = true;
  } else if (!end.pump_scheduled) {
    schedule(end.credits.front().at, end.node, kPump, pipe);
    end.pump_scheduled = true;
  }
  return false;
}

void SimNet::depart(PipeSlot pipe, PipeEnd& end, Segment segment) {
  const std::size_t size = segment.data.size();
  const Loss loss = draw_loss(end.node, end.peer_node, size);
  end.uplink_until = leave_uplink(end.node, size);
  end.unacknowledged += size;
  const Duration latency = draw_latency(end.node, end.peer_node);
  end.last_arrival = std::max(end.uplink_until + latency + loss.delay, end.last_arrival);
  end.uplink_until = std::max(end.uplink_until, world_.now() + loss.pace);
  // It never arrives, nor does what is sent behind it.
  if (loss.fatal) return schedule(end.last_arrival, end.node, kLost, pipe);
  end.flight.push(std::move(segment));
  schedule(end.last_arrival, end.peer_node, kArrive, pipe);
}

void SimNet::on_arrive(PipeSlot sender) {
  PipeEnd* end = ends_.find(sender);
  if (end == nullptr || end->flight.size() == end->arrived + end->held) return;  // lost
  if (end->held != 0) {
    ++end->held;
  } else if (passes(end->node, end->peer_node) && !end->cut) {
    enter_downlink(sender, *end);
  } else {
    end->held = 1;
    end->held_since = world_.now();
    schedule(retry_at(end->node, end->peer_node), end->node, kRetry, sender);
  }
}

void SimNet::retry(PipeSlot sender) {
  PipeEnd* end = ends_.find(sender);
  if (end == nullptr) return;
  if (passes(end->node, end->peer_node) && !end->cut) {
    for (std::size_t held = std::exchange(end->held, 0); held > 0; --held) {
      enter_downlink(sender, *end);
      end = ends_.find(sender);
      if (end == nullptr) return;
    }
  } else if (world_.now() - end->held_since >= options_.pipe_timeout) {
    break_end(sender, fail(Errc::timeout, "connection timed out"), false);
  } else {
    schedule(retry_at(end->node, end->peer_node), end->node, kRetry, sender);
  }
}

void SimNet::enter_downlink(PipeSlot sender, PipeEnd& end) {
  // It arrives, and its acknowledgement does not come back.
  if (one_sided_ && !end.unheard && !reaches(end.peer_node, end.node)) {
    end.unheard = true;
    schedule(world_.now() + options_.pipe_timeout, end.node, kUnheard, sender);
  }
  const std::size_t size = end.flight[end.arrived++].data.size();
  const Mono through = pass_downlink(end.node, end.peer_node, size);
  if (through <= world_.now()) return deliver(sender);
  schedule(through, end.peer_node, kDeliver, sender);
}

void SimNet::on_unheard(PipeSlot sender) {
  PipeEnd* end = ends_.find(sender);
  if (end == nullptr || !std::exchange(end->unheard, false)) return;
  if (!reaches(end->peer_node, end->node))
    break_end(sender, fail(Errc::timeout, "connection timed out"), false);
}

void SimNet::deliver(PipeSlot sender) {
  PipeEnd* from = ends_.find(sender);
  if (from == nullptr || from->arrived == 0) return;  // lost
  const Segment segment = from->flight.pop();
  --from->arrived;
  const PipeSlot target = from->peer;
  const NodeIndex target_node = from->peer_node;
  if (from->told && from->flight.empty()) ends_.erase(sender);
  PipeEnd* to = ends_.find(target);
  if (to == nullptr || to->state == PipeEnd::State::gone) {
    from = ends_.find(sender);
    if (from != nullptr && !from->cut) send_reset(target_node, from->node, sender);
    return;
  }
  count_received(target_node, segment.data.size());
  world_.mix(XXH3_64bits(segment.data.data(), segment.data.size()));
  if (segment.fin)
    take_end(target, *to);
  else
    take_in(target, *to, segment.data);
}

void SimNet::take_in(PipeSlot pipe, PipeEnd& end, Bytes data) {
  if (end.reads_paused || end.state != PipeEnd::State::open || !end.unread.empty()) {
    end.unread.push(std::move(data));
    return;
  }
  grant(pipe, end, data.size());
  nodes_[end.node].sink->on_data(now_of(end.node), pipe, std::move(data));
}

void SimNet::take_end(PipeSlot pipe, PipeEnd& end) {
  end.end_arrived = true;
  const bool hold = end.reads_paused || end.state != PipeEnd::State::open || !end.unread.empty();
  if (hold || end.end_told) return;
  end.end_told = true;
  nodes_[end.node].sink->on_end(now_of(end.node), pipe);
  if (PipeEnd* still = ends_.find(pipe)) finish_if_ended(pipe, *still);
}

void SimNet::read_paused(NodeIndex node, PipeSlot pipe, bool paused) {
  PipeEnd* end = usable(node, pipe);
  if (end == nullptr) return;
  end->reads_paused = paused;
  if (!paused) schedule_drain(pipe, *end);
}

void SimNet::schedule_drain(PipeSlot pipe, PipeEnd& end) {
  const bool something = !end.unread.empty() || (end.end_arrived && !end.end_told);
  if (!something || end.drain_scheduled) return;
  end.drain_scheduled = true;
  schedule(world_.now(), end.node, kDrain, pipe);
}

void SimNet::drain(PipeSlot pipe) {
  PipeEnd* end = ends_.find(pipe);
  if (end == nullptr) return;
  end->drain_scheduled = false;
  while (end->state == PipeEnd::State::open && !end->reads_paused && !end->unread.empty()) {
    Bytes data = end->unread.pop();
    grant(pipe, *end, data.size());
    nodes_[end->node].sink->on_data(now_of(end->node), pipe, std::move(data));
    end = ends_.find(pipe);
    if (end == nullptr) return;
  }
  if (end->end_arrived && end->state == PipeEnd::State::open) take_end(pipe, *end);
}

void SimNet::grant(PipeSlot pipe, PipeEnd& reader, std::size_t bytes) {
  PipeEnd* sender = ends_.find(reader.peer);
  if (sender == nullptr || sender->state == PipeEnd::State::gone || reader.cut) return;
  if (one_sided_ && !reaches(reader.node, sender->node)) {
    if (reader.ungranted == 0)
      schedule(world_.now() + options_.retransmit, reader.node, kGrant, pipe);
    reader.ungranted += bytes;
    return;
  }
  bytes += std::exchange(reader.ungranted, 0);
  const Mono at = world_.now() + latency(reader.node, sender->node);
  sender->credits.push({at, bytes});
  if (!sender->starved) return;
  sender->starved = false;
  if (!sender->pump_scheduled) schedule(at, sender->node, kPump, reader.peer);
  sender->pump_scheduled = true;
}

void SimNet::close(NodeIndex node, PipeSlot pipe) {
  PipeEnd* end = usable(node, pipe);
  if (end == nullptr || end->close_asked) return;
  end->close_asked = true;
  schedule(world_.now() + host::kPipeLingerMax, node, kLinger, pipe);
  mark_dirty(pipe, *end);
}

void SimNet::abort(NodeIndex node, PipeSlot pipe) {
  if (usable(node, pipe) != nullptr) break_end(pipe, fail(Errc::cancelled, "aborted by us"), true);
}

void SimNet::finish_if_ended(PipeSlot pipe, PipeEnd& end) {
  if (!end.fin_sent || !end.end_told || end.state != PipeEnd::State::open) return;
  // Stays until what is under way from it has arrived.
  unmap(end);
  end.state = PipeEnd::State::gone;
  end.why = fail(Errc::closed, "both sides ended it");
  schedule(world_.now(), end.node, kGone, pipe);
}

void SimNet::break_end(PipeSlot pipe, Error why, bool tell_peer) {
  PipeEnd* end = ends_.find(pipe);
  if (end == nullptr) return;
  if (end->state == PipeEnd::State::gone) {
    if (end->told) ends_.erase(pipe);
    return;
  }
  unmap(*end);
  if (tell_peer && end->peer && !end->cut) send_reset(end->node, end->peer_node, end->peer);
  if (end->state == PipeEnd::State::waiting) {
    ends_.erase(pipe);
    return;
  }
  PipeEnd last;
  last.node = end->node;
  last.state = PipeEnd::State::gone;
  last.dial_failed = end->state == PipeEnd::State::dialing;
  last.why = std::move(why);
  *end = std::move(last);
  schedule(world_.now(), end->node, kGone, pipe);
}

void SimNet::unmap(PipeEnd& end) {
  if (std::exchange(end.mapped, false)) close_mapping(end.node, end.local, end.remote);
}

void SimNet::on_gone(PipeSlot pipe) {
  PipeEnd* end = ends_.find(pipe);
  if (end == nullptr) return;
  const NodeIndex node = end->node;
  const bool dial_failed = end->dial_failed;
  const Error why = end->why;
  end->told = true;
  if (end->flight.empty()) ends_.erase(pipe);
  host::TransportSink* sink = nodes_[node].sink;
  if (sink == nullptr) return;
  if (dial_failed)
    sink->on_dial_failed(now_of(node), pipe, why);
  else
    sink->on_closed(now_of(node), pipe, why);
}

void SimNet::forget_ends(NodeIndex node, bool tell_peers) {
  ends_.for_each([&](PipeSlot pipe, PipeEnd& end) {
    if (end.node != node) return;
    unmap(end);
    if (tell_peers && end.peer && !end.cut && end.state != PipeEnd::State::gone)
      send_reset(node, end.peer_node, end.peer);
    ends_.erase(pipe);
  });
}

void SimNet::send_reset(NodeIndex from, NodeIndex to, PipeSlot target) {
  if (passes(from, to)) schedule(world_.now() + latency(from, to), to, kReset, target);
}

}  // namespace kith::simnet
