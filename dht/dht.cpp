#include "dht/dht.hpp"

#include <algorithm>

#include "net/base/check.hpp"

namespace kith::dht {

using libp2p::KadMessage;
using libp2p::KadType;

Dht::Dht(DhtConfig config, Rng rng, std::shared_ptr<PeerBook> book)
    : config_(std::move(config)),
      book_(book ? std::move(book) : std::make_shared<PeerBook>(rng.fork("dht.book"))),
      self_(book_->intern(config_.self)),
      rng_(rng.fork("dht")),
      mode_(config_.mode == ModeChoice::server ? Mode::server : Mode::client),
      table_(self_.key(), config_.lookup.replication),
      providers_(rng.fork("dht.providers")),
      values_(validators_, rng.fork("dht.values")),
      provided_(rng.fork("dht.provided")),
      bootstrap_(config_.self, config_.bootstrap, rng.fork("dht.bootstrap")),
      upkeep_(self_.key(), rng.fork("dht.upkeep")),
      server_(self_, {&table_, &providers_, &values_, &provided_, &connected_}) {}

void Dht::on_loaded(Now now, const StoredRecord& record, Effects& out) {
  if (const auto* provider = std::get_if<StoredProvider>(&record)) {
    providers_.load(now.wall, *provider, book_->intern(provider->provider), out);
    if (!provider->addrs.empty())
      out.push_back(LearnAddrs{provider->provider, provider->addrs, kProviderAddrsLifetime});
  } else if (const auto* value = std::get_if<StoredValue>(&record)) {
    values_.load(now.wall, *value, out);
  } else if (const auto* provided = std::get_if<StoredProvided>(&record)) {
    provided_.load(now.wall, *provided);
  } else if (const auto* neighbour = std::get_if<StoredNeighbour>(&record)) {
    const bool old = now.wall - neighbour->seen > kNeighbourLifetime;
    if (old || !bootstrap_.on_neighbour({neighbour->peer, neighbour->addrs}))
      out.push_back(Persist{neighbour_entry_key(neighbour->peer), std::nullopt});
  }
}

void Dht::on_started(Now now, Effects& out) {
  started_ = true;
  next_sweep_ = later(now.mono, kSweepInterval);
  next_probe_ = later(now.mono, kProbeInterval);
  out.push_back(SetServing{mode_ == Mode::server});
}

void Dht::set_mode(Mode mode, Effects& out) {
  if (config_.mode == ModeChoice::automatic) config_.mode = ModeChoice::server;  // chosen by hand
  if (mode == mode_) return;
  mode_ = mode;
  out.push_back(SetServing{mode_ == Mode::server});
}

void Dht::plant(Now now, const PeerId& id, NetworkGroup group) {
  table_.add(now.mono, book_->intern(id), group);
}

bool Dht::hopeful() const {
  if (!config_.bootstrap.empty() || bootstrap_.dialling()) return true;
  bool serves = false;
  ready_.for_each([&](host::PeerSlot, const Ready& peer) { serves = serves || peer.serves; });
  return serves;
}

std::optional<host::PeerSlot> Dht::slot_of(const PeerRef& peer) const {
  const auto found = connected_.find(peer.id());
  if (found == connected_.end()) return std::nullopt;
  return found->second.slot;
}

void Dht::on_peer_ready(Now now, host::PeerSlot slot, const ReadyPeer& peer, Effects& out) {
  if (peer.id == config_.self) return;
  const PeerRef ref = book_->intern(peer.id);
  ready_.set(slot, {ref, network_group(peer.remote), peer.serves, {}});
  connected_[peer.id] = {ref, slot};
  if (table_.contains(ref)) out.push_back(KeepAddrs{ref, kTableAddrsLifetime});
  bootstrap_.on_peer_ready(peer.id);
  if (config_.mode == ModeChoice::automatic && mode_ == Mode::client && !peer.outbound) {
    mode_ = Mode::server;
    out.push_back(SetServing{true});
  }
  // Whom we dialled to ask something proves itself by that answer.
  if (peer.serves && !asks_.awaits_answer(ref)) probe(now, ref, out);
  std::vector<QuerySlot> over;
  queries_.for_each([&](QuerySlot query, const Query& it) {
    if (it.goal == Goal::peer && it.wanted == ref) over.push_back(query);
  });
  for (const QuerySlot query : over) {
    Query& found = queries_.at(query);
    end(now, found, answer_of(found), out);
  }
  settle(now, out);
}

void Dht::on_peer_changed(Now now, host::PeerSlot slot, bool serves, Effects& out) {
  Ready* found = ready_.find(slot);
  if (found == nullptr || found->serves == serves) return;
  found->serves = serves;
  const PeerRef peer = found->peer;
  if (serves) {
    probe(now, peer, out);
  } else if (table_.remove(peer)) {
    out.push_back(Persist{neighbour_entry_key(peer.id()), std::nullopt});
    if (table_.size() == 0) upkeep_.on_empty();
  }
  settle(now, out);
}

void Dht::on_peer_gone(Now now, host::PeerSlot slot, Effects& out) {
  const Ready* found = ready_.find(slot);
  if (found == nullptr) return;
  const PeerId id = found->peer.id();
  if (table_.contains(found->peer)) out.push_back(KeepAddrs{found->peer, kTableAddrsLifetime});
  ready_.erase(slot);
  const auto named = connected_.find(id);
  if (named != connected_.end() && named->second.slot == slot) connected_.erase(named);
  bootstrap_.on_peer_gone(now, id);
}

void Dht::on_connected(Now now, RequestId request, const Result<host::PeerSlot>& peer,
                       Effects& out) {
  if (!asks_.on_connected(now, request, peer, out, outcomes_)) {
    const Ready* ready = peer ? ready_.find(*peer) : nullptr;
    const PeerId* reached = ready == nullptr ? nullptr : &ready->peer.id();
    bootstrap_.on_connected(now, request, reached);
  }
  settle(now, out);
}

// A peer that speaks the protocol is asked for what is near us: the answer proves that it serves,
// and tells us of neighbours.
void Dht::probe(Now now, const PeerRef& peer, Effects& out) {
  const auto slot = slot_of(peer);
  const bool known = table_.contains(peer);
  if (!known) {
    const Ready* ready = slot ? ready_.find(*slot) : nullptr;
    if (ready == nullptr || !table_.has_room(peer, ready->group)) return;
  }
  Ask ask;
  ask.purpose = Purpose::probe;
  ask.peer = peer;
  ask.key = config_.self.bytes();
  ask.message = libp2p::encode_kad({KadType::find_node, ask.key, {}, {}, {}});
  asks_.ask(now, std::move(ask), slot, {}, out, outcomes_);
}

void Dht::add_to_table(Now now, const PeerRef& peer, host::PeerSlot slot, Effects& out) {
  const Ready* ready = ready_.find(slot);
  if (ready == nullptr && !table_.contains(peer)) return;  // gone, and of unknown network
  const bool first = table_.size() == 0;
  const NetworkGroup group = ready == nullptr ? 0 : ready->group;
  PeerRef displaced;
  const RoutingTable::Added added = table_.add(now.mono, peer, group, &displaced);
  if (displaced) out.push_back(Persist{neighbour_entry_key(displaced.id()), std::nullopt});
  if (added == RoutingTable::Added::added || added == RoutingTable::Added::replaced)
    out.push_back(KeepAddrs{peer, kTableAddrsLifetime});
  if (table_.remember(now.mono, peer)) out.push_back(PersistNeighbour{peer, now.wall});
  if (!first || added != RoutingTable::Added::added) return;
  upkeep_.on_first_peer(now.mono);
  provided_.on_network(now.wall);
  start_waiting(now, out);
}

void Dht::note_failure(Now now, const PeerRef& peer, Effects& out) {
  if (!table_.on_failed(now.mono, peer)) return;
  out.push_back(Persist{neighbour_entry_key(peer.id()), std::nullopt});
  if (table_.size() == 0) upkeep_.on_empty();
}

void Dht::settle(Now now, Effects& out) {
  while (!outcomes_.empty()) {
    Outcomes batch;
    batch.swap(outcomes_);
    for (Outcome& outcome : batch) on_outcome(now, std::move(outcome), out);
  }
}

void Dht::on_outcome(Now now, Outcome outcome, Effects& out) {
  using Kind = Outcome::Kind;
  const PeerRef peer = outcome.ask.peer;
  if (outcome.kind == Kind::answered) add_to_table(now, peer, outcome.slot, out);
  if (outcome.kind == Kind::failed && outcome.error.code != Errc::exhausted)
    note_failure(now, peer, out);
  Query* query = queries_.find(outcome.ask.query);
  if (query == nullptr) return;  // it has ended, or it was a probe or a correction
  if (outcome.ask.purpose == Purpose::publish) {
    if (outcome.kind == Kind::late || outcome.kind == Kind::overdue) return;
    const bool echoed = outcome.kind == Kind::answered && outcome.answer.record &&
                        outcome.answer.record->value == query->value;
    on_published(now, *query, echoed || outcome.kind == Kind::delivered, out);
    return;
  }
  if (query->publishing) return;  // a late answer to a search that is over
  if (outcome.ask.purpose == Purpose::look) {
    if (outcome.kind == Kind::answered)
      query->lookup.on_look(peer, heard_from(outcome.answer.closer));
    else
      query->lookup.on_look_failed(peer);
    return advance(now, *query, out);
  }
  on_search_outcome(now, *query, outcome, out);
}

void Dht::on_search_outcome(Now now, Query& query, Outcome& outcome, Effects& out) {
  const PeerRef& peer = outcome.ask.peer;
  const std::uint8_t attempt = outcome.ask.attempt;
  switch (outcome.kind) {
    case Outcome::Kind::answered:
      return on_answer(now, query, outcome, out);
    case Outcome::Kind::connected:
      return end(now, query, answer_of(query), out);
    case Outcome::Kind::late:
      query.lookup.on_late(peer, attempt);
      break;
    case Outcome::Kind::overdue:
      query.lookup.on_overdue(peer, attempt);
      break;
    case Outcome::Kind::failed:
    case Outcome::Kind::delivered:
      query.lookup.on_failed(peer, attempt);
      report(query, {}, out);
      break;
  }
  advance(now, query, out);
}

void Dht::on_stream(Now now, host::StreamSlot stream, host::PeerSlot peer, Effects& out) {
  if (mode_ == Mode::server) {
    inbound_.set(stream, {peer, now.mono});
  } else {
    out.push_back(ResetStream{stream});
  }
}

void Dht::on_opened(Now now, host::StreamSlot stream, Effects& out) {
  asks_.on_opened(now, stream, out, outcomes_);
  settle(now, out);
}

void Dht::on_message(Now now, host::StreamSlot stream, const Bytes& message, Effects& out) {
  if (Inbound* found = inbound_.find(stream))
    serve(now, stream, *found, message, out);
  else
    asks_.on_message(now, stream, message, out, outcomes_);
  settle(now, out);
}

void Dht::serve(Now now, host::StreamSlot stream, Inbound& inbound, const Bytes& message,
                Effects& out) {
  inbound.heard = now.mono;
  Ready* from = ready_.find(inbound.peer);
  const bool may = mode_ == Mode::server && from != nullptr && from->rate.take(now.mono);
  if (may) {
    const Result<KadMessage> request = libp2p::decode_kad(message);
    if (request && server_.on_request(now, stream, {from->peer, from->group}, *request, out))
      return;
  }
  inbound_.erase(stream);
  out.push_back(ResetStream{stream});
}

void Dht::on_ended(Now now, host::StreamSlot stream, Effects& out) {
  if (inbound_.contains(stream)) {
    out.push_back(CloseStream{stream});
  } else {
    asks_.on_ended(now, stream, out);
  }
}

void Dht::on_closed(Now now, host::StreamSlot stream, const Error* error, Effects& out) {
  if (!inbound_.erase(stream)) asks_.on_closed(now, stream, error, out, outcomes_);
  settle(now, out);
}

void Dht::close_silent(Now now, Effects& out) {
  std::vector<host::StreamSlot> silent;
  inbound_.for_each([&](host::StreamSlot stream, const Inbound& inbound) {
    if (now.mono - inbound.heard >= kInboundIdle) silent.push_back(stream);
  });
  for (const host::StreamSlot stream : silent) {
    out.push_back(ResetStream{stream});
    inbound_.erase(stream);
  }
}

void Dht::keep_up(Now now, Effects& out) {
  bootstrap_.on_tick(now, wants_peers(), out);
  refresh(now, out);
  reprovide(now, out);
  if (now.mono >= next_sweep_) {
    next_sweep_ = later(now.mono, kSweepInterval);
    providers_.sweep(now.wall, out);
    values_.sweep(now.wall, out);
    close_silent(now, out);
  }
  if (now.mono >= next_probe_) {
    next_probe_ = later(now.mono, kProbeInterval);
    const PeerRef due = table_.to_probe(now.mono);
    if (due && !asks_.awaits_answer(due)) probe(now, due, out);
  }
}

void Dht::on_tick(Now now, Effects& out) {
  asks_.on_tick(now, out, outcomes_);
  settle(now, out);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.mono)
    on_deadline(now, queries_.at(deadlines_.begin()->second), out);
  if (started_) keep_up(now, out);
  settle(now, out);
}

Mono Dht::next_deadline(Now now) const {
  Mono next = asks_.next_deadline();
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (!started_) return next;
  next = std::min(next, bootstrap_.next_deadline(wants_peers()));
  const bool room = queries_.size() < kQueriesMax;  // else: when a query has ended
  if (room && table_.size() > 0) next = std::min(next, upkeep_.next_deadline());
  if (room && reprovides_ < kReprovidesAtOnce && provided_.next_due() != Wall::max()) {
    const Duration until = std::max(provided_.next_due() - now.wall, Duration{});
    next = std::min(next, later(now.mono, std::min<Duration>(until, 1h)));  // the clock may be set
  }
  if (providers_.size() + values_.size() + inbound_.size() > 0) next = std::min(next, next_sweep_);
  if (table_.size() > 0) next = std::min(next, next_probe_);
  return next;
}

}  // namespace kith::dht
