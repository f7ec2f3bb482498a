#include "dht/lookup.hpp"

#include <algorithm>

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
  candidates_.insert(candidates_.begin() + static_cast<long>(at), std::move(candidate));
  // The farthest makes room, unless its answer is still to come.
  if (candidates_.size() > kCandidatesMax) {
    const State last = candidates_.back().state;
    if (last == State::asked) --in_flight_;
    if (last == State::late) --late_;
    candidates_.pop_back();
  }
  return true;
}

bool Lookup::merge(Candidate& known, HeardPeer heard, std::uint16_t source) {
  const bool grown = merge_addrs(known.who.addrs, std::move(heard.addrs));
  if (known.sources[0] != source && known.sources[1] == kNoSource) known.sources[1] = source;
  if (grown && known.state == State::failed && known.retries < kRetriesMax && trusted(known)) {
    ++known.retries;
    known.state = State::heard;
  }
  return false;
}

// A candidate that we knew ourselves has no source to blame.
bool Lookup::trusted(const Candidate& candidate) const {
  if (candidate.sources[0] == kNoSource) return true;
  for (const std::uint16_t source : candidate.sources)
    if (source != kNoSource && !sources_[source].distrusted()) return true;
  return false;
}

void Lookup::drop_distrusted() {
  for (Candidate& candidate : candidates_)
    if (candidate.state == State::heard && !trusted(candidate)) candidate.state = State::failed;
}

// Books what became of a candidate (it was `was` before) for those who named it.
void Lookup::judge_sources(const Candidate& candidate, State was) {
  bool turned = false;
  const bool was_bad = was == State::late;
  const bool is_bad = candidate.state == State::late || candidate.state == State::failed;
  for (const std::uint16_t index : candidate.sources) {
    if (index == kNoSource) continue;
    Source& source = sources_[index];
    const bool before = source.distrusted();
    if (was_bad && !is_bad) --source.bad;
    if (!was_bad && is_bad) ++source.bad;
    if (candidate.state == State::answered) ++source.good;
    turned = turned || (!before && source.distrusted());
  }
  if (turned) drop_distrusted();
}

// Calls each(index) for the window, nearest first, until it says stop (true).
template <class Each>
void Lookup::each_in_window(Each&& each) const {
  std::size_t live = 0;
  for (std::size_t i = 0; i < candidates_.size() && live < limits_.replication; ++i) {
    const State state = candidates_[i].state;
    if (state == State::failed || state == State::late) continue;
    ++live;
    if (each(i)) return;
  }
}

const HeardPeer* Lookup::next() {
  if (in_flight_ >= limits_.parallelism || asked_ >= limits_.asks_max) return nullptr;
  std::size_t chosen = candidates_.size();
  each_in_window([&](std::size_t i) {
    if (candidates_[i].state != State::heard) return false;
    chosen = i;
    return true;
  });
  if (chosen == candidates_.size()) return nullptr;
  candidates_[chosen].state = State::asked;
  ++in_flight_;
  ++asked_;
  return &candidates_[chosen].who;
}

std::size_t Lookup::on_answer(const PeerRef& from, std::vector<HeardPeer> closer) {
  Candidate* answered = find(from);
  if (answered == nullptr) return 0;
  const State was = answered->state;
  if (was != State::asked && was != State::late) return 0;
  if (was == State::asked) --in_flight_;
  if (was == State::late) --late_;
  answered->state = State::answered;
  ++answered_;
  judge_sources(*answered, was);
  sources_.push_back({from, 0, 0});
  const auto source = static_cast<std::uint16_t>(sources_.size() - 1);
  std::size_t fresh = 0;
  for (HeardPeer& heard : closer) fresh += hear(std::move(heard), source);
  return fresh;
}

void Lookup::on_late(const PeerRef& peer) {
  Candidate* candidate = find(peer);
  if (candidate == nullptr || candidate->state != State::asked) return;
  --in_flight_;
  ++late_;
  candidate->state = State::late;
  judge_sources(*candidate, State::asked);
}

void Lookup::on_failed(const PeerRef& peer) {
  Candidate* candidate = find(peer);
  if (candidate == nullptr) return;
  const State was = candidate->state;
  if (was != State::asked && was != State::late) return;
  if (was == State::asked) --in_flight_;
  if (was == State::late) --late_;
  candidate->state = State::failed;
  ++failed_;
  judge_sources(*candidate, was);
}

bool Lookup::finished() const {
  bool waiting = false;
  const bool spent = asked_ >= limits_.asks_max;
  each_in_window([&](std::size_t i) {
    const State state = candidates_[i].state;
    waiting = state == State::asked || (state == State::heard && !spent);
    return waiting;
  });
  if (waiting) return false;
  return answered_ > 0 || late_ == 0;
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
