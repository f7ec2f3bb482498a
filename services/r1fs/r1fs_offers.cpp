// Offers: ours going out, others' coming in; blocks that were asked for arriving.
#include "net/base/check.hpp"
#include "services/r1fs/r1fs_core.hpp"

namespace kith::r1fs {

gossip::Verdict R1fsCore::on_offer(Now now, gossip::JudgeSlot judge, host::PeerSlot via,
                                   const PeerId& publisher, const Bytes& data, Effects& out) {
  using gossip::Verdict;
  auto offer = schema::decode_offer(data);
  if (!offer) return Verdict::reject;
  const Verdict verdict = keeper_.judge(now, config_.self, publisher, *offer, index_);
  if (verdict == Verdict::accept && keeper_.enabled()) note_held(now, *offer, publisher, out);
  if (verdict != Verdict::pending) return verdict;
  Pull pull;
  pull.judge = judge;
  pull.via = via;
  pull.publisher = publisher;
  pull.offer = std::move(*offer);
  for (const schema::OfferedBlock& block : pull.offer.blocks) {
    if (index_.held(block.cid.hash())) continue;
    if (pull.missing.emplace(block.cid.hash(), block).second) pull.promised += block.size;
  }
  std::uint64_t promised = 0;  // by this publisher, and not here yet
  for (const auto& [fetch, other] : pulls_)
    if (other.publisher == publisher) promised += other.promised;
  if (waiting_pulls_.size() >= kPullsWaiting ||
      !keeper_.allow(now, publisher, pull.promised, promised, index_))
    return Verdict::accept;
  if (index_.reserve(BlockIndex::Use::kept, pull.promised))
    pull.reserved = pull.promised;
  else if (!index_.eviction_candidate(BlockIndex::Use::kept, pull.promised))
    return Verdict::accept;
  const FetchId fetch = pull.fetch = ++tags_;
  pull.deadline = later(now.mono, kPullTime);
  pulls_.emplace(fetch, std::move(pull));
  if (active_pulls_ < kPullsMax)
    start_pull(now, fetch, out);
  else
    waiting_pulls_.push_back(fetch);
  return Verdict::pending;
}

void R1fsCore::start_pull(Now now, FetchId fetch, Effects& out) {
  ++active_pulls_;
  Pull& pull = pulls_.at(fetch);
  out.push_back(StartFetch{fetch, host::Priority::bulk});
  out.push_back(FetchFrom{fetch, pull.via});
  const std::map<Multihash, schema::OfferedBlock> missing = pull.missing;
  for (const auto& [hash, block] : missing) {
    // While this pull waited its turn, another pull or a get may have brought it.
    if (index_.held(hash) || !block.body.empty() || block.size == 0)
      pull_block(now, pull, block.cid, block.body, out);
    else
      out.push_back(WantBlock{fetch, block.cid, block.size});
  }
  if (pull.missing.empty() && pull.writing == 0) end_pull(now, fetch, gossip::Verdict::accept, out);
}

void R1fsCore::pull_block(Now, Pull& pull, const Cid& cid, const Bytes& data, Effects& out) {
  const auto at = pull.missing.find(cid.hash());
  if (at == pull.missing.end()) return;
  const std::uint32_t size = at->second.size;
  pull.missing.erase(at);
  pull.promised -= size;
  const bool reserved = pull.reserved > 0;
  if (reserved) {
    index_.release(BlockIndex::Use::kept, size);
    pull.reserved -= size;
  }
  if (index_.held(cid.hash())) return;
  // Others' blocks give way to a block that is here, never to the promise of one.
  if (!reserved) {
    if (!make_room(BlockIndex::Use::kept, size, out)) return;
    index_.release(BlockIndex::Use::kept, size);
  }
  schema::FileRecord record;
  record.root = pull.offer.root;
  record.bytes = pull.offer.file_bytes;
  record.blocks = pull.offer.blocks_total;
  record.is_public = true;
  record.publisher = pull.publisher;
  ++pull.writing;
  pull.bytes_kept += data.size();
  keep_block(pull.fetch, pull.offer.root.hash(), pull.publisher, cid, data, record,
             Durability::synced, out);
}

void R1fsCore::on_fetched(Now now, FetchId fetch, const Cid& cid, const Bytes& data, Effects& out) {
  if (const auto reader = getter_fetches_.find(fetch); reader != getter_fetches_.end()) {
    const RequestId request = reader->second;
    FileGetter& getter = getters_.at(request);
    const Multihash root = getter.what().cid.hash();
    if (!index_.held(cid.hash()) && make_room(BlockIndex::Use::kept, data.size(), out)) {
      index_.release(BlockIndex::Use::kept, data.size());
      schema::FileRecord record;
      record.root = getter.what().cid;
      record.bytes = getter.file_bytes();
      record.is_public = true;
      keep_block(fetch, root, {}, cid, data, record, Durability::buffered, out);
      getter.on_keeping(data.size());
    } else if (index_.held(cid.hash())) {
      // It was asked for because what is stored is damaged: the disk gets it anew.
      StoreBatch batch;
      batch.put(config_.families.blocks, cid.hash().bytes(), data);
      commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
    }
    Effects child;
    Result<void> step = getter.on_fetched(now, cid, data, index_, child);
    return after_getter(now, request, std::move(step), child, out);
  }
  const auto at = pulls_.find(fetch);
  if (at == pulls_.end()) return;
  Pull& pull = at->second;
  const auto wanted = pull.missing.find(cid.hash());
  if (wanted == pull.missing.end()) return;
  if (data.size() != wanted->second.size) {
    // The publisher signed a size that is not the block's.
    keeper_.blame(now, pull.publisher);
    return end_pull(now, fetch, gossip::Verdict::reject, out);
  }
  pull_block(now, pull, cid, data, out);
  if (pull.missing.empty() && pull.writing == 0) end_pull(now, fetch, gossip::Verdict::accept, out);
}

void R1fsCore::on_unavailable(Now now, FetchId fetch, const Cid& cid, Effects& out) {
  if (const auto reader = getter_fetches_.find(fetch); reader != getter_fetches_.end()) {
    getters_.at(reader->second).on_unavailable(now, cid, out);
    return;
  }
  const auto at = pulls_.find(fetch);
  if (at == pulls_.end() || at->second.asked_everyone) return;
  at->second.asked_everyone = true;
  out.push_back(FetchFromEveryone{fetch});
}

void R1fsCore::end_pull(Now now, FetchId fetch, gossip::Verdict verdict, Effects& out) {
  const auto at = pulls_.find(fetch);
  if (at == pulls_.end()) return;
  const Pull pull = std::move(at->second);
  pulls_.erase(at);
  index_.release(BlockIndex::Use::kept, pull.reserved);
  out.push_back(SettleOffer{pull.judge, verdict});
  const auto waiting = std::find(waiting_pulls_.begin(), waiting_pulls_.end(), fetch);
  if (waiting != waiting_pulls_.end()) {
    waiting_pulls_.erase(waiting);
  } else {
    out.push_back(EndFetch{fetch});
    --active_pulls_;
  }
  if (verdict == gossip::Verdict::accept) note_held(now, pull.offer, pull.publisher, out);
  if (!waiting_pulls_.empty() && active_pulls_ < kPullsMax) {
    const FetchId next = waiting_pulls_.front();
    waiting_pulls_.pop_front();
    start_pull(now, next, out);
  }
}

// Of this file we hold what the offer named. When that is all of it, a look at the tree decides.
void R1fsCore::note_held(Now now, const schema::Offer& offer, const PeerId&, Effects& out) {
  const auto file = files_.find(offer.root.hash());
  if (file == files_.end() || file->second.own) return;
  Kept& kept = kept_[offer.root.hash()];
  index_.touch(offer.root.hash());
  if (kept.complete) return;
  for (const schema::OfferedBlock& block : offer.blocks)
    if (index_.held(block.cid.hash())) kept.have.insert(block.cid.hash());
  if (kept.have.size() >= offer.blocks_total) start_scan(now, offer.root, ForKept{}, out);
}

bool R1fsCore::holds(const Cid& root) const {
  const auto file = files_.find(root.hash());
  if (file == files_.end()) return false;
  if (file->second.own) return file->second.is_public;
  const auto kept = kept_.find(root.hash());
  return kept != kept_.end() && kept->second.complete;
}

void R1fsCore::on_holds(const PeerId& peer, const Cid& root, bool complete, Effects& out) {
  const auto spreader = spreaders_.find(root.hash());
  if (spreader == spreaders_.end()) return;
  spreader->second.on_holds(peer, complete);
  tell_waiters(root.hash(), out);
}

void R1fsCore::tell_waiters(const Multihash& root, Effects& out) {
  const auto waiting = waiters_.find(root);
  if (waiting == waiters_.end()) return;
  const Spreader& spreader = spreaders_.at(root);
  const auto keepers = static_cast<std::uint32_t>(spreader.keepers().size());
  const FileInfo info = info_of(files_.at(root));
  std::erase_if(waiting->second, [&](const Waiter& waiter) {
    if (keepers >= waiter.keepers) {
      FileAnswer answer;
      answer.file = info;
      out.push_back(TellDone{waiter.request, std::move(answer)});
      return true;
    }
    FileProgress progress;
    progress.phase = Phase::spreading;
    progress.bytes_total = info.bytes;
    progress.keepers = keepers;
    progress.note = std::to_string(info.blocks_to_spread) + " blocks to spread, " +
                    std::to_string(keepers) + " of " + std::to_string(waiter.keepers) +
                    " peers hold all";
    out.push_back(TellProgress{waiter.request, std::move(progress)});
    return false;
  });
  if (waiting->second.empty()) waiters_.erase(waiting);
  spreaders_.at(root).expect_no_more_than(keepers_waited_for(root));
}

std::uint32_t R1fsCore::keepers_waited_for(const Multihash& root) const {
  std::uint32_t most = 0;
  if (const auto waiting = waiters_.find(root); waiting != waiters_.end())
    for (const Waiter& waiter : waiting->second) most = std::max(most, waiter.keepers);
  return most;
}

void R1fsCore::start_spread(Now now, const schema::FileRecord& record, ScanResult scan,
                            Effects& out) {
  const Multihash root = record.root.hash();
  if (!scan.complete || spreaders_.count(root) != 0) return;
  Spreader& spreader = spreaders_
                           .emplace(root, Spreader(record.root, record.bytes,
                                                   std::move(scan.blocks), record.offers_done))
                           .first->second;
  if (const auto waiting = waiters_.find(root); waiting != waiters_.end())
    for (const Waiter& waiter : waiting->second) spreader.expect_keepers(now, waiter.keepers);
  tell_waiters(root, out);
}

void R1fsCore::on_block_given(Now, const Multihash& hash, Effects&) {
  for (auto& [root, spreader] : spreaders_)
    if (!spreader.all_offered()) spreader.on_block_given(hash);
}

void R1fsCore::prepare_offer(Now now, Spreader& spreader, std::uint32_t offer, Effects& out) {
  const std::vector<Multihash> small = spreader.small_blocks(offer);
  if (small.empty()) return publish(now, spreader, offer, {}, out);
  const Multihash& root = spreader.root().hash();
  offer_bodies_[{root, offer}] = {small.size(), {}};
  for (const Multihash& hash : small) {
    const std::uint64_t tag = ++tags_;
    reads_.emplace(tag, OfferBody{root, offer, hash});
    out.push_back(ReadStored{tag, hash});
  }
}

void R1fsCore::publish(Now now, Spreader& spreader, std::uint32_t offer,
                       const std::map<Multihash, Bytes>& bodies, Effects& out) {
  out.push_back(PublishOffer{schema::encode_offer(spreader.make_offer(offer, now.wall, bodies))});
  spreader.on_published(now, offer);
}

void R1fsCore::on_tick(Now now, bool has_mesh, const std::vector<host::PeerSlot>& listeners,
                       Effects& out) {
  std::vector<FetchId> late;
  for (const auto& [fetch, pull] : pulls_)
    if (pull.deadline <= now.mono) late.push_back(fetch);
  for (const FetchId fetch : late) {
    const auto at = pulls_.find(fetch);
    if (at == pulls_.end()) continue;
    // What nobody can give, not even who offered it, is rubbish; what we never asked for is only
    // late.
    if (at->second.asked_everyone) keeper_.blame(now, at->second.publisher);
    end_pull(now, fetch, gossip::Verdict::ignore, out);
  }
  for (auto& [request, getter] : getters_) getter.on_tick(now, out);
  for (auto& [root, spreader] : spreaders_) {
    std::vector<std::uint32_t> ready;
    spreader.on_tick(now, has_mesh, ready);
    for (const std::uint32_t offer : ready) prepare_offer(now, spreader, offer, out);
    std::uint32_t offers_done = 0;
    if (spreader.take_progress(offers_done)) {
      schema::FileRecord record = files_.at(root);
      record.offers_done = offers_done;
      StoreBatch batch;
      put_file(batch, record);
      commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
      tell_waiters(root, out);
    }
    if (spreader.asks_now(now))
      for (const host::PeerSlot peer : listeners) out.push_back(AskHolds{peer, spreader.root()});
  }
}

}  // namespace kith::r1fs
