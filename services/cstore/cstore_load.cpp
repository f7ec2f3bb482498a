// The log in the store: loading it at the start, and folding a namespace anew after a fork.
//
// A batch that was not read as it was written is read again kRereadsMax times, as that may pass.
// Then it is damaged: at the start it is not held, and comes again from others; of a namespace that
// is held it is asked of others and stored anew, while memory keeps what it said.
#include "net/base/check.hpp"
#include "services/cstore/cstore_core.hpp"

namespace kith::cstore {

void CstoreCore::start(Now, Effects& out) {
  Scan scan;
  scan.what.family = config_.families.meta;
  scan.tag = kTagLoadSpaces;
  out.push_back(std::move(scan));
}

void CstoreCore::on_scanned(Now now, std::uint64_t tag, Result<std::vector<StoreEntry>> entries,
                            bool more, Effects& out) {
  const std::uint64_t kind = tag >> 32 << 32;
  if (!entries) {
    ++counters_.store_failures;
    if (kind != kTagRefold) {
      out.push_back(TellReady{entries.error()});
      return;
    }
    Space& space = *spaces_[static_cast<SpaceIndex>(tag - kind)];
    space.folding.reset();
    space.refold = true;
    space.refold_after = now.mono + kRefoldEvery;
    return;
  }
  if (kind == kTagRefold)
    return on_refold_page(now, static_cast<SpaceIndex>(tag - kind), *entries, more, out);
  for (const StoreEntry& entry : *entries) {
    if (kind == kTagLoadSpaces)
      load_space(entry);
    else if (!load_batch(entry, out))
      return scan_log(kTagLoadLog, entry.key, {}, out);
  }
  if (kind == kTagLoadLog && !more) return on_loaded(now, out);
  Scan scan;
  scan.tag = more ? kind : kTagLoadLog;
  scan.what.family = scan.tag == kTagLoadSpaces ? config_.families.meta : config_.families.log;
  if (more) scan.what.from = key_after(entries->back().key);
  out.push_back(std::move(scan));
}

void CstoreCore::scan_log(std::uint64_t tag, Bytes from, Bytes to, Effects& out) {
  Scan scan;
  scan.what.family = config_.families.log;
  scan.what.from = std::move(from);
  scan.what.to = std::move(to);
  scan.tag = tag;
  out.push_back(std::move(scan));
}

// None: it is not what was written at this place.
std::optional<CstoreCore::Stored> CstoreCore::decode(const StoreEntry& entry,
                                                     const LogPlace& place) {
  const auto exact = of_checked(entry.value);
  if (!exact) return std::nullopt;
  const auto outer = schema::decode_kv_signed(*exact);
  if (!outer) return std::nullopt;
  auto batch = schema::decode_kv_batch(outer->body);
  if (!batch || batch->writer != place.writer || batch->sequence != place.sequence)
    return std::nullopt;
  const HeldBatch held{sha256(outer->body), static_cast<std::uint32_t>(exact->size())};
  return Stored{std::move(*batch), held, *exact};
}

// Whether to read a batch once more; if not, it is damaged.
bool CstoreCore::read_again(SpaceIndex index, const LogPlace& place, Effects& out) {
  Space& space = *spaces_[index];
  if (space.rereads++ < kRereadsMax) return true;
  space.rereads = 0;
  lose(index, place, out);
  return false;
}

void CstoreCore::lose(SpaceIndex index, const LogPlace& place, Effects& out) {
  if (!spaces_[index]->damaged.insert(place).second) return;
  ++counters_.damaged;
  if (spaces_[index]->damaged.size() == 1) out.push_back(TellDamaged{index});
}

void CstoreCore::on_damaged(Now now, const Bytes& key, Effects& out) {
  const auto at = by_name_.find(space_of_log_key(key));
  const auto place = place_of_log_key(key);
  CHECK(at != by_name_.end() && place);
  lose(at->second, *place, out);
  pull_soon(now, *spaces_[at->second]);
}

void CstoreCore::load_space(const StoreEntry& entry) {
  if (!schema::is_kv_space(entry.key.text()) || spaces_.size() >= kSpacesMax) return;
  Space& space = *spaces_[add_space(std::string(entry.key.text()))];
  space.record = Record::durable;
  const auto record = schema::decode_kv_space_record(entry.value);
  if (record && record->started != 0)
    space.own = Writer{config_.self, record->started, record->nonce};
}

// False: it is to be read again.
bool CstoreCore::load_batch(const StoreEntry& entry, Effects& out) {
  const auto at = by_name_.find(space_of_log_key(entry.key));
  const auto place = place_of_log_key(entry.key);
  if (at == by_name_.end() || !place) return true;
  Space& space = *spaces_[at->second];
  auto stored = decode(entry, *place);
  if (!stored && read_again(at->second, *place, out)) return false;
  space.rereads = 0;
  const bool next = place->sequence == space.log.highest(place->writer) + 1;
  // A number of ours that we cannot be sure of is never used again.
  if (space.own == place->writer && !(stored && next)) space.own.reset();
  if (!stored) return true;
  clock_.observe(stored->batch.stamp);
  if (next) {
    apply(at->second, stored->batch, space.log.hold(place->writer, stored->held), out);
  } else if (space.log.place(place->writer, place->sequence, stored->held.id,
                             stored->exact.size()) == Place::early) {
    // Ours may be nowhere else: it waits for those before it, which come again from others.
    space.log.early({std::move(stored->batch), stored->held.id, std::move(stored->exact)});
  }
  return true;
}

void CstoreCore::on_loaded(Now now, Effects& out) {
  loaded_ = true;
  for (SpaceIndex index = 0; index < spaces_.size(); ++index) {
    Space& space = *spaces_[index];
    space.synced = true;
    space.damaged.clear();  // as they are not held
    // Not all at once after a power cut.
    space.next_pull = now.mono + Duration(static_cast<std::int64_t>(rng_.below(1'000'000'000)));
    // The record is written with our first batch: without one it is of no use.
    if (space.own && space.log.highest(*space.own) == 0) space.own.reset();
    out.push_back(JoinTopic{index, space.name});
  }
  out.push_back(TellReady{});
  for (auto& [request, what] : std::exchange(early_requests_, {}))
    run(now, request, std::move(what), out);
}

// --- Folding anew, after a fork

void CstoreCore::start_refold(Now now, SpaceIndex index, Effects& out) {
  Space& space = *spaces_[index];
  space.refold = false;
  space.refold_after = now.mono + kRefoldEvery;
  space.folding.emplace();
  space.rereads = 0;
  auto [from, to] = log_range(space.name);
  scan_log(kTagRefold + index, std::move(from), std::move(to), out);
}

void CstoreCore::on_refold_page(Now now, SpaceIndex index, const std::vector<StoreEntry>& entries,
                                bool more, Effects& out) {
  Space& space = *spaces_[index];
  if (!space.folding) return;
  const Bytes to = log_range(space.name).second;
  for (const StoreEntry& entry : entries) {
    const auto place = place_of_log_key(entry.key);
    if (!place || place->sequence > space.log.highest(place->writer)) continue;
    const auto stored = decode(entry, *place);
    if (!stored) {
      if (read_again(index, *place, out)) return scan_log(kTagRefold + index, entry.key, to, out);
      // Folded when it has come again.
      space.folding.reset();
      space.refold = true;
      return pull_soon(now, space);
    }
    space.rereads = 0;
    const schema::KvBatch& batch = stored->batch;
    if (space.log.place(batch.writer, batch.sequence, stored->held.id, 0) != Place::known) continue;
    const Origin origin{batch.stamp, space.log.key_of(batch.writer), batch.sequence};
    for (std::uint32_t i = 0; i < batch.ops.size(); ++i)
      space.folding->apply(batch.ops[i], origin, i);
  }
  if (more) return scan_log(kTagRefold + index, key_after(entries.back().key), to, out);
  space.state = std::move(*space.folding);
  space.folding.reset();
  // What was replaced meanwhile may have been read in its old form.
  if (space.refold) space.refold_after = now.mono + kRefoldEvery;
}

}  // namespace kith::cstore
