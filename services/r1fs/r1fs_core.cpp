// Loading, scans, commits, room: what all parts share. Adding and getting are in r1fs_files.cpp,
// removing in r1fs_remove.cpp, offers in r1fs_offers.cpp.
#include "services/r1fs/r1fs_core.hpp"

#include "net/base/check.hpp"
#include "net/base/checked_value.hpp"

namespace kith::r1fs {

R1fsCore::R1fsCore(R1fsCoreConfig config)
    : config_(std::move(config)), index_(config_.quota), keeper_(config_.keep_for_others) {}

void R1fsCore::start(Effects& out) { out.push_back(ScanStored{config_.families.meta, {}}); }

void R1fsCore::on_scanned(Now now, Family family, Result<std::vector<StoreEntry>> entries,
                          bool more, Effects& out) {
  if (!entries) return out.push_back(TellReady{entries.error()});
  for (const StoreEntry& entry : *entries) {
    if (load(family, entry)) {
      rereads_ = 0;
    } else if (rereads_++ < kRereadsMax) {
      return out.push_back(ScanStored{family, entry.key});
    } else {
      return out.push_back(TellReady{fail(Errc::corrupt, family == config_.families.meta
                                                             ? "a block's record cannot be read"
                                                             : "a file's record cannot be read")});
    }
  }
  if (more) return out.push_back(ScanStored{family, key_after(entries->back().key)});
  if (family == config_.families.meta) return out.push_back(ScanStored{config_.families.files, {}});
  after_load(now, out);
}

// False: it is not what was written. A turned bit in a record's references could lose the block.
bool R1fsCore::load(Family family, const StoreEntry& entry) {
  const auto exact = of_checked(entry.value);
  if (!exact) return false;
  if (family == config_.families.files) {
    auto record = schema::decode_file_record(*exact);
    if (record) files_[record->root.hash()] = std::move(*record);
    return record.has_value();
  }
  auto hash = Multihash::decode(entry.key);
  auto record = schema::decode_block_record(*exact);
  if (!hash || !record) return false;
  const bool own = record->public_refs > 0 || record->local_refs > 0;
  if (own || !record->kept_for.empty())
    index_.set(*hash, *record);
  else
    leftovers_.emplace_back(std::move(*hash), std::move(*record));
  return true;
}

void R1fsCore::after_load(Now now, Effects& out) {
  StoreBatch batch;
  for (const auto& [hash, record] : leftovers_) {
    batch.erase(config_.families.blocks, hash.bytes());
    batch.erase(config_.families.meta, hash.bytes());
  }
  leftovers_.clear();
  if (!batch.writes.empty()) commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
  loaded_ = true;
  out.push_back(TellReady{});
  for (const auto& [root, record] : files_) {
    for (const Multihash& hash : index_.blocks_kept_for(root))
      keeper_.account(record.publisher, index_.find(hash)->size);
    if (record.own && !record.is_public) continue;
    if (record.own) out.push_back(ProvideRoot{root});
    if (record.own)
      start_scan(now, record.root, ForSpread{}, out);
    else
      start_scan(now, record.root, ForKept{}, out);
  }
}

void R1fsCore::commit(StoreBatch batch, Durability durability, CommitOwner owner, Effects& out) {
  const std::uint64_t tag = ++tags_;
  commits_.emplace(tag, std::move(owner));
  out.push_back(Commit{std::move(batch), durability, tag});
}

void R1fsCore::put_file(StoreBatch& batch, const schema::FileRecord& record) {
  files_[record.root.hash()] = record;
  batch.put(config_.families.files, record.root.hash().bytes(),
            to_checked(schema::encode_file_record(record)));
}

void R1fsCore::put_block_record(StoreBatch& batch, const Multihash& hash,
                                const schema::BlockRecord& record) {
  index_.set(hash, record);
  batch.put(config_.families.meta, hash.bytes(), to_checked(schema::encode_block_record(record)));
}

std::uint64_t R1fsCore::drop_block(StoreBatch& batch, const Multihash& hash) {
  const schema::BlockRecord* record = index_.find(hash);
  if (record == nullptr) return 0;
  const std::uint64_t bytes = record->size;
  const std::uint32_t codec = record->codec;
  index_.erase(hash);
  if (adding(hash)) {
    schema::BlockRecord unheld;
    unheld.size = static_cast<std::uint32_t>(bytes);
    unheld.codec = codec;
    batch.put(config_.families.meta, hash.bytes(), to_checked(schema::encode_block_record(unheld)));
    return 0;
  }
  batch.erase(config_.families.blocks, hash.bytes());
  batch.erase(config_.families.meta, hash.bytes());
  return bytes;
}

bool R1fsCore::make_room(BlockIndex::Use use, std::uint64_t bytes, Effects& out) {
  while (!index_.reserve(use, bytes)) {
    const auto root = index_.eviction_candidate(use, bytes);
    if (!root) return false;
    evict(*root, out);
  }
  return true;
}

void R1fsCore::evict(const Multihash& root, Effects& out) {
  StoreBatch batch;
  const auto file = files_.find(root);
  const PeerId publisher = file == files_.end() ? PeerId() : file->second.publisher;
  for (const Multihash& hash : index_.blocks_kept_for(root)) {
    schema::BlockRecord record = *index_.find(hash);
    keeper_.account(publisher, -static_cast<std::int64_t>(record.size));
    record.kept_for = {};
    if (record.public_refs > 0 || record.local_refs > 0)
      put_block_record(batch, hash, record);
    else
      drop_block(batch, hash);
  }
  if (file != files_.end() && !file->second.own) {
    files_.erase(file);
    batch.erase(config_.families.files, root.bytes());
    out.push_back(UnprovideRoot{root});
  }
  kept_.erase(root);
  commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
}

void R1fsCore::start_scan(Now now, Cid root, decltype(Scan::purpose) purpose, Effects& out) {
  const std::uint64_t id = ++tags_;
  scans_.emplace(id, Scan{root, std::move(purpose), TreeScan(root)});
  advance_scan(now, id, out);
}

void R1fsCore::advance_scan(Now now, std::uint64_t id, Effects& out) {
  const auto at = scans_.find(id);
  if (at == scans_.end()) return;
  if (auto hash = at->second.scan.advance(index_)) {
    const std::uint64_t tag = ++tags_;
    reads_.emplace(tag, ScanRead{id});
    return out.push_back(ReadStored{tag, std::move(*hash)});
  }
  Scan done = std::move(at->second);
  scans_.erase(at);
  scan_done(now, std::move(done), out);
}

void R1fsCore::scan_done(Now now, Scan scan, Effects& out) {
  const Multihash& root = scan.root.hash();
  const auto file = files_.find(root);
  if (const auto* stat = std::get_if<ForStat>(&scan.purpose)) {
    const ScanResult result = scan.scan.take();
    if (result.held == 0 && file == files_.end())
      return out.push_back(TellDone{
          stat->request, fail(Errc::not_local, "nothing of " + scan.root.text() + " is held here",
                              {}, "kith file get " + scan.root.text())});
    FileAnswer answer;
    if (file != files_.end()) answer.file = info_of(file->second);
    answer.file.cid = scan.root;
    answer.file.blocks = std::max<std::uint64_t>(answer.file.blocks, result.blocks.size());
    answer.file.blocks_held = result.held;
    if (answer.file.bytes == 0) answer.file.bytes = result.file_bytes;
    out.push_back(TellDone{stat->request, std::move(answer)});
  } else if (const auto* remove = std::get_if<ForRemove>(&scan.purpose)) {
    finish_remove(now, remove->request, scan.root, scan.scan.take(), out);
  } else if (std::holds_alternative<ForSpread>(scan.purpose)) {
    if (file != files_.end() && file->second.own)
      start_spread(now, file->second, scan.scan.take(), out);
  } else if (file != files_.end() && !file->second.own) {
    Kept& kept = kept_[root];
    kept.complete = scan.scan.result().complete;
    kept.have.clear();
    if (kept.complete)
      out.push_back(ProvideRoot{root});
    else
      for (const ScannedBlock& block : scan.scan.result().blocks)
        if (index_.held(block.cid.hash())) kept.have.insert(block.cid.hash());
  }
}

void R1fsCore::on_persisted(Now now, std::uint64_t tag, Result<void> result, Effects& out) {
  const auto at = commits_.find(tag);
  if (at == commits_.end()) return;
  CommitOwner owner = std::move(at->second);
  commits_.erase(at);
  if (auto* batch = std::get_if<AdderBatch>(&owner)) {
    const auto adder = adders_.find(batch->request);
    if (adder == adders_.end()) return;
    Effects child;
    Result<void> step = adder->second.on_persisted(batch->bytes, std::move(result), child);
    after_adder(now, batch->request, std::move(step), child, out);
  } else if (auto* sealed = std::get_if<AdderSeal>(&owner)) {
    on_sealed(now, std::move(*sealed), std::move(result), out);
  } else if (auto* pulled = std::get_if<PullBlock>(&owner)) {
    on_kept(now, *pulled, std::move(result), out);
  } else if (auto* removed = std::get_if<RemoveSeal>(&owner)) {
    on_removed(now, std::move(*removed), std::move(result), out);
  }
}

void R1fsCore::on_stored(Now now, std::uint64_t tag, Result<std::optional<Bytes>> data,
                         Effects& out) {
  const auto at = reads_.find(tag);
  if (at == reads_.end()) return;
  const ReadOwner owner = std::move(at->second);
  reads_.erase(at);
  std::optional<Bytes> found;
  if (data && *data) found = std::move(**data);
  if (const auto* read = std::get_if<GetterRead>(&owner)) {
    const auto getter = getters_.find(read->request);
    if (getter == getters_.end()) return;
    Effects child;
    Result<void> step = getter->second.on_stored(read->tag, std::move(found), index_, child);
    after_getter(now, read->request, std::move(step), child, out);
  } else if (const auto* scan = std::get_if<ScanRead>(&owner)) {
    const auto running = scans_.find(scan->scan);
    if (running == scans_.end()) return;
    running->second.scan.on_node(std::move(found));
    advance_scan(now, scan->scan, out);
  } else if (const auto* body = std::get_if<OfferBody>(&owner)) {
    const auto waiting = offer_bodies_.find({body->root, body->offer});
    if (waiting == offer_bodies_.end()) return;
    if (found) waiting->second.bodies.emplace(body->hash, std::move(*found));
    if (--waiting->second.missing > 0) return;
    const std::map<Multihash, Bytes> bodies = std::move(waiting->second.bodies);
    offer_bodies_.erase(waiting);
    const auto spreader = spreaders_.find(body->root);
    if (spreader != spreaders_.end()) publish(now, spreader->second, body->offer, bodies, out);
  }
}

FileInfo R1fsCore::info_of(const schema::FileRecord& record) const {
  FileInfo info;
  info.cid = record.root;
  info.name = record.name;
  info.bytes = record.bytes;
  info.blocks = record.blocks;
  info.own = record.own;
  info.visibility = record.is_public ? Visibility::public_ : Visibility::local;
  info.added = Wall(std::chrono::seconds(record.added));
  const auto kept = kept_.find(record.root.hash());
  const bool partial = kept != kept_.end() && !kept->second.complete;
  info.blocks_held = partial ? kept->second.have.size() : record.blocks;
  if (const auto spreader = spreaders_.find(record.root.hash()); spreader != spreaders_.end()) {
    info.blocks_to_spread = spreader->second.blocks_to_spread();
    info.keepers.assign(spreader->second.keepers().begin(), spreader->second.keepers().end());
  }
  return info;
}

StorageStatus R1fsCore::storage() const {
  return {index_.own_bytes(), index_.kept_bytes(), index_.quota().all_bytes,
          index_.quota().kept_bytes, index_.blocks()};
}

Mono R1fsCore::next_deadline() const {
  Mono next = kNever;
  for (const auto& [fetch, pull] : pulls_) next = std::min(next, pull.deadline);
  for (const auto& [request, getter] : getters_) next = std::min(next, getter.next_deadline());
  for (const auto& [root, spreader] : spreaders_) next = std::min(next, spreader.next_deadline());
  return next;
}

}  // namespace kith::r1fs
