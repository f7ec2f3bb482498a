// Batches of others.
#include "services/cstore/cstore_core.hpp"

#include "net/base/check.hpp"

namespace kith::cstore {

using gossip::Verdict;

void CstoreCore::count_unreadable(const Error& why) {
  if (why.code == Errc::oversized)
    ++counters_.oversized;
  else if (why.code == Errc::truncated)
    ++counters_.truncated;
  else
    ++counters_.malformed;
}

// Decodes, without believing: whose batch it is says its signature, which comes last.
Result<CstoreCore::Parsed> CstoreCore::parse(const Bytes& message) {
  const auto blamed = [this](const Error& error) {
    count_unreadable(error);
    return error;
  };
  Parsed parsed;
  auto outer = schema::decode_kv_signed(message);
  if (!outer) return blamed(outer.error());
  auto batch = schema::decode_kv_batch(outer->body);
  if (!batch) return blamed(batch.error());
  parsed.message = std::move(*outer);
  parsed.batch = std::move(*batch);
  parsed.id = sha256(parsed.message.body);
  parsed.exact = message;
  return parsed;
}

bool CstoreCore::has_room(const Space& space, std::size_t bytes) const {
  if (!space.log.has_room(bytes)) return false;
  std::uint64_t total = bytes;
  for (const auto& one : spaces_) total += one->log.bytes_claimed();
  return total <= kNodeBytesMax;
}

Verdict CstoreCore::on_message(Now now, SpaceIndex index, gossip::JudgeSlot judge,
                               const PeerId& from, const PeerId& via, const Bytes& message,
                               Effects& out) {
  Space& space = *spaces_[index];
  auto parsed = parse(message);
  if (!parsed) return Verdict::reject;
  const schema::KvBatch& batch = parsed->batch;
  if (batch.space != space.name || batch.writer.id != from) {
    ++counters_.forged;
    return Verdict::reject;
  }
  const bool via_writer = via == from;
  if (HybridClock::is_future(now.wall, batch.stamp)) {
    ++counters_.future;
    // A forwarder whose clock is ahead of ours took it in good faith.
    const bool by_far = HybridClock::is_future(now.wall + kClockAheadMax, batch.stamp);
    // A little ahead may be a clock that a stranger led astray, or ours: nobody is to blame.
    return by_far ? Verdict::reject : Verdict::ignore;
  }
  switch (space.log.place(batch.writer, batch.sequence, parsed->id, message.size())) {
    case Place::known:
      ++counters_.replayed;
      return Verdict::ignore;
    case Place::full:
      ++counters_.full;
      return Verdict::ignore;
    case Place::too_early:
      ++counters_.gaps;
      pull_soon(now, space);
      return Verdict::ignore;
    default:
      break;
  }
  if (verifying_.size() >= kVerifyingMax) {
    ++counters_.full;
    return Verdict::ignore;
  }
  verify(index, std::move(*parsed), judge, via_writer, out);
  return Verdict::pending;
}

void CstoreCore::verify(SpaceIndex index, Parsed parsed, std::optional<gossip::JudgeSlot> judge,
                        bool via_writer, Effects& out) {
  Space& space = *spaces_[index];
  Verify effect{{}, parsed.batch.writer.id, std::move(parsed.message)};
  Verifying waiting{index, std::move(parsed), judge, 0, via_writer};
  if (!judge) {
    waiting.pull = space.pull->id;
    ++space.pull->verifying;
  }
  effect.slot = verifying_.insert(std::move(waiting));
  out.push_back(std::move(effect));
}

void CstoreCore::on_verified(Now now, VerifySlot slot, bool valid, Effects& out) {
  Verifying* found = verifying_.find(slot);
  CHECK(found != nullptr);
  Verifying one = std::move(*found);
  verifying_.erase(slot);
  Space& space = *spaces_[one.space];
  Verdict verdict = Verdict::reject;
  if (valid) verdict = merge(now, one.space, std::move(one.parsed), one.via_writer, one.pull, out);
  if (!valid) ++counters_.forged;
  if (one.judge) {
    out.push_back(Settle{*one.judge, verdict});
    return;
  }
  if (!space.pull || space.pull->id != one.pull) return;
  if (!valid) return shun(now, one.space, out);
  --space.pull->verifying;
  go_on_pulling(now, one.space, out);
}

// That our store has no room now is nothing to others: a batch is passed on all the same.
Verdict CstoreCore::merge(Now now, SpaceIndex index, Parsed parsed, bool via_writer,
                          std::uint64_t pull, Effects& out) {
  Space& space = *spaces_[index];
  const Writer writer = parsed.batch.writer;
  const std::uint64_t sequence = parsed.batch.sequence;
  const std::size_t bytes = parsed.exact.size();
  const HeldBatch held{parsed.id, static_cast<std::uint32_t>(bytes)};
  Place place = space.log.place(writer, sequence, parsed.id, bytes);
  if ((place == Place::next || place == Place::early) && !has_room(space, bytes))
    place = Place::full;
  const bool ours = space.own == writer || (space.flight && space.flight->batch.writer == writer);
  if (ours && (place == Place::next || place == Place::early)) {
    // We wrote this and do not know it: our store is an older copy. What is under way keeps its
    // number, and the fork, if it is one, is settled as others' are.
    space.own.reset();
    if (space.flight && space.flight->batch.writer == writer) return Verdict::ignore;
  }
  switch (place) {
    case Place::next: {
      store(now, index, {std::move(parsed.batch), held, pull, false}, parsed.exact, out);
      store_waiting(now, index, writer, pull, out);
      return Verdict::accept;
    }
    case Place::early:
      ++counters_.gaps;
      space.log.early({std::move(parsed.batch), parsed.id, std::move(parsed.exact)});
      pull_soon(now, space);
      return Verdict::accept;
    case Place::known:
      if (space.damaged.erase({writer, sequence}) > 0)
        replace(now, index, std::move(parsed), pull, out);
      else
        ++counters_.replayed;
      return Verdict::ignore;
    case Place::fork_wins:
      replace(now, index, std::move(parsed), pull, out);
      [[fallthrough]];
    case Place::fork_loses:
      ++counters_.forks;
      // An honest forwarder cannot know that we hold the other half.
      return via_writer ? Verdict::reject : Verdict::ignore;
    case Place::too_early:
      ++counters_.gaps;
      pull_soon(now, space);
      return Verdict::ignore;
    case Place::full:
      break;
  }
  ++counters_.full;
  return Verdict::ignore;
}

// What is held: the other half of a fork, or a damaged batch as it was. One of a number at a time,
// so that the store ends up with the half that the log has.
void CstoreCore::replace(Now now, SpaceIndex index, Parsed parsed, std::uint64_t pull,
                         Effects& out) {
  for (const Storing& one : spaces_[index]->storing)
    if (one.replaces && one.batch.writer == parsed.batch.writer &&
        one.batch.sequence == parsed.batch.sequence)
      return;
  const HeldBatch held{parsed.id, static_cast<std::uint32_t>(parsed.exact.size())};
  store(now, index, {std::move(parsed.batch), held, pull, true}, parsed.exact, out);
}

// Hands it to the store, if that takes any now.
void CstoreCore::store(Now now, SpaceIndex index, Storing one, const Bytes& exact, Effects& out) {
  Space& space = *spaces_[index];
  if (!gate_.may_store(now.mono, storing_ > 0)) return miss(now, space);
  const schema::KvBatch& batch = one.batch;
  if (!one.replaces) space.log.store(batch.writer, one.held);
  if (space.pull && space.pull->id == one.pull) ++space.pull->verifying;
  Commit commit;
  commit.batch.put(config_.families.log, log_key(space.name, batch.writer, batch.sequence),
                   to_checked(exact));
  commit.tag = kTagStored + index;
  commit.durability = Durability::buffered;
  out.push_back(std::move(commit));
  space.storing.push_back(std::move(one));
  ++storing_;
}

// Those that waited for the one that came.
void CstoreCore::store_waiting(Now now, SpaceIndex index, const Writer& writer, std::uint64_t pull,
                               Effects& out) {
  while (gate_.may_store(now.mono, storing_ > 0)) {
    auto next = spaces_[index]->log.take_next(writer);
    if (!next) return;
    const HeldBatch held{next->id, static_cast<std::uint32_t>(next->exact.size())};
    store(now, index, {std::move(next->batch), held, pull, false}, next->exact, out);
  }
}

void CstoreCore::miss(Now now, Space& space) {
  ++counters_.unstored;
  space.missed = true;
  pull_soon(now, space);
}

void CstoreCore::on_stored(Now now, SpaceIndex index, bool taken, Effects& out) {
  Space& space = *spaces_[index];
  CHECK(!space.storing.empty());
  const Storing one = std::move(space.storing.front());
  space.storing.pop_front();
  --storing_;
  if (taken) {
    gate_.on_stored(now.mono);
    taken = take_stored(now, index, one, out);
  } else {
    gate_.on_refused(now.mono);
    if (!one.replaces) space.log.not_stored(one.batch.writer, one.batch.sequence, one.held.id);
  }
  if (!taken) miss(now, space);
  if (!space.pull || space.pull->id != one.pull) return;
  --space.pull->verifying;
  if (taken && !one.replaces) ++space.pull->gained;
  go_on_pulling(now, index, out);
}

// False: one before it was refused, so it is as if it were not there.
bool CstoreCore::take_stored(Now now, SpaceIndex index, const Storing& one, Effects& out) {
  Space& space = *spaces_[index];
  const schema::KvBatch& batch = one.batch;
  if (one.replaces) {
    space.log.replace(batch.writer, batch.sequence, one.held);
    space.refold = true;
    return true;
  }
  const Writer* writer = space.log.stored(batch.writer, batch.sequence, one.held.id);
  if (writer == nullptr) return false;
  clock_.observe(batch.stamp);
  apply(index, batch, writer, out);
  ++counters_.batches_merged;
  counters_.changes_merged += batch.ops.size();
  store_waiting(now, index, batch.writer, one.pull, out);
  return true;
}

void CstoreCore::apply(SpaceIndex index, const schema::KvBatch& batch, const Writer* writer,
                       Effects& out) {
  Space& space = *spaces_[index];
  const Origin origin{batch.stamp, writer, batch.sequence};
  for (std::uint32_t i = 0; i < batch.ops.size(); ++i) {
    const bool changed = space.state.apply(batch.ops[i], origin, i);
    if (space.folding) space.folding->apply(batch.ops[i], origin, i);
    if (changed) tell_watchers(index, batch.ops[i].key, out);
  }
}

void CstoreCore::tell_watchers(SpaceIndex index, const Bytes& key, Effects& out) {
  for (const auto& [request, watch] : watches_)
    if (watch.space == index && key.text().starts_with(watch.prefix.text()))
      out.push_back(
          TellProgress{request, Change{spaces_[index]->name, spaces_[index]->state.describe(key)}});
}

}  // namespace kith::cstore
