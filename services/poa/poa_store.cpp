// What is stored, and read at the start. Keys of the family "poa":
//
//   c                      the slot that time has reached, 8 bytes
//   e <epoch> <peer id>    slots of a peer in an epoch (PoaEpochRecord)
//   o <epoch>              this node's own up slots (PoaEpochRecord)
//   p <peer id>            what is known of a peer (PoaPeerRecord)
//   s                      the mark of sequence numbers, 8 bytes
//
// Values are checked ones. Numbers are big-endian, so that epochs are read in their order; rows
// come before the peers that they belong to, and wait.
#include "net/base/checked_value.hpp"
#include "services/poa/poa_core.hpp"

namespace kith::poa {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::uint64_t kSequenceTag = 1;  // of commits; others have 0
constexpr char kClock = 'c', kRow = 'e', kOwn = 'o', kPeer = 'p', kSequence = 's';

Bytes number_bytes(std::uint64_t number) {
  return Bytes::make(kNumberBytes, [&](std::span<std::uint8_t> to) {
    for (std::size_t i = 0; i < kNumberBytes; ++i)
      to[i] = static_cast<std::uint8_t>(number >> (8 * (kNumberBytes - 1 - i)));
  });
}

std::uint64_t number_of(ByteView bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kNumberBytes; ++i) number = number << 8 | bytes[i];
  return number;
}

Bytes key_of(char kind, ByteView first = {}, ByteView second = {}) {
  std::vector<std::uint8_t> key{static_cast<std::uint8_t>(kind)};
  key.insert(key.end(), first.begin(), first.end());
  key.insert(key.end(), second.begin(), second.end());
  return Bytes::adopt(std::move(key));
}

}  // namespace

void PoaCore::start(Effects& out) {
  loading_ = std::make_unique<Loading>();
  out.push_back(ScanStored{});
}

void PoaCore::on_scanned(Now now, Result<std::vector<StoreEntry>> entries, bool more,
                         Effects& out) {
  if (!loading_) return;
  if (!entries) {
    out.push_back(TellReady{entries.error()});
    return;
  }
  for (const StoreEntry& entry : *entries) {
    const auto exact = of_checked(entry.value);
    if (!exact && loading_->rereads++ < kRereadsMax) {
      out.push_back(ScanStored{entry.key});
      return;
    }
    loading_->rereads = 0;
    if (!exact || !load({entry.key, *exact})) ++loading_->damaged;
  }
  if (more && !entries->empty()) {
    out.push_back(ScanStored{key_after(entries->back().key)});
    return;
  }
  finish_loading(now, out);
}

bool PoaCore::load(const StoreEntry& entry) {
  if (entry.key.empty()) return false;
  const ByteView rest = entry.key.view().subspan(1);
  switch (static_cast<char>(entry.key[0])) {
    case kClock:
    case kSequence: {
      if (!rest.empty() || entry.value.size() != kNumberBytes) return false;
      const std::uint64_t mark = number_of(entry.value);
      (entry.key[0] == kClock ? loading_->clock_mark : loading_->sequence_mark) = mark;
      return true;
    }
    case kRow:
    case kOwn:
      return load_epoch(rest, entry.value);
    case kPeer: {
      const auto id = PeerId::decode(rest);
      const auto record = schema::decode_poa_peer(entry.value);
      return id && record && ledger_.load_peer(*id, *record);
    }
    default:
      return false;
  }
}

bool PoaCore::load_epoch(ByteView key, const Bytes& value) {
  if (key.size() < kNumberBytes) return false;
  auto record = schema::decode_poa_epoch(value);
  const auto slots = static_cast<std::uint32_t>(config_.timing.epoch / config_.timing.beat);
  if (!record || record->slots_total != slots) return false;
  const std::uint64_t epoch = number_of(key);
  const ByteView id = key.subspan(kNumberBytes);
  if (id.empty()) {
    if (record->slots.empty()) return false;
    loading_->up[epoch] = std::move(record->slots);
    return true;
  }
  if (loading_->rows.size() >= kPeersMax * kEpochsKept) return false;
  auto peer = PeerId::decode(id);
  if (!peer) return false;
  loading_->rows.emplace_back(std::move(*peer), Row{epoch, std::move(record->slots), record->seen,
                                                    std::move(record->parts), false});
  return true;
}

void PoaCore::finish_loading(Now now, Effects& out) {
  running_ =
      std::make_unique<Running>(now, config_, loading_->clock_mark, loading_->sequence_mark, rng_);
  running_->epoch = running_->timeline.epoch_of_slot(running_->timeline.slot(now.mono));
  adopt_rows();
  turn_epoch(running_->epoch, out);
  if (loading_->damaged > 0)
    out.push_back(Warn{"poa.damaged",
                       std::to_string(loading_->damaged) + " stored records could not be used"});
  loading_.reset();
  if (config_.beat) reserve(out);
  out.push_back(TellReady{});
}

