// What a beat counts for, and who has a place.
#include "services/poa/ledger.hpp"

#include <algorithm>

#include "net/base/planted.hpp"
#include "schema/kith/bit_runs.hpp"

namespace kith::poa {
namespace {

bool is_newcomer(const Ledger::Peer& peer) { return peer.total < kEstablished; }

}  // namespace

Ledger::Verdict Ledger::on_beat(Now now, const Timeline& timeline, const PeerId& from,
                                const schema::Beat& beat) {
  const auto known = index_.find(from);
  Peer* peer = known == index_.end() ? nullptr : peers_.find(known->second);
  Verdict verdict;
  if (peer != nullptr) {
    const auto half_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(timeline.timing().beat).count() / 2);
    verdict.close_claims = peer->time_ms != 0 && beat.time_ms < peer->time_ms + half_ms;
    if (beat.sequence <= peer->sequence) {
      verdict.heard = beat.sequence == peer->sequence ? Heard::repeated : Heard::replayed;
      return verdict;
    }
  } else {
    peer = admit(timeline, now.mono, from);
    if (peer == nullptr) return verdict;
  }
  peer->sequence = beat.sequence;
  peer->time_ms = beat.time_ms;
  peer->capacity = beat.capacity;
  peer->dirty = true;
  if (!take_token(*peer, now.mono, timeline.timing().beat)) {
    verdict.heard = Heard::flooding;
    return verdict;
  }
  const Duration apart = timeline.timing().beat / (planted(Planted::beats_too_strict) ? 1 : 2);
  if (peer->counted_at && now.mono - *peer->counted_at < apart) {
    verdict.heard = Heard::early;
    return verdict;
  }
  verdict.slot = target(*peer, timeline, now.mono);
  if (seen_in(*peer, verdict.slot, timeline)) {
    verdict.heard = Heard::spare;
    return verdict;
  }
  Row* row = open_row(*peer, timeline.epoch_of_slot(verdict.slot), timeline);
  schema::set_bit(row->slots, timeline.place_of_slot(verdict.slot));
  row->dirty = true;
  peer->heard_slot = std::max(peer->heard_slot, verdict.slot);
  peer->counted_at = now.mono;
  count_total(*peer, peer->total + 1);
  verdict.heard = Heard::counted;
  return verdict;
}

bool Ledger::take_token(Peer& peer, Mono now, Duration interval) {
  const auto fills = static_cast<std::uint64_t>((now - peer.tokens_at) / interval);
  if (fills >= kBurst - peer.tokens) {
    peer.tokens = kBurst;
    peer.tokens_at = now;
  } else {
    peer.tokens += static_cast<std::uint32_t>(fills);
    peer.tokens_at += static_cast<std::int64_t>(fills) * interval;
  }
  if (peer.tokens == 0) return false;
  --peer.tokens;
  return true;
}

std::uint64_t Ledger::target(const Peer& peer, const Timeline& timeline, Mono now) {
  const std::uint64_t slot = timeline.slot(now);
  const bool young = now - timeline.start_of(slot) < timeline.timing().beat / kSlackParts;
  return young && slot > 0 && !seen_in(peer, slot - 1, timeline) ? slot - 1 : slot;
}

const Row* Ledger::row_of(const Peer& peer, std::uint64_t epoch) {
  for (auto at = peer.rows.rbegin(); at != peer.rows.rend() && at->epoch >= epoch; ++at)
    if (at->epoch == epoch) return &*at;
  return nullptr;
}

bool Ledger::seen_in(const Peer& peer, std::uint64_t slot, const Timeline& timeline) {
  const Row* row = row_of(peer, timeline.epoch_of_slot(slot));
  return row != nullptr &&
         (row->slots.empty() || schema::bit_at(row->slots, timeline.place_of_slot(slot)));
}

Row* Ledger::open_row(Peer& peer, std::uint64_t epoch, const Timeline& timeline) {
  const auto after = std::find_if(peer.rows.begin(), peer.rows.end(),
                                  [&](const Row& row) { return row.epoch >= epoch; });
  if (after != peer.rows.end() && after->epoch == epoch) return &*after;
  Row row;
  row.epoch = epoch;
  row.slots.resize(schema::bitmap_bytes(timeline.slots_per_epoch()), 0);
  return &*peer.rows.insert(after, std::move(row));
}

Ledger::Peer* Ledger::admit(const Timeline& timeline, Mono now, const PeerId& id) {
  const bool full = peers_.size() >= kPeersMax || newcomers_ >= kNewcomersMax;
  if (full && !make_room(timeline.slot(now), timeline)) return nullptr;
  Peer peer;
  peer.id = id;
  peer.tokens_at = now;
  peer.heard_slot = timeline.slot(now);
  const LedgerSlot at = peers_.insert(std::move(peer));
  index_.emplace(id, at);
  ++newcomers_;
  return peers_.find(at);
}

bool Ledger::make_room(std::uint64_t slot, const Timeline& timeline) {
  LedgerSlot worst;
  const Peer* least = nullptr;
  const std::uint64_t long_silence = std::uint64_t{kLongSilence} * timeline.slots_per_epoch();
  peers_.for_each([&](LedgerSlot at, const Peer& peer) {
    const std::uint64_t silence = is_newcomer(peer) ? kSilence : long_silence;
    if (peer.heard_slot + silence > slot) return;
    if (least != nullptr &&
        std::pair(peer.total, peer.heard_slot) >= std::pair(least->total, least->heard_slot))
      return;
    worst = at;
    least = &peer;
  });
  if (least == nullptr) return false;
  erase(worst, evicted_);
  return true;
}

void Ledger::erase(LedgerSlot at, std::vector<Erased>& erased) {
  const Peer& peer = peers_.at(at);
  for (const Row& row : peer.rows) erased.push_back({peer.id, row.epoch});
  erased.push_back({peer.id, std::nullopt});
  if (is_newcomer(peer)) --newcomers_;
  index_.erase(peer.id);
  peers_.erase(at);
}

void Ledger::count_total(Peer& peer, std::uint32_t total) {
  const bool was = is_newcomer(peer);
  peer.total = total;
  if (was && !is_newcomer(peer)) --newcomers_;
  if (!was && is_newcomer(peer)) ++newcomers_;
}

const Ledger::Peer* Ledger::find(const PeerId& id) const {
  const auto at = index_.find(id);
  return at == index_.end() ? nullptr : peers_.find(at->second);
}

std::vector<PeerId> Ledger::peers_after(const PeerId& after, std::size_t peers_max) const {
  std::vector<PeerId> ids;
  peers_.for_each([&](LedgerSlot, const Peer& peer) {
    if (peer.id > after) ids.push_back(peer.id);
  });
  const std::size_t wanted = std::min(ids.size(), peers_max);
  std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(wanted), ids.end());
  ids.resize(wanted);
  return ids;
}

}  // namespace kith::poa
