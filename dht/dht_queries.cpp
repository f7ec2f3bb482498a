// The queries of the Dht: commands, lookups, and what is published at their end.
#include <algorithm>

#include "dht/dht.hpp"
#include "net/base/check.hpp"

namespace kith::dht {

using libp2p::KadMessage;
using libp2p::KadPeer;
using libp2p::KadType;

namespace {

Error no_peers() {
  return fail(Errc::not_found, "no peer to ask",
              "the routing table is empty: this node has met no other node of its network",
              "connect to one: kith peer connect MULTIADDR, or set bootstrap addresses");
}

RoutingProgress counts_of(const Lookup& lookup) {
  return {lookup.asked(), lookup.answered(), lookup.failed(), lookup.hops(), {}};
}

}  // namespace

Dht::Query* Dht::begin(Now now, Goal goal, std::optional<RequestId> request, Bytes key,
                       Effects& out) {
  CHECK(!request || !requests_.contains(*request));
  if (queries_.size() >= kQueriesMax) {
    if (request)
      out.push_back(Done{*request, fail(Errc::exhausted, "too many DHT queries are under way")});
    return nullptr;
  }
  const Key target = Key::of(key);
  const QuerySlot slot =
      queries_.insert(Query(goal, std::move(key), Lookup(self_, target, config_.lookup)));
  Query& query = queries_.at(slot);
  query.slot = slot;
  query.request = request;
  query.deadline = later(now.mono, goal == Goal::refresh ? kRefreshDeadline : kQueryDeadline);
  query.timer = query.deadline;
  deadlines_.insert({query.timer, slot});
  if (request) requests_[*request] = slot;
  return &query;
}

void Dht::set_timer(Query& query, Mono at) {
  deadlines_.erase({query.timer, query.slot});
  query.timer = at;
  deadlines_.insert({query.timer, query.slot});
}

void Dht::seed(Query& query) {
  std::vector<PeerRef> seeds;
  const std::size_t count = std::min(config_.lookup.replication, kClosestMax);
  table_.closest(query.lookup.target(), count, {}, true, seeds);
  if (seeds.size() < count) table_.closest(query.lookup.target(), count, {}, false, seeds);
  for (const PeerRef& peer : seeds) query.lookup.seed(peer);
}

// The nearest that we know may all be dead: a bucket fills with those that came first, and a power
// cut takes a whole street. Who is connected lives, and has other neighbours near the target. (Not
// all of the table: while our own line is down, whoever is dialled in vain comes nearer to leaving
// it.)
void Dht::widen(Query& query) {
  query.widened = true;
  ready_.for_each([&](host::PeerSlot, const Ready& ready) {
    if (ready.serves) query.lookup.seed(ready.peer);
  });
}

void Dht::start(Now now, Query& query, Effects& out) {
  query.question = libp2p::encode_kad({query.asks, query.key, {}, {}, {}});
  if (table_.size() > 0) {
    seed(query);
    advance(now, query, out);
  } else if (hopeful() && query.goal != Goal::refresh) {
    query.waiting = true;
    set_timer(query, later(now.mono, kTableWait));
  } else {
    on_search_over(now, query, out);
  }
}

void Dht::start_waiting(Now now, Effects& out) {
  std::vector<QuerySlot> waiting;
  queries_.for_each([&](QuerySlot slot, const Query& query) {
    if (query.waiting) waiting.push_back(slot);
  });
  for (const QuerySlot slot : waiting) {
    Query& query = queries_.at(slot);
    query.waiting = false;
    set_timer(query, query.deadline);
    seed(query);
    advance(now, query, out);
  }
}

// Asks whom the lookup names, and ends the search when it is over. May end the query.
void Dht::advance(Now now, Query& query, Effects& out) {
  if (satisfied(now, query)) return on_search_over(now, query, out);
  if (!query.widened && query.lookup.starved()) widen(query);
  while (const HeardPeer* next = query.lookup.next()) {
    Ask ask;
    ask.query = query.slot;
    ask.peer = next->peer;
    ask.attempt = next->attempt;
    ask.expect = next->peer == query.wanted ? Expect::connection : Expect::answer;
    ask.type = query.asks;
    ask.key = query.key;
    ask.message = query.question;
    std::vector<Multiaddr> addrs = next->addrs;
    const auto slot = slot_of(ask.peer);
    asks_.ask(now, std::move(ask), slot, std::move(addrs), out, outcomes_);
  }
  while (const PeerRef look = query.lookup.next_look()) {
    Ask ask;
    ask.purpose = Purpose::look;
    ask.query = query.slot;
    ask.peer = look;
    ask.key = look.id().bytes();
    ask.message = libp2p::encode_kad({KadType::find_node, ask.key, {}, {}, {}});
    asks_.ask(now, std::move(ask), slot_of(look), {}, out, outcomes_);
  }
  if (query.lookup.finished()) on_search_over(now, query, out);
}

bool Dht::satisfied(Now now, const Query& query) const {
  if (query.goal == Goal::refresh) {
    const int bucket = common_prefix(self_.key(), query.lookup.target());
    return bucket < kRefreshDepth && (table_.wanting(now.mono) >> bucket & 1) == 0;
  }
  if (query.poll && query.poll->settled()) return true;
  return query.goal == Goal::providers && query.enough > 0 && query.found.size() >= query.enough;
}

void Dht::filter(std::vector<Multiaddr>& addrs) const {
  if (!config_.keep_private_addrs)
    std::erase_if(addrs, [](const Multiaddr& addr) { return addr.is_private(); });
}

std::vector<HeardPeer> Dht::heard_from(std::vector<KadPeer>& peers) {
  std::vector<HeardPeer> heard;
  heard.reserve(peers.size());
  for (KadPeer& peer : peers) {
    filter(peer.addrs);
    heard.push_back({book_->intern(peer.id), std::move(peer.addrs)});
  }
  return heard;
}

void Dht::on_answer(Now now, Query& query, Outcome& outcome, Effects& out) {
  const PeerRef& from = outcome.ask.peer;
  const std::size_t before = query.found.size();
  if (query.goal == Goal::providers) take_providers(query, outcome.answer.providers, out);
  if (query.poll) {
    if (const auto& record = outcome.answer.record)
      query.poll->on_value(now.wall, from, record->key, record->value);
    else
      query.poll->on_nothing(from);
  }
  const std::size_t fresh = query.lookup.on_answer(from, heard_from(outcome.answer.closer));
  if (fresh > 0) table_.on_useful(now.mono, from);
  report(query, {query.found.begin() + static_cast<long>(before), query.found.end()}, out);
  advance(now, query, out);
}

void Dht::take_providers(Query& query, std::vector<KadPeer>& from, Effects& out) {
  for (KadPeer& peer : from) {
    if (query.found.size() >= kProvidersFoundMax) return;
    if (peer.id == config_.self) continue;
    filter(peer.addrs);
    const auto known = std::find_if(query.found.begin(), query.found.end(),
                                    [&](const PeerInfo& info) { return info.id == peer.id; });
    if (known != query.found.end()) {
      if (known->addrs.empty()) known->addrs = std::move(peer.addrs);
      continue;
    }
    if (!peer.addrs.empty()) out.push_back(LearnAddrs{peer.id, peer.addrs, kHeardAddrsLifetime});
    query.found.push_back({std::move(peer.id), std::move(peer.addrs)});
  }
}

void Dht::report(const Query& query, std::vector<PeerInfo> found, Effects& out) const {
  if (!query.request) return;
  RoutingProgress progress = counts_of(query.lookup);
  progress.found = std::move(found);
  out.push_back(Progress{*query.request, std::move(progress)});
}

void Dht::on_search_over(Now now, Query& query, Effects& out) {
  if (query.goal == Goal::provide || query.goal == Goal::put) return publish(now, query, out);
  if (query.poll && query.poll->found()) correct(now, query, out);
  end(now, query, answer_of(query), out);
}

Result<RoutingAnswer> Dht::answer_of(const Query& query) const {
  RoutingAnswer answer;
  answer.counts = counts_of(query.lookup);
  answer.stored = query.stored;
  switch (query.goal) {
    case Goal::peer: {
      const HeardPeer* heard = query.lookup.heard(query.wanted);
      const bool connected = connected_.contains(query.wanted.id());
      if (!connected && (heard == nullptr || heard->addrs.empty())) {
        if (query.lookup.asked() == 0) return no_peers();
        return fail(Errc::not_found, "no peer that was asked knows where it is");
      }
      // Of a connected peer the peer store knows better than hearsay.
      answer.peers.push_back(
          {query.wanted.id(), connected ? std::vector<Multiaddr>{} : heard->addrs});
      break;
    }
    case Goal::providers:
      if (query.found.empty() && query.lookup.asked() == 0) return no_peers();
      answer.peers = query.found;
      break;
    case Goal::value:
      if (!query.poll->found()) {
        if (query.lookup.asked() == 0) return no_peers();
        return fail(Errc::not_found, "no peer that was asked has a valid value");
      }
      answer.value = query.poll->best();
      break;
    case Goal::closest:
    case Goal::provide:
    case Goal::put:
    case Goal::refresh:
      if (query.goal == Goal::closest && query.lookup.asked() == 0) return no_peers();
      for (HeardPeer& near : query.lookup.closest())
        answer.peers.push_back({near.peer.id(), std::move(near.addrs)});
      break;
  }
  return answer;
}

void Dht::publish(Now now, Query& query, Effects& out) {
  KadMessage message;
  message.key = query.key;
  if (query.goal == Goal::provide) {
    message.type = KadType::add_provider;
    message.providers.push_back({config_.self, self_addrs_, false});
    filter(message.providers.back().addrs);
  } else {
    message.type = KadType::put_value;
    message.record = libp2p::KadRecord{query.key, query.value, {}};
  }
  const Bytes encoded = libp2p::encode_kad(message);
  query.publishing = true;
  const std::vector<HeardPeer> targets = query.lookup.closest();
  query.outstanding = static_cast<std::uint32_t>(targets.size());
  if (targets.empty()) return end(now, query, answer_of(query), out);
  for (const HeardPeer& target : targets) {
    Ask ask;
    ask.purpose = Purpose::publish;
    ask.query = query.slot;
    ask.peer = target.peer;
    ask.expect = query.goal == Goal::provide ? Expect::delivery : Expect::answer;
    ask.type = message.type;
    ask.key = query.key;
    ask.message = encoded;
    asks_.ask(now, std::move(ask), slot_of(target.peer), target.addrs, out, outcomes_);
  }
}

void Dht::on_published(Now now, Query& query, bool stored, Effects& out) {
  query.stored += stored;
  if (--query.outstanding == 0) end(now, query, answer_of(query), out);
}

// Nobody waits for these.
void Dht::correct(Now now, const Query& query, Effects& out) {
  const Bytes& best = query.poll->best();
  if (values_.find(now.wall, query.key) != nullptr)
    std::ignore = values_.put(now.wall, query.key, best, 0, out);  // ours may be the stale one
  Bytes encoded;
  for (HeardPeer& stale : query.poll->stale(query.lookup.closest())) {
    if (encoded.empty())
      encoded = libp2p::encode_kad(
          {KadType::put_value, query.key, libp2p::KadRecord{query.key, best, {}}, {}, {}});
    Ask ask;
    ask.purpose = Purpose::correct;
    ask.peer = stale.peer;
    ask.type = KadType::put_value;
    ask.key = query.key;
    ask.message = encoded;
    asks_.ask(now, std::move(ask), slot_of(stale.peer), std::move(stale.addrs), out, outcomes_);
  }
}

void Dht::end(Now now, Query& query, Result<RoutingAnswer> answer, Effects& out) {
  if (query.lookup.answered() > 0) upkeep_.on_lookup(now.mono, query.lookup.target());
  if (query.goal == Goal::refresh) upkeep_.on_refreshed();
  if (query.goal == Goal::provide) {
    if (!query.request) --reprovides_;
    if (const Result<Multihash> key = Multihash::decode(query.key))
      provided_.on_told(now.wall, *key, query.stored, out);
  }
  deadlines_.erase({query.timer, query.slot});
  if (query.request) {
    requests_.erase(*query.request);
    out.push_back(Done{*query.request, std::move(answer)});
  }
  queries_.erase(query.slot);
}

void Dht::on_deadline(Now now, Query& query, Effects& out) {
  const bool partial = query.publishing || query.goal == Goal::provide || !query.found.empty() ||
                       (query.poll && query.poll->found());
  if (query.waiting || partial || query.goal == Goal::refresh) {
    query.waiting = false;
    end(now, query, answer_of(query), out);
    return;
  }
  end(now, query, fail(Errc::timeout, "the DHT query found nothing within its deadline"), out);
}

void Dht::find_peer(Now now, RequestId request, const PeerId& id, Effects& out) {
  const bool here = id == config_.self || connected_.contains(id);
  if (id.empty() || here) {
    RoutingAnswer answer;
    answer.peers.push_back({id, {}});
    if (here)
      out.push_back(Done{request, std::move(answer)});
    else
      out.push_back(Done{request, fail(Errc::malformed, "an empty peer id")});
    return;
  }
  Query* query = begin(now, Goal::peer, request, id.bytes(), out);
  if (query == nullptr) return;
  query->wanted = book_->intern(id);
  start(now, *query, out);
  settle(now, out);
}

void Dht::find_closest(Now now, RequestId request, Bytes key, Effects& out) {
  if (Query* query = begin(now, Goal::closest, request, std::move(key), out))
    start(now, *query, out);
  settle(now, out);
}

void Dht::provide(Now now, RequestId request, const Multihash& key, Effects& out) {
  if (!provided_.add(now.wall, key, out)) {
    out.push_back(Done{request, fail(Errc::exhausted, "this node provides as many keys as it can",
                                     "at most 100000 keys are announced again every day")});
    return;
  }
  if (Query* query = begin(now, Goal::provide, request, key.bytes(), out))
    start(now, *query, out);
  else
    provided_.on_told(now.wall, key, 0, out);
  settle(now, out);
}

void Dht::unprovide(Now, const Multihash& key, Effects& out) { provided_.remove(key, out); }

void Dht::find_providers(Now now, RequestId request, const Multihash& key, std::uint32_t enough,
                         Effects& out) {
  Query* query = begin(now, Goal::providers, request, key.bytes(), out);
  if (query == nullptr) return;
  query->asks = KadType::get_providers;
  query->enough = enough;
  for (const PeerRef& known : providers_.find(now.wall, key))
    if (!(known == self_)) query->found.push_back({known.id(), {}});
  if (!query->found.empty()) report(*query, query->found, out);
  if (satisfied(now, *query))
    on_search_over(now, *query, out);
  else
    start(now, *query, out);
  settle(now, out);
}

void Dht::put_value(Now now, RequestId request, Bytes key, Bytes value, Effects& out) {
  if (const Result<void> kept = values_.put(now.wall, key, value, 0, out); !kept) {
    out.push_back(Done{request, kept.error()});
    return;
  }
  Query* query = begin(now, Goal::put, request, std::move(key), out);
  if (query == nullptr) return;
  query->value = std::move(value);
  start(now, *query, out);
  settle(now, out);
}

void Dht::get_value(Now now, RequestId request, Bytes key, Effects& out) {
  Query* query = begin(now, Goal::value, request, key, out);
  if (query == nullptr) return;
  query->asks = KadType::get_value;
  query->poll.emplace(validators_, key, config_.value_quorum);
  if (const ValueRecords::Held* held = values_.find(now.wall, key))
    query->poll->on_value(now.wall, {}, key, held->value);
  if (satisfied(now, *query))
    on_search_over(now, *query, out);
  else
    start(now, *query, out);
  settle(now, out);
}

void Dht::cancel(Now now, RequestId request, Effects& out) {
  const auto found = requests_.find(request);
  if (found == requests_.end()) return;
  end(now, queries_.at(found->second), fail(Errc::cancelled, "the DHT query was cancelled"), out);
}

void Dht::reprovide(Now now, Effects& out) {
  while (reprovides_ < kReprovidesAtOnce && queries_.size() < kQueriesMax) {
    const std::optional<Multihash> key = provided_.take_due(now.wall);
    if (!key) return;
    Query* query = begin(now, Goal::provide, std::nullopt, key->bytes(), out);
    ++reprovides_;
    start(now, *query, out);
  }
}

void Dht::refresh(Now now, Effects& out) {
  static_assert(kRefreshDepth <= kWantingBuckets);
  if (table_.size() == 0 || queries_.size() >= kQueriesMax) return;
  const auto due = upkeep_.next(now.mono, table_.wanting(now.mono), wants_peers());
  if (!due) return;
  Bytes key = due->raw_key ? Bytes::copy(*due->raw_key) : config_.self.bytes();
  Query* query = begin(now, Goal::refresh, std::nullopt, std::move(key), out);
  start(now, *query, out);
}

}  // namespace kith::dht
