// Looking at a file, removing it, and giving up.
#include "services/r1fs/r1fs_core.hpp"

namespace kith::r1fs {

bool R1fsCore::still_loading(RequestId request, Effects& out) const {
  if (loaded_) return false;
  out.push_back(TellDone{request, fail(Errc::refused, "the files are still being loaded",
                                       "the node has just started", "try again in a moment")});
  return true;
}

void R1fsCore::stat(Now now, RequestId request, const Cid& cid, Effects& out) {
  if (still_loading(request, out)) return;
  start_scan(now, cid, ForStat{request}, out);
}

void R1fsCore::remove(Now now, RequestId request, const Cid& cid, Effects& out) {
  if (still_loading(request, out)) return;
  const auto file = files_.find(cid.hash());
  if (file == files_.end())
    return out.push_back(TellDone{request, fail(Errc::not_local, cid.text() + " is not held here",
                                                {}, "kith file ls shows what is")});
  start_scan(now, file->second.root, ForRemove{request}, out);
}

void R1fsCore::finish_remove(Now, RequestId request, const Cid& root, ScanResult scan,
                             Effects& out) {
  if (settling_.count(root.hash()) != 0)
    return removals_waiting_.emplace_back(request, root), void();
  const auto file = files_.find(root.hash());
  if (file == files_.end())
    return out.push_back(
        TellDone{request, fail(Errc::not_local, root.text() + " is not held here any more")});
  RemoveSeal removed{request, info_of(file->second), 0, file->second, {}};
  const schema::FileRecord& record = removed.record;
  if (record.own)
    for (const ScannedBlock& scanned : scan.blocks)
      if (const schema::BlockRecord* held = index_.find(scanned.cid.hash()))
        removed.blocks.emplace(scanned.cid.hash(), *held);
  for (const Multihash& hash : index_.blocks_kept_for(root.hash()))
    removed.blocks.emplace(hash, *index_.find(hash));
  StoreBatch batch;
  for (const auto& [hash, before] : removed.blocks) {
    schema::BlockRecord block = before;
    std::uint32_t& refs = record.is_public ? block.public_refs : block.local_refs;
    if (record.own && refs > 0) --refs;
    if (block.kept_for == root.hash()) {
      block.kept_for = {};
      keeper_.account(record.publisher, -static_cast<std::int64_t>(block.size));
    }
    if (block.public_refs > 0 || block.local_refs > 0 || !block.kept_for.empty())
      put_block_record(batch, hash, block);
    else
      removed.freed += drop_block(batch, hash);
  }
  batch.erase(config_.families.files, root.hash().bytes());
  files_.erase(file);
  kept_.erase(root.hash());
  spreaders_.erase(root.hash());
  settling_.insert(root.hash());
  commit(std::move(batch), Durability::synced, std::move(removed), out);
}

void R1fsCore::on_removed(Now now, RemoveSeal removed, Result<void> result, Effects& out) {
  const schema::FileRecord& record = removed.record;
  const Multihash& root = record.root.hash();
  if (!result) {
    // The file is still there. Later batches built on its absence: they are put right too.
    StoreBatch batch;
    for (const auto& [hash, before] : removed.blocks) {
      const schema::BlockRecord* known = index_.find(hash);
      schema::BlockRecord block = known == nullptr ? before : *known;
      if (known == nullptr) {
        block.public_refs = block.local_refs = 0;
        block.kept_for = {};
      }
      if (before.kept_for == root && block.kept_for.empty()) {
        block.kept_for = root;
        keeper_.account(record.publisher, static_cast<std::int64_t>(block.size));
      }
      if (record.own) ++(record.is_public ? block.public_refs : block.local_refs);
      put_block_record(batch, hash, block);
    }
    put_file(batch, record);
    commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
    if (!record.own)
      start_scan(now, record.root, ForKept{}, out);
    else if (record.is_public)
      start_scan(now, record.root, ForSpread{}, out);
    out.push_back(TellDone{removed.request, result.error()});
    return settle_root(now, root, out);
  }
  if (record.is_public) out.push_back(UnprovideRoot{root});
  if (const auto waiting = waiters_.find(root); waiting != waiters_.end()) {
    for (const Waiter& waiter : waiting->second)
      out.push_back(TellDone{waiter.request, fail(Errc::cancelled, "the file was removed")});
    waiters_.erase(waiting);
  }
  FileAnswer answer;
  answer.file = std::move(removed.info);
  answer.bytes_freed = removed.freed;
  out.push_back(TellDone{removed.request, std::move(answer)});
  settle_root(now, root, out);
}

// The seal or removal of a root is over: the next that waits goes on.
void R1fsCore::settle_root(Now now, const Multihash& root, Effects& out) {
  settling_.erase(root);
  for (auto& [request, adder] : adders_)
    if (adder.sealable() && adder.root().hash() == root) return seal(now, request, out);
  const auto waiting = std::find_if(removals_waiting_.begin(), removals_waiting_.end(),
                                    [&](const auto& one) { return one.second.hash() == root; });
  if (waiting == removals_waiting_.end()) return;
  const auto [request, cid] = *waiting;
  removals_waiting_.erase(waiting);
  remove(now, request, cid, out);
  // What still waits for this root must not wait for a removal that found nothing to do.
  if (settling_.count(root) == 0 && files_.count(root) == 0) settle_root(now, root, out);
}

void R1fsCore::cancel(RequestId request, Effects& out) {
  const Error cancelled = fail(Errc::cancelled, "cancelled");
  if (const auto adder = adders_.find(request); adder != adders_.end()) {
    // A batch that seals the file may be on its way: then the file stays, and only nobody waits for
    // it.
    if (adder->second.state() == FileAdder::State::done) {
      index_.release(BlockIndex::Use::own, adder->second.reserved());
      adders_.erase(adder);
      return out.push_back(TellDone{request, cancelled});
    }
    return fail_add(request, cancelled, out);
  }
  if (getters_.count(request) != 0) {
    out.push_back(AbortOutput{request});
    end_getter(request, out);
    return out.push_back(TellDone{request, cancelled});
  }
  for (auto& [root, waiting] : waiters_)
    if (std::erase_if(waiting, [&](const Waiter& one) { return one.request == request; }) != 0) {
      if (const auto spreader = spreaders_.find(root); spreader != spreaders_.end())
        spreader->second.expect_no_more_than(keepers_waited_for(root));
      return out.push_back(TellDone{request, cancelled});
    }
  if (std::erase_if(removals_waiting_, [&](const auto& one) { return one.first == request; }) != 0)
    return out.push_back(TellDone{request, cancelled});
  for (auto at = scans_.begin(); at != scans_.end(); ++at) {
    const auto* stat = std::get_if<ForStat>(&at->second.purpose);
    if (stat == nullptr || stat->request != request) continue;
    scans_.erase(at);
    return out.push_back(TellDone{request, cancelled});
  }
}

}  // namespace kith::r1fs