void PoaCore::adopt_rows() {
  Running& run = *running_;
  for (auto& [epoch, up] : loading_->up)
    if (epoch <= run.epoch) run.attendance.load(epoch, std::move(up));
  for (auto& [peer, row] : loading_->rows) {
    const bool open = !row.slots.empty();
    const bool fits = row.epoch <= run.epoch && (open || row.epoch + 1 < run.epoch);
    if (!fits || !ledger_.load_row(peer, std::move(row))) ++loading_->damaged;
  }
}

// Closes and forgets what is over.
void PoaCore::turn_epoch(std::uint64_t epoch, Effects& out) {
  Running& run = *running_;
  run.epoch = epoch;
  std::vector<Ledger::Erased> erased;
  ledger_.on_epoch(epoch, run.timeline, run.attendance, erased);
  StoreBatch batch;
  erase(erased, batch);
  if (epoch >= kEpochsKept)
    for (const std::uint64_t own : run.attendance.forget_before(epoch - kEpochsKept + 1))
      batch.erase(config_.family, key_of(kOwn, number_bytes(own)));
  if (!batch.writes.empty()) out.push_back(Commit{std::move(batch), Durability::buffered, 0});
}

void PoaCore::on_persisted(Now now, std::uint64_t tag, const Result<void>& result, Effects& out) {
  if (!running_) return;
  if (!result) {
    ledger_.mark_all_dirty();
    if (store_failures_++ == 0)
      out.push_back(Warn{"poa.store", "the store refused a write: " + result.error().what});
  }
  if (tag != kSequenceTag) return;
  running_->source.on_reserved(result.has_value());
  if (result) beat(now, out);
}

void PoaCore::reserve(Effects& out) {
  const auto mark = running_->source.reserve();
  if (!mark) return;
  StoreBatch batch;
  batch.put(config_.family, key_of(kSequence), to_checked(number_bytes(*mark)));
  out.push_back(Commit{std::move(batch), Durability::synced, kSequenceTag});
}

void PoaCore::save_peers(std::uint32_t turn, std::uint32_t turns, StoreBatch& batch) {
  const std::uint32_t slots = running_->timeline.slots_per_epoch();
  ledger_.take_dirty(turn, turns, [&](const Ledger::Peer& peer) {
    batch.put(config_.family, key_of(kPeer, peer.id.bytes()),
              to_checked(schema::encode_poa_peer({peer.sequence, peer.heard_slot, peer.capacity})));
    for (const Row& row : peer.rows)
      if (row.dirty)
        batch.put(config_.family, key_of(kRow, number_bytes(row.epoch), peer.id.bytes()),
                  to_checked(schema::encode_poa_epoch({slots, row.slots, row.seen, row.parts})));
  });
}

// Slots below `before` only.
void PoaCore::save_own(std::uint64_t before, StoreBatch& batch) {
  const Running& run = *running_;
  const std::uint32_t slots = run.timeline.slots_per_epoch();
  const std::uint64_t last = run.timeline.epoch_of_slot(before);
  for (std::uint64_t epoch = last > 0 ? last - 1 : 0; epoch <= last; ++epoch) {
    Bitmap up = run.attendance.up_before(epoch, before, run.timeline);
    if (!up.empty())
      batch.put(config_.family, key_of(kOwn, number_bytes(epoch)),
                to_checked(schema::encode_poa_epoch({slots, std::move(up), 0, {}})));
  }
  batch.put(config_.family, key_of(kClock), to_checked(number_bytes(run.attendance.judged())));
}

void PoaCore::save_turn(std::uint64_t slot, Effects& out) {
  StoreBatch batch;
  std::vector<Ledger::Erased> erased;
  ledger_.take_evicted(erased);
  erase(erased, batch);
  // Turns were left out when slots were: then all have theirs now.
  const bool next = slot == std::exchange(running_->turn_slot, slot) + 1;
  save_peers(next ? static_cast<std::uint32_t>(slot % kTurns) : 0, next ? kTurns : 1, batch);
  save_own(slot >= kTurns ? slot - kTurns : 0, batch);
  out.push_back(Commit{std::move(batch), Durability::buffered, 0});
}

void PoaCore::stop(Now now, Effects& out) {
  if (!running_) return;
  judge_slots(now, out);
  StoreBatch batch;
  save_peers(0, 1, batch);
  save_own(running_->attendance.judged(), batch);
  out.push_back(Commit{std::move(batch), Durability::buffered, 0});
}

void PoaCore::erase(const std::vector<Ledger::Erased>& erased, StoreBatch& batch) const {
  for (const Ledger::Erased& one : erased)
    batch.erase(config_.family, one.epoch ? key_of(kRow, number_bytes(*one.epoch), one.peer.bytes())
                                          : key_of(kPeer, one.peer.bytes()));
}

}  // namespace kith::poa
