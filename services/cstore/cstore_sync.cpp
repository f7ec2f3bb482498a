// Catching up: asking one holder for what we lack, and answering those who ask us.
#include "net/base/planted.hpp"
#include "services/cstore/cstore_core.hpp"

#include "net/base/check.hpp"

namespace kith::cstore {

Duration CstoreCore::pull_period() {
  const auto spread = static_cast<std::uint64_t>(kPullEvery.count() / 5);
  return kPullEvery + Duration(static_cast<std::int64_t>(rng_.below(spread)));
}

void CstoreCore::pull_soon(Now now, Space& space) {
  space.behind = true;
  const auto spread = static_cast<std::uint64_t>(kPullSoon.count());
  const Mono at = now.mono + kPullSoon + Duration(static_cast<std::int64_t>(rng_.below(spread)));
  space.next_pull = std::min(space.next_pull, at);
}

void CstoreCore::on_peer_ready(Now now) {
  if (!loaded_) return;
  // Its namespaces are known when gossip has told its topics.
  for (const auto& space : spaces_) {
    const bool behind = space->behind;
    pull_soon(now, *space);
    space->behind = behind;
  }
}

void CstoreCore::on_peer_gone(Now now, host::PeerSlot peer, Effects& out) {
  shunned_.erase(peer);
  for (SpaceIndex index = 0; index < spaces_.size(); ++index) {
    Space& space = *spaces_[index];
    if (space.hint == peer) space.hint.reset();
    if (space.pull && space.pull->peer == peer) end_pull(now, index, false, out);
  }
}

void CstoreCore::on_tick(Now now, Effects& out) {
  if (!loaded_) return;
  for (SpaceIndex index = 0; index < spaces_.size(); ++index) {
    Space& space = *spaces_[index];
    if (space.pull && now.mono >= space.pull->deadline) end_pull(now, index, false, out);
    if (now.mono >= space.sync_deadline) end_wait(space, index, out);
    if (space.refold && !space.folding && now.mono >= space.refold_after)
      start_refold(now, index, out);
    if (space.record == Record::refused && now.mono >= gate_.retry_at()) store_record(index, out);
    if (now.mono < space.next_pull) continue;
    if (now.mono < gate_.retry_at()) {
      // What came would not be stored.
      space.next_pull = gate_.retry_at();
      continue;
    }
    space.next_pull = now.mono + pull_period();
    if (!space.pull) out.push_back(AskHolders{index});
  }
}

Mono CstoreCore::next_deadline() const {
  Mono next = kNever;
  if (!loaded_) return next;
  for (const auto& space : spaces_) {
    next = std::min({next, space->next_pull, space->sync_deadline});
    if (space->pull) next = std::min(next, space->pull->deadline);
    if (space->refold && !space->folding) next = std::min(next, space->refold_after);
    if (space->record == Record::refused) next = std::min(next, gate_.retry_at());
  }
  return next;
}

void CstoreCore::on_holders(Now now, SpaceIndex index, const std::vector<host::PeerSlot>& peers,
                            Effects& out) {
  Space& space = *spaces_[index];
  if (space.pull) return;
  std::vector<host::PeerSlot> able;
  for (const host::PeerSlot peer : peers)
    if (shunned_.count(peer) == 0) able.push_back(peer);
  if (able.empty()) {
    // Somebody who waits for a first catch-up looks again soon.
    if (!space.synced) space.next_pull = std::min(space.next_pull, now.mono + kPullSoon);
    return;
  }
  host::PeerSlot chosen = able[static_cast<std::size_t>(rng_.below(able.size()))];
  if (space.hint && std::find(able.begin(), able.end(), *space.hint) != able.end())
    chosen = *space.hint;
  space.hint.reset();
  start_pull(now, index, chosen, out);
}

void CstoreCore::start_pull(Now now, SpaceIndex index, host::PeerSlot peer, Effects& out) {
  Space& space = *spaces_[index];
  Pull& pull = space.pull.emplace();
  pull.id = (++pulls_ << 16) | index;
  pull.peer = peer;
  pull.ends = now.mono + kPullTotal;
  pull.full =
      space.behind || !space.damaged.empty() || space.log.waiting() > 0 || space.log.batches() == 0;
  ++counters_.pulls;
  send_ask(now, index, out);
}

void CstoreCore::send_ask(Now now, SpaceIndex index, Effects& out) {
  Space& space = *spaces_[index];
  Pull& pull = *space.pull;
  pull.deadline = std::min(now.mono + kPullDeadline, pull.ends);
  pull.page_in = false;
  pull.more = false;
  pull.gained = 0;
  ++pull.pages;
  schema::KvAsk ask;
  ask.space = space.name;
  // Memory knows what the log cannot give: equal roots are not all then.
  if (space.damaged.empty()) ask.root = space.state.root();
  ask.full = pull.full;
  if (pull.walk_from > 0) {
    ask.walk = pull.forks.back();
    ask.walk.highest = pull.walk_from;
  } else if (pull.full) {
    ask.marks = space.log.marks();
    space.behind = false;
    space.missed = false;
  }
  out.push_back(SendAsk{pull.id, pull.peer, schema::encode_kv_ask(ask)});
}

SpaceIndex CstoreCore::space_of_pull(std::uint64_t pull) const {
  const auto index = static_cast<SpaceIndex>(pull & 0xFFFF);
  const bool ours = index < spaces_.size() && spaces_[index]->pull &&
                    spaces_[index]->pull->id == pull && !spaces_[index]->pull->page_in;
  return ours ? index : UINT32_MAX;
}

void CstoreCore::on_page(Now now, std::uint64_t pull, const Bytes& message, Effects& out) {
  const SpaceIndex index = space_of_pull(pull);
  if (index == UINT32_MAX) return;
  const auto page = schema::decode_kv_page(message);
  if (!page) {
    count_unreadable(page.error());
    return shun(now, index, out);
  }
  take_page(now, index, *page, out);
}

void CstoreCore::on_pull_lost(Now now, std::uint64_t pull, const Error* why, Effects& out) {
  const SpaceIndex index = space_of_pull(pull);
  if (index == UINT32_MAX) return;
  if (why == nullptr || why->code != Errc::oversized) return end_pull(now, index, false, out);
  ++counters_.oversized;  // the host did not even read such an answer
  shun(now, index, out);
}

void CstoreCore::take_page(Now now, SpaceIndex index, const schema::KvPage& page, Effects& out) {
  Pull& pull = *spaces_[index]->pull;
  if (page.same) return end_pull(now, index, true, out);
  if (!pull.full) {
    pull.full = true;
    return send_ask(now, index, out);
  }
  pull.page_in = true;
  pull.more = page.more && !page.batches.empty();
  if (pull.walk_from > 0)
    pull.walk_from += page.batches.size();
  else if (pull.forks.empty())
    start_walks(index, page);
  // Held up until all of the page is taken, lest the first of its checks ends it.
  ++pull.verifying;
  const std::uint64_t id = pull.id;
  for (const Bytes& batch : page.batches) {
    if (planted(Planted::page_cut_short) && &batch == &page.batches.back()) break;
    if (!take_paged_batch(now, index, batch, out)) return shun(now, index, out);
  }
  CHECK(spaces_[index]->pull && spaces_[index]->pull->id == id);
  --spaces_[index]->pull->verifying;
  go_on_pulling(now, index, out);
}

// The logs of those writers are read from their beginning of whom another holds another half of a
// fork, or of whom ours is damaged.
void CstoreCore::start_walks(SpaceIndex index, const schema::KvPage& page) {
  const Space& space = *spaces_[index];
  auto& walks = spaces_[index]->pull->forks;
  walks = page.forks;
  for (const LogPlace& lost : space.damaged)
    if (walks.empty() || walks.back().writer != lost.writer) walks.push_back({lost.writer, 1, {}});
}

// False: no honest holder sends this.
bool CstoreCore::take_paged_batch(Now now, SpaceIndex index, const Bytes& message, Effects& out) {
  Space& space = *spaces_[index];
  auto parsed = parse(message);
  if (!parsed) return false;
  const schema::KvBatch& batch = parsed->batch;
  if (batch.space != space.name) {
    ++counters_.forged;
    return false;
  }
  if (HybridClock::is_future(now.wall, batch.stamp)) {
    ++counters_.future;  // its clock may be ahead of ours; it comes again when the time has come
    return true;
  }
  const Place place = space.log.place(batch.writer, batch.sequence, parsed->id, message.size());
  const bool walking = space.pull->walk_from > 0;  // then we asked for what we may have
  const bool lost = space.damaged.count({batch.writer, batch.sequence}) != 0;
  if (place == Place::known && !walking) ++counters_.replayed;
  if ((place == Place::known && !lost) || place == Place::fork_loses) return true;
  if (place == Place::full || verifying_.size() >= kVerifyingMax) {
    ++counters_.full;
    return true;
  }
  verify(index, std::move(*parsed), std::nullopt, false, out);
  return true;
}

void CstoreCore::go_on_pulling(Now now, SpaceIndex index, Effects& out) {
  Pull& pull = *spaces_[index]->pull;
  if (!pull.page_in || pull.verifying > 0) return;
  if (pull.pages >= kPagesPerPullMax) return end_pull(now, index, true, out);
  const bool missed = spaces_[index]->missed;
  if (missed && (pull.walk_from > 0 || pull.gained == 0)) return end_pull(now, index, false, out);
  if (pull.walk_from > 0) {
    if (pull.more) return send_ask(now, index, out);
    pull.forks.pop_back();
    pull.walk_from = 0;
  } else if ((pull.more || missed) && pull.gained > 0) {
    return send_ask(now, index, out);
  }
  if (pull.forks.empty()) return end_pull(now, index, true, out);
  pull.walk_from = 1;
  send_ask(now, index, out);
}

void CstoreCore::end_pull(Now now, SpaceIndex index, bool complete, Effects& out) {
  Space& space = *spaces_[index];
  out.push_back(EndPull{space.pull->id});
  space.pull.reset();
  if (complete) {
    space.damaged.clear();  // what did not come is noticed again, and then asked of another
    if (!space.synced) end_wait(space, index, out);
    return;
  }
  ++counters_.pulls_failed;
  pull_soon(now, space);
}

void CstoreCore::shun(Now now, SpaceIndex index, Effects& out) {
  if (shunned_.size() < kShunnedMax) shunned_.insert(spaces_[index]->pull->peer);
  end_pull(now, index, false, out);
}

// --- Answering

void CstoreCore::on_ask(Now now, host::StreamSlot stream, host::PeerSlot peer, const Bytes& message,
                        Effects& out) {
  const auto ask = schema::decode_kv_ask(message);
  if (!ask) {
    count_unreadable(ask.error());
    out.push_back(Refuse{stream});
    return;
  }
  ++counters_.pages_served;
  Serve serve{stream, {}, {}};
  const auto at = by_name_.find(ask->space);
  if (loaded_ && at != by_name_.end()) {
    Space& space = *spaces_[at->second];
    const bool walking = !ask->walk.writer.id.empty();
    serve.page.same = !walking && ask->root == space.state.root();
    if (ask->full && !serve.page.same) select(space, *ask, serve);
    for (const schema::KvMark& mark : ask->marks) {
      if (mark.highest <= space.log.highest(mark.writer)) continue;
      space.hint = peer;
      pull_soon(now, space);
      break;
    }
  }
  out.push_back(std::move(serve));
}

void CstoreCore::select(const Space& space, const schema::KvAsk& ask, Serve& serve) const {
  std::map<Writer, const schema::KvMark*> marks;
  for (const schema::KvMark& mark : ask.marks) marks[mark.writer] = &mark;
  constexpr std::size_t kPerBatch = 16;  // of the frame
  std::size_t bytes = 0;
  const auto take = [&](const Writer& writer, const BatchLog::Writings& writings,
                        std::uint64_t from) {
    for (std::uint64_t sequence = from; sequence <= writings.highest(); ++sequence) {
      bytes += writings.held[static_cast<std::size_t>(sequence - 1)].bytes + kPerBatch;
      if (bytes > kPageBytesMax || serve.keys.size() >= schema::kKvPageBatchesMax) {
        serve.page.more = true;
        return;
      }
      serve.keys.push_back(log_key(space.name, writer, sequence));
    }
  };
  if (!ask.walk.writer.id.empty()) {
    const BatchLog::Writings* writings = space.log.find(ask.walk.writer);
    if (writings != nullptr && ask.walk.highest > 0)
      take(ask.walk.writer, *writings, ask.walk.highest);
    return;
  }
  constexpr std::size_t kForksPerPageMax = 16;
  for (const auto& [writer, writings] : space.log.writers()) {
    const auto mark = marks.find(writer);
    const std::uint64_t theirs = mark == marks.end() ? 0 : mark->second->highest;
    if (theirs < writings.highest() && !serve.page.more) take(writer, writings, theirs + 1);
    if (theirs != 0 && theirs == writings.highest() && mark->second->digest != writings.digest &&
        serve.page.forks.size() < kForksPerPageMax)
      serve.page.forks.push_back({writer, theirs, writings.digest});
  }
}

}  // namespace kith::cstore
