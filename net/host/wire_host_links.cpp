// WireHost's links: from the transport's calls to the machines, and back to the pipes.
#include <algorithm>

#include "net/host/wire_host.hpp"

namespace kith::host {
namespace {

// Two full frames, each one Noise message: what a write gathers at most.
constexpr std::size_t kWriteBytes = 2 * wire::kYamuxFrameMax;

}  // namespace

Link* WireHost::find_link(LinkSlot slot) const {
  const auto* found = links_.find(slot);
  return found == nullptr ? nullptr : found->get();
}

Link* WireHost::link_on(PipeSlot pipe) {
  if (pipe.index >= by_pipe_.size()) return nullptr;
  Link* link = find_link(by_pipe_[pipe.index]);
  return link == nullptr || link->pipe != pipe ? nullptr : link;
}

Link& WireHost::add_link(PipeSlot pipe, Admission::Ticket ticket, const Multiaddr& remote) {
  const LinkSlot slot = links_.insert(std::make_unique<Link>(static_cast<LinkAlarmSink&>(*this)));
  Link& link = *links_.at(slot);
  link.slot = slot;
  link.pipe = pipe;
  link.ticket = std::move(ticket);
  link.remote = remote;
  link.dialler = !link.ticket.inbound;
  if (pipe.index >= by_pipe_.size()) by_pipe_.resize(pipe.index + 1);
  by_pipe_[pipe.index] = slot;
  return link;
}

// The pipe is gone for good: the last that is heard of it.
void WireHost::erase_link(Link& link) {
  loop_.arm(link, kNever);
  admission_.leave(link.ticket);
  // The transport may have given the index to a pipe that we dialled meanwhile.
  if (LinkSlot& mine = by_pipe_[link.pipe.index]; mine == link.slot) mine = {};
  links_.erase(link.slot);
  update_door();
}

void WireHost::update_door() {
  const bool open = admission_.door_open() && !stopped_;
  if (std::exchange(door_open_, open) != open) transport_.accept_paused(!open);
}

// --- TransportSink

void WireHost::on_accept(Now now, PipeSlot pipe, const Multiaddr&, const Multiaddr& remote) {
  auto ticket = stopped_ ? std::nullopt : admission_.inbound(remote);
  if (!ticket) {
    log_.debug("host.refused", "no room for " + remote.text());
    return transport_.abort(pipe);
  }
  Link& link = add_link(pipe, std::move(*ticket), remote);
  update_door();
  start_connection(now, link);
}

void WireHost::on_dialed(Now now, PipeSlot pipe, const Multiaddr&, const Multiaddr&) {
  if (Link* link = link_on(pipe); link != nullptr && !link->closing) start_connection(now, *link);
}

void WireHost::on_dial_failed(Now now, PipeSlot pipe, Error error) {
  Link* link = link_on(pipe);
  if (link == nullptr) return;
  if (!link->closing) lose(now, *link, error);
  erase_link(*link);
  deliver(now);
}

void WireHost::on_data(Now now, PipeSlot pipe, Bytes data) {
  Link* link = link_on(pipe);
  if (link == nullptr || link->closing || !link->connection) return;
  link->bytes_in += data.size();
  effects_.clear();
  link->connection->on_bytes(now, std::move(data), effects_);
  apply(now, *link, effects_);
  effects_.clear();  // it may hold what was received
  deliver(now);
}

void WireHost::on_writable(Now now, PipeSlot pipe) {
  Link* link = link_on(pipe);
  if (link == nullptr || link->closing || !link->connection) return;
  link->connection->watch_backlog(now, transport_.backlog(pipe));
  link->touch(turn_);
  schedule();
}

// A half-open pipe has no use: the layers above have their own ends.
void WireHost::on_end(Now now, PipeSlot pipe) {
  Link* link = link_on(pipe);
  if (link == nullptr || link->closing) return;
  lose(now, *link, fail(Errc::closed, "the peer ended the connection"));
  deliver(now);
}

void WireHost::on_closed(Now now, PipeSlot pipe, Error error) {
  Link* link = link_on(pipe);
  if (link == nullptr) return;
  if (!link->closing) lose(now, *link, error);
  erase_link(*link);
  deliver(now);
}

// --- one link

void WireHost::start_connection(Now now, Link& link) {
  std::optional<PeerId> expected;
  if (!link.expected.empty()) expected = link.expected;
  link.connection = std::make_unique<Connection>(now, link.dialler, noise_, config_.limits, rng_,
                                                 std::move(expected));
  link.touch(turn_);
  schedule();
  arm(now, link);
}

void WireHost::apply(Now now, Link& link, ConnectionEffects& effects) {
  if (effects.opened) on_opened(now, link);
  for (wire::YamuxEffect& effect : effects.streams) {
    if (link.closing) return;
    if (std::holds_alternative<wire::YamuxWentAway>(effect)) {
      link.away = true;
      link.away_deadline = later(now.mono, config_.limits.close_linger);
    } else {
      streams_.on_effect(now, link, effect);
    }
  }
  if (link.closing) return;
  if (effects.failed) return lose(now, link, *effects.failed);
  if (link.connection->has_output()) link.touch(turn_);
  arm(now, link);
}

void WireHost::on_opened(Now now, Link& link) {
  const PeerId& id = link.connection->remote();
  admission_.authenticated(link.ticket);
  update_door();
  if (id == self()) return lose(now, link, fail(Errc::refused, "this is our own address"));
  if (peers_.on_secured(now, link, id) == nullptr)
    return lose(now, link, fail(Errc::refused, "too many connections to this peer"));
  DialEffects effects;
  dialer_.on_secured(now, link.attempt, effects);
  apply(now, effects);
  link.identify_deadline = later(now.mono, config_.limits.identify_deadline);
  identify_.on_link_opened(link.slot);
}

// Whatever the reason: what depends on the link hears of it now; the pipe is gone when the
// transport says so, and until then counts.
void WireHost::lose(Now now, Link& link, const Error& error) {
  if (std::exchange(link.closing, true)) return;
  log_lost(link, error);
  loop_.arm(link, kNever);
  link.armed = kNever;
  if (link.connection && link.connection->remote().empty()) {
    transport_.abort(link.pipe);
  } else if (link.connection) {
    // What explains the end is in front of what is queued.
    ConnectionEffects dropped;
    const Bytes last = link.connection->pull(now, kWriteBytes, dropped);
    if (!last.empty()) transport_.write(link.pipe, last);
    link.bytes_out += last.size();
    transport_.close(link.pipe);
  } else {
    transport_.abort(link.pipe);
  }
  streams_.on_link_lost(link, error);
  const PeerId id = link.connection ? link.connection->remote() : PeerId();
  if (peers_.on_link_lost(link)) store_.unpin(now, id, config_.limits.connected_lifetime);
  link.connection.reset();
  DialEffects effects;
  dialer_.on_failed(now, std::exchange(link.attempt, {}), error, effects);
  apply(now, effects);
  schedule();
}

void WireHost::log_lost(const Link& link, const Error& error) {
  if (!log_.enabled(Level::debug)) return;
  std::string text = link.remote.text() + ": " + error.what;
  if (!error.why.empty()) text += " (" + error.why + ")";
  log_.debug("host.lost", std::move(text));
}

void WireHost::flush(Now now, Link& link) {
  ConnectionEffects effects;
  std::size_t written = 0;
  while (link.connection->has_output() && transport_.backlog(link.pipe) <= kPipeBacklogLow) {
    if (written >= config_.limits.flush_bytes_max) {
      link.touch(turn_);
      break;
    }
    Bytes next = link.connection->pull(now, kWriteBytes, effects);
    if (next.empty()) break;
    written += next.size();
    link.bytes_out += next.size();
    transport_.write(link.pipe, std::move(next));
  }
  link.connection->watch_backlog(now, transport_.backlog(link.pipe));
  if (link.connection->is_open()) streams_.on_flushed(link);
  for (wire::YamuxEffect& effect : effects.streams) streams_.on_effect(now, link, effect);
  if (effects.failed) return lose(now, link, *effects.failed);
  arm(now, link);
}

// Deadlines mostly move away: an alarm that comes early looks again.
void WireHost::arm(Now, Link& link) {
  Mono next =
      std::min({link.connection->next_deadline(), link.identify_deadline, link.away_deadline});
  if (!link.negotiations.empty()) next = std::min(next, link.negotiations.front().first);
  if (next >= link.armed) return;
  link.armed = next;
  loop_.arm(link, next);
}

void WireHost::on_link_alarm(Now now, Link& link) {
  if (link.closing || !link.connection) return;
  if (link.identify_deadline <= now.mono) {
    lose(now, link, fail(Errc::timeout, "identify took too long"));
  } else if (link.away_deadline <= now.mono) {
    lose(now, link, fail(Errc::closed, "the peer went away"));
  } else {
    streams_.on_tick(now, link);
    ConnectionEffects effects;
    link.connection->on_tick(now, transport_.backlog(link.pipe), effects);
    apply(now, link, effects);
  }
  deliver(now);
}

}  // namespace kith::host
