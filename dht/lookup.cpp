#include "dht/lookup.hpp"

#include <algorithm>
#include <utility>

#include "net/base/planted.hpp"

namespace kith::dht {
namespace {

// Adds what is new of `from` to `to`; true when something was.
bool merge_addrs(std::vector<Multiaddr>& to, std::vector<Multiaddr> from) {
  bool grown = false;
  std::size_t taken = 0;
  for (Multiaddr& addr : from) {
    if (to.size() >= kAddrsPerCandidate || taken >= kAddrsPerSource) break;
    if (std::find(to.begin(), to.end(), addr) != to.end()) continue;
    to.push_back(std::move(addr));
    ++taken;
    grown = true;
  }
  return grown;
}

}  // namespace

Lookup::Lookup(PeerRef self, const Key& target, LookupLimits limits)
    : self_(std::move(self)), target_(target), limits_(limits) {}

std::size_t Lookup::place(const Key& key) const {
  const auto at = std::lower_bound(
      candidates_.begin(), candidates_.end(), key,
      [this](const Candidate& a, const Key& b) { return nearer(target_, a.who.peer.key(), b); });
  return static_cast<std::size_t>(at - candidates_.begin());
}

Lookup::Candidate* Lookup::find(const PeerRef& peer) {
  const std::size_t at = place(peer.key());
  return at < candidates_.size() && candidates_[at].who.peer == peer ? &candidates_[at] : nullptr;
}

const HeardPeer* Lookup::heard(const PeerRef& peer) const {
  const Candidate* found = const_cast<Lookup*>(this)->find(peer);
  return found == nullptr ? nullptr : &found->who;
}

// True when the peer was not known here.
bool Lookup::hear(HeardPeer heard, std::uint16_t source) {
  if (heard.peer == self_) return false;
  const std::size_t at = place(heard.peer.key());
  if (at < candidates_.size() && candidates_[at].who.peer == heard.peer)
    return merge(candidates_[at], std::move(heard), source);
  if (at >= kCandidatesMax) return false;
  Candidate candidate;
  candidate.who.peer = std::move(heard.peer);
  merge_addrs(candidate.who.addrs, std::move(heard.addrs));
  candidate.sources[0] = source;
  if (source != kNoSource && sources_[source].hops < UINT8_MAX)
    candidate.hops = static_cast<std::uint8_t>(sources_[source].hops + 1);
  candidates_.insert(candidates_.begin() + static_cast<long>(at), std::move(candidate));
  // The farthest makes room, unless its answer is still to come.
  if (candidates_.size() > kCandidatesMax) {
    leave_flight(candidates_.back().state);
    candidates_.pop_back();
  }
  return true;
}

bool Lookup::merge(Candidate& known, HeardPeer heard, std::uint16_t source) {
  known.more = merge_addrs(known.who.addrs, std::move(heard.addrs)) || known.more;
  if (known.sources[0] != source && known.sources[1] == kNoSource) known.sources[1] = source;
  // We know it ourselves: it is asked whoever named it, who still gets the credit.
  if (source == kNoSource && known.sources[0] != kNoSource)
    if (const std::uint16_t first = std::exchange(known.sources[0], kNoSource);
        known.sources[1] == kNoSource)
      known.sources[1] = first;
  if (known.state == State::answered && source != kNoSource) ++sources_[source].good;
  if (known.state != State::asked) try_again(known);
  return false;
}

// Puts a late or failed peer back among those to be asked, when there are new addresses for it.
bool Lookup::try_again(Candidate& candidate) {
  const State was = candidate.state;
  const bool may = candidate.more && candidate.who.attempt < kRetriesMax && trusted(candidate);
  if (!may || was == State::heard || was == State::answered) return false;
  leave_flight(was);
  ++candidate.who.attempt;
  candidate.state = State::heard;
  if (was == State::overdue) judge_sources(candidate, was);  // what becomes of it now counts
  return true;
}

// A candidate that we knew ourselves has no source to blame.
bool Lookup::trusted(const Candidate& candidate) const {
  if (candidate.sources[0] == kNoSource) return true;
  for (const std::uint16_t source : candidate.sources)
    if (source != kNoSource && !sources_[source].distrusted()) return true;
  return false;
}

// Books what became of a candidate (it was `was` before) for those who named it.
void Lookup::judge_sources(const Candidate& candidate, State was) {
  const bool was_bad = was == State::overdue;
  const bool is_bad = candidate.state == State::overdue || candidate.state == State::failed;
  for (const std::uint16_t index : candidate.sources) {
    if (index == kNoSource) continue;
    Source& source = sources_[index];
    if (was_bad && !is_bad) --source.bad;
    if (!was_bad && is_bad) ++source.bad;
    if (candidate.state == State::answered) ++source.good;
  }
}

void Lookup::leave_flight(State was) {
  if (was == State::asked) --in_flight_;
}

// Calls each(index) for the k nearest that may be asked or were, and of which out(state) does not
// hold, nearest first, until it says stop (true).
template <class Out, class Each>
void Lookup::each_in_window(Out&& out, Each&& each) const {
  std::size_t live = 0;
  for (std::size_t i = 0; i < candidates_.size() && live < limits_.replication; ++i) {
    const Candidate& candidate = candidates_[i];
    if (out(candidate.state) || (candidate.state == State::heard && !trusted(candidate))) continue;
    ++live;
    if (each(i)) return;
  }
}

std::size_t Lookup::next_in_window() const {
  const auto out = [](State state) {
    return state == State::failed || state == State::late || state == State::overdue;
  };
  std::size_t chosen = candidates_.size();
  each_in_window(out, [&](std::size_t i) {
    if (candidates_[i].state != State::heard) return false;
    chosen = i;
    return true;
  });
  return chosen;
}

const HeardPeer* Lookup::next() {
  if (in_flight_ >= limits_.parallelism || asked_ >= limits_.asks_max) return nullptr;
  const std::size_t chosen = next_in_window();
  if (chosen == candidates_.size()) return nullptr;
  candidates_[chosen].state = State::asked;
  candidates_[chosen].more = false;
  ++in_flight_;
  ++asked_;
  return &candidates_[chosen].who;
}

std::size_t Lookup::on_answer(const PeerRef& from, std::vector<HeardPeer> closer) {
  Candidate* answered = find(from);
  if (answered == nullptr) return 0;
  const bool again = answered->state == State::heard && answered->who.attempt > 0;
  if (!pending(answered->state) && !again) return 0;
  const State was = std::exchange(answered->state, State::answered);
  leave_flight(was);
  ++answered_;
  judge_sources(*answered, was);
  return hear_all(from, std::move(closer));
}

std::size_t Lookup::hear_all(const PeerRef& from, std::vector<HeardPeer> closer) {
  const Candidate* asked = find(from);
  sources_.push_back({from, asked == nullptr ? std::uint8_t{1} : asked->hops, 0, 0});
  const auto source = static_cast<std::uint16_t>(sources_.size() - 1);
  std::size_t fresh = 0;
  for (HeardPeer& heard : closer) fresh += hear(std::move(heard), source);
  return fresh;
}

Lookup::Candidate* Lookup::find_attempt(const PeerRef& peer, std::uint8_t attempt) {
  Candidate* candidate = find(peer);
  return candidate != nullptr && candidate->who.attempt == attempt ? candidate : nullptr;
}

void Lookup::on_late(const PeerRef& peer, std::uint8_t attempt) {
  Candidate* candidate = find_attempt(peer, attempt);
  if (candidate == nullptr || candidate->state != State::asked) return;
  if (try_again(*candidate)) return;
  --in_flight_;
  candidate->state = State::late;
}

void Lookup::on_overdue(const PeerRef& peer, std::uint8_t attempt) {
  Candidate* candidate = find_attempt(peer, attempt);
  if (candidate == nullptr || candidate->state != State::late) return;
  candidate->state = State::overdue;
  judge_sources(*candidate, State::late);
}

void Lookup::on_failed(const PeerRef& peer, std::uint8_t attempt) {
  Candidate* candidate = find_attempt(peer, attempt);
  if (candidate == nullptr || !pending(candidate->state)) return;
  ++failed_;
  if (try_again(*candidate)) return;
  const State was = std::exchange(candidate->state, State::failed);
  leave_flight(was);
  judge_sources(*candidate, was);
}

bool Lookup::settled(bool without_late) const {
  const auto out = [&](State state) {
    return state == State::failed || state == State::overdue ||
           (without_late && state == State::late);
  };
  const bool spent = asked_ >= limits_.asks_max;
  bool waiting = false;
  each_in_window(out, [&](std::size_t i) {
    const State state = candidates_[i].state;
    waiting = state == State::asked || state == State::late || (state == State::heard && !spent);
    return waiting;
  });
  return !waiting && answered_ > 0;
}

bool Lookup::nobody_left() const {
  const bool spent = asked_ >= limits_.asks_max;
  return std::none_of(candidates_.begin(), candidates_.end(), [&](const Candidate& candidate) {
    return pending(candidate.state) ||
           (candidate.state == State::heard && !spent && trusted(candidate));
  });
}

// The two farthest of the window, and the farthest that shares one bit more with the target: they
// stand for the parts of the region in which live peers may have been passed over.
PeerRef Lookup::wanted_look() const {
  if (looks_.size() >= kLooksMax) return {};
  std::vector<const Candidate*> window;
  bool dead = false;  // one that is nearer than the farthest
  bool dead_before = false;
  for (const Candidate& candidate : candidates_) {
    if (window.size() == limits_.replication) break;
    if (candidate.state == State::answered) {
      window.push_back(&candidate);
      dead = dead_before;
    } else {
      dead_before = true;
    }
  }
  if (window.size() < 2 || !(window.size() < limits_.replication ? dead_before : dead)) return {};
  const Candidate* farthest = window.back();
  const int shared = common_prefix(farthest->who.peer.key(), target_);
  const Candidate* inner = farthest;
  for (const Candidate* candidate : window)
    if (common_prefix(candidate->who.peer.key(), target_) > shared) inner = candidate;
  for (const Candidate* wanted : {farthest, inner, window[window.size() - 2]}) {
    const auto same = [&](const Look& look) { return look.peer == wanted->who.peer; };
    if (std::none_of(looks_.begin(), looks_.end(), same)) return wanted->who.peer;
  }
  return {};
}

PeerRef Lookup::next_look() {
  if (!settled(true)) return {};
  PeerRef wanted = wanted_look();
  if (wanted) looks_.push_back({wanted, false});
  return wanted;
}

std::size_t Lookup::on_look(const PeerRef& from, std::vector<HeardPeer> closer) {
  on_look_failed(from);
  return hear_all(from, std::move(closer));
}

void Lookup::on_look_failed(const PeerRef& from) {
  for (Look& look : looks_)
    if (look.peer == from) look.over = true;
}

bool Lookup::finished() const {
  if (planted(Planted::lookup_stops_early) && answered_ > 0) return true;
  if (answered_ == 0) return nobody_left();
  const auto over = [](const Look& look) { return look.over; };
  return settled(false) && std::all_of(looks_.begin(), looks_.end(), over) && !wanted_look();
}

std::uint32_t Lookup::hops() const {
  std::uint32_t most = 0;
  std::size_t found = 0;
  for (const Candidate& candidate : candidates_) {
    if (candidate.state != State::answered) continue;
    if (++found > limits_.replication) break;
    most = std::max<std::uint32_t>(most, candidate.hops);
  }
  return most;
}

std::vector<HeardPeer> Lookup::closest() const {
  std::vector<HeardPeer> found;
  for (const Candidate& candidate : candidates_) {
    if (found.size() >= limits_.replication) break;
    if (candidate.state == State::answered) found.push_back(candidate.who);
  }
  return found;
}

}  // namespace kith::dht
