// Epochs of the ledger: closing, forgetting, loading, and what is shown of them.
#include <algorithm>

#include "schema/kith/bit_runs.hpp"
#include "services/poa/ledger.hpp"

namespace kith::poa {

std::uint32_t parts_of(std::uint32_t slots) { return std::min(slots, kParts); }

std::pair<std::uint32_t, std::uint32_t> part_range(std::uint32_t part, std::uint32_t slots) {
  const std::uint64_t parts = parts_of(slots);
  return {static_cast<std::uint32_t>(std::uint64_t{part} * slots / parts),
          static_cast<std::uint32_t>((std::uint64_t{part} + 1) * slots / parts)};
}

std::uint8_t value_of(std::uint32_t seen, std::uint32_t up) {
  if (up == 0) return 0;
  const std::uint64_t least = std::min(seen, up);
  return static_cast<std::uint8_t>((2 * 255 * least + up) / (2 * std::uint64_t{up}));
}

std::uint8_t share_of(std::uint32_t seen, std::uint32_t up) {
  if (up == 0) return kNoView;
  return static_cast<std::uint8_t>(std::uint64_t{100} * std::min(seen, up) / up);
}

void Ledger::close(Row& row, const Timeline& timeline, const Bitmap& up) {
  const std::uint32_t slots = timeline.slots_per_epoch();
  row.seen = count_common(row.slots, up, 0, slots);
  for (std::uint32_t part = 0; part < parts_of(slots); ++part) {
    const auto [from, to] = part_range(part, slots);
    row.parts.push_back(share_of(count_common(row.slots, up, from, to), count_bits(up, from, to)));
  }
  row.slots = {};
  row.dirty = true;
}

void Ledger::on_epoch(std::uint64_t epoch, const Timeline& timeline, const Attendance& attendance,
                      std::vector<Erased>& erased) {
  std::vector<LedgerSlot> empty;
  peers_.for_each([&](LedgerSlot at, Peer& peer) {
    for (Row& row : peer.rows) {
      if (row.slots.empty() || row.epoch + 1 >= epoch) continue;
      close(row, timeline, attendance.up(row.epoch));
      peer.dirty = true;
    }
    while (!peer.rows.empty() && peer.rows.front().epoch + kEpochsKept <= epoch) {
      erased.push_back({peer.id, peer.rows.front().epoch});
      peer.rows.erase(peer.rows.begin());
    }
    std::uint32_t total = 0;
    for (const Row& row : peer.rows)
      total += row.slots.empty() ? row.seen : count_bits(row.slots, 0, UINT32_MAX);
    count_total(peer, total);
    const bool gone = timeline.epoch_of_slot(peer.heard_slot) + kEpochsKept <= epoch;
    if (peer.rows.empty() && gone) empty.push_back(at);
  });
  for (const LedgerSlot at : empty) erase(at, erased);
}

void Ledger::take_evicted(std::vector<Erased>& erased) {
  for (Erased& one : evicted_) erased.push_back(std::move(one));
  evicted_.clear();
}

std::uint8_t Ledger::value(const PeerId& id, std::uint64_t epoch,
                           const Attendance& attendance) const {
  const Peer* peer = find(id);
  const Row* row = peer == nullptr ? nullptr : row_of(*peer, epoch);
  if (row == nullptr) return 0;
  const Bitmap& up = attendance.up(epoch);
  const std::uint32_t seen =
      row->slots.empty() ? row->seen : count_common(row->slots, up, 0, UINT32_MAX);
  return value_of(seen, attendance.up_slots(epoch));
}

EpochView Ledger::view(const PeerId& id, std::uint64_t epoch, const Timeline& timeline,
                       const Attendance& attendance) const {
  const Bitmap& up = attendance.up(epoch);
  const std::uint32_t slots = timeline.slots_per_epoch();
  EpochView view;
  view.epoch = epoch;
  view.up = attendance.up_slots(epoch);
  const Peer* peer = find(id);
  const Row* row = peer == nullptr ? nullptr : row_of(*peer, epoch);
  const bool closed = row != nullptr && row->slots.empty();
  if (row != nullptr) view.seen = closed ? row->seen : count_common(row->slots, up, 0, slots);
  view.value = value_of(view.seen, view.up);
  for (std::uint32_t part = 0; part < parts_of(slots); ++part) {
    const auto [from, to] = part_range(part, slots);
    const std::uint32_t up_here = count_bits(up, from, to);
    if (closed && part < row->parts.size())
      view.cells.push_back(row->parts[part]);
    else
      view.cells.push_back(
          share_of(row == nullptr ? 0 : count_common(row->slots, up, from, to), up_here));
  }
  return view;
}

void Ledger::mark_all_dirty() {
  peers_.for_each([](LedgerSlot, Peer& peer) {
    peer.dirty = true;
    for (Row& row : peer.rows) row.dirty = true;
  });
}

bool Ledger::load_peer(const PeerId& id, const schema::PoaPeerRecord& record) {
  if (peers_.size() >= kPeersMax || index_.contains(id)) return false;
  Peer peer;
  peer.id = id;
  peer.sequence = record.sequence;
  peer.heard_slot = record.heard_slot;
  peer.capacity = record.capacity;
  index_.emplace(id, peers_.insert(std::move(peer)));
  ++newcomers_;
  return true;
}

// In the order of epochs.
bool Ledger::load_row(const PeerId& id, Row row) {
  const auto at = index_.find(id);
  if (at == index_.end()) return false;
  Peer& peer = peers_.at(at->second);
  if (peer.rows.size() >= kEpochsKept) return false;
  if (!peer.rows.empty() && peer.rows.back().epoch >= row.epoch) return false;
  count_total(peer,
              peer.total + (row.slots.empty() ? row.seen : count_bits(row.slots, 0, UINT32_MAX)));
  peer.rows.push_back(std::move(row));
  return true;
}

}  // namespace kith::poa
