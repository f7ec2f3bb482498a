// What a user asks for: add, get, list.
#include "net/base/check.hpp"
#include "net/base/checked_value.hpp"
#include "net/base/planted.hpp"
#include "services/r1fs/r1fs_core.hpp"

namespace kith::r1fs {
namespace {

// Interior nodes weigh less than a thousandth of their leaves; records are not counted against the
// quota.
std::uint64_t with_tree(std::uint64_t bytes) { return bytes + bytes / 1000 + 4096; }

std::uint64_t seconds_of(Wall wall) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::seconds>(wall.time_since_epoch()).count()));
}

Error too_many() {
  return fail(Errc::exhausted, "too many file requests are under way",
              std::to_string(kFileRequestsMax) + " at most", "wait for one to end");
}

}  // namespace

void R1fsCore::add(RequestId request, AddFile what, Effects& out) {
  if (still_loading(request, out)) return;
  if (adders_.size() + getters_.size() >= kFileRequestsMax || files_.size() >= kFilesMax)
    return out.push_back(TellDone{request, too_many()});
  const auto at =
      adders_.emplace(request, FileAdder(request, std::move(what), config_.families)).first;
  at->second.start(out);
}

void R1fsCore::on_input_opened(Now now, RequestId request, Result<std::uint64_t> bytes,
                               Effects& out) {
  const auto at = adders_.find(request);
  if (at == adders_.end()) return;
  if (bytes) {
    const std::uint64_t need = with_tree(*bytes);
    if (index_.blocks() + *bytes / kLeafBytes > kBlocksMax)
      return fail_add(request,
                      fail(Errc::exhausted, at->second.what().path + " has too many blocks",
                           std::to_string(kBlocksMax) + " blocks are held at most",
                           "remove files with kith file rm"),
                      out);
    if (!make_room(BlockIndex::Use::own, need, out))
      return fail_add(request,
                      fail(Errc::exhausted, at->second.what().path + " does not fit into the quota",
                           std::to_string(need >> 20) + " MiB needed, " +
                               std::to_string(index_.own_bytes() >> 20) + " of " +
                               std::to_string(index_.quota().all_bytes >> 20) + " MiB used",
                           "remove files with kith file rm, or raise store.quota"),
                      out);
    at->second.set_reserved(need);
  }
  Effects child;
  Result<void> step = at->second.on_opened(std::move(bytes), child);
  after_adder(now, request, std::move(step), child, out);
}

void R1fsCore::on_input_chunk(Now now, RequestId request, std::uint64_t index,
                              Result<HashedChunk> chunk, Effects& out) {
  const auto at = adders_.find(request);
  if (at == adders_.end()) return;
  Effects child;
  Result<void> step = at->second.on_chunk(index, std::move(chunk), child);
  after_adder(now, request, std::move(step), child, out);
}

void R1fsCore::on_input_closed(Now now, RequestId request, Result<void> unchanged, Effects& out) {
  const auto at = adders_.find(request);
  if (at == adders_.end()) return;
  Effects child;
  Result<void> step = at->second.on_closed(std::move(unchanged), child);
  after_adder(now, request, std::move(step), child, out);
}

void R1fsCore::after_adder(Now now, RequestId request, Result<void> step, Effects& from_child,
                           Effects& out) {
  FileAdder& adder = adders_.at(request);
  for (Effect& effect : from_child) out.push_back(std::move(effect));
  for (auto& [batch, bytes] : adder.take_batches()) {
    // Records that nothing refers to yet: what a crash leaves is found by them.
    StoreBatch whole = std::move(batch);
    const std::size_t blocks = whole.writes.size();
    for (std::size_t i = 0; i < blocks; ++i) {
      const Bytes key = whole.writes[i].key;
      auto hash = Multihash::decode(key);
      CHECK(hash.has_value());
      const schema::BlockRecord* held = index_.find(*hash);
      const schema::BlockRecord& record = held != nullptr ? *held : adder.blocks().at(*hash);
      whole.put(config_.families.meta, key, to_checked(schema::encode_block_record(record)));
    }
    commit(std::move(whole), Durability::buffered, AdderBatch{request, bytes}, out);
  }
  if (!step) return fail_add(request, step.error(), out);
  if (adder.sealable() && settling_.count(adder.root().hash()) == 0) seal(now, request, out);
}

// The batch that makes the blocks the file's. All before it were taken by the store; it is synced,
// and so are they.
void R1fsCore::seal(Now now, RequestId request, Effects& out) {
  FileAdder& adder = adders_.at(request);
  adder.sealed();
  const Multihash& root = adder.root().hash();
  const bool is_public = adder.what().visibility == Visibility::public_;
  const auto existing = files_.find(root);
  const bool again = existing != files_.end() && existing->second.own;
  const bool was_public = again && existing->second.is_public;
  AdderSeal sealed;
  sealed.request = request;
  if (existing != files_.end()) sealed.previous = existing->second;
  schema::FileRecord& record = sealed.record;
  record.root = adder.root();
  record.name = adder.what().name;
  record.bytes = adder.bytes();
  record.blocks = static_cast<std::uint32_t>(adder.blocks().size());
  record.added = again ? existing->second.added : seconds_of(now.wall);
  record.own = true;
  // A file that is public stays so: it may have been spread already.
  record.is_public = is_public || was_public;
  record.offers_done = was_public ? existing->second.offers_done : 0;
  if (sealed.previous)
    record.publisher = sealed.previous->publisher;  // it is kept for that one too
  if (!again || (!was_public && is_public))
    (record.is_public ? sealed.public_added : sealed.local_added) = 1;
  if (again && !was_public && is_public) sealed.local_added = -1;
  StoreBatch batch;
  for (const auto& [hash, fresh] : adder.blocks()) {
    schema::BlockRecord block = fresh;
    if (const schema::BlockRecord* held = index_.find(hash); held != nullptr) block = *held;
    block.public_refs += static_cast<std::uint32_t>(sealed.public_added);
    block.local_refs += static_cast<std::uint32_t>(sealed.local_added);
    put_block_record(batch, hash, block);
    sealed.blocks.push_back(hash);
  }
  put_file(batch, record);
  settling_.insert(root);
  const auto durability =
      planted(Planted::file_not_synced) ? Durability::buffered : Durability::synced;
  commit(std::move(batch), durability, std::move(sealed), out);
}

// What the index took for granted is not so. Batches since then built on it: records that stay are
// written again.
void R1fsCore::undo_seal(const AdderSeal& sealed, Effects& out) {
  StoreBatch batch;
  for (const Multihash& hash : sealed.blocks) {
    const schema::BlockRecord* known = index_.find(hash);
    if (known == nullptr) continue;
    schema::BlockRecord block = *known;
    block.public_refs -= static_cast<std::uint32_t>(sealed.public_added);
    block.local_refs -= static_cast<std::uint32_t>(sealed.local_added);
    if (block.public_refs > 0 || block.local_refs > 0 || !block.kept_for.empty())
      put_block_record(batch, hash, block);
    else
      drop_block(batch, hash);
  }
  const Multihash& root = sealed.record.root.hash();
  if (sealed.previous && (sealed.previous->own || !index_.blocks_kept_for(root).empty())) {
    put_file(batch, *sealed.previous);
  } else {
    files_.erase(root);
    batch.erase(config_.families.files, root.bytes());
  }
  commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
}

void R1fsCore::on_sealed(Now now, AdderSeal sealed, Result<void> result, Effects& out) {
  const auto at = adders_.find(sealed.request);
  const bool waits = at != adders_.end();
  const std::uint32_t spread = waits ? at->second.what().spread : 0;
  const Multihash& root = sealed.record.root.hash();
  if (!result) {
    undo_seal(sealed, out);
    fail_add(sealed.request, result.error(), out);
    return settle_root(now, root, out);
  }
  if (waits) {
    index_.release(BlockIndex::Use::own, at->second.reserved());
    adders_.erase(at);
  }
  kept_.erase(root);
  if (sealed.record.is_public) {
    out.push_back(ProvideRoot{root});
    if (spread > 0 && waits) waiters_[root].push_back({sealed.request, spread});
    if (const auto spreader = spreaders_.find(root); spreader != spreaders_.end())
      spreader->second.expect_keepers(now, spread);
    else
      start_scan(now, sealed.record.root, ForSpread{}, out);
  }
  if (spread == 0 || !sealed.record.is_public) {
    FileAnswer answer;
    answer.file = info_of(sealed.record);
    out.push_back(TellDone{sealed.request, std::move(answer)});
  }
  settle_root(now, root, out);
}

void R1fsCore::fail_add(RequestId request, Error error, Effects& out) {
  const auto at = adders_.find(request);
  if (at == adders_.end()) return;
  out.push_back(CloseInput{request, false});
  if (at->second.reserved() > 0) index_.release(BlockIndex::Use::own, at->second.reserved());
  const FileAdder failed = std::move(at->second);
  adders_.erase(at);
  drop_leftovers(failed, out);
  out.push_back(TellDone{request, std::move(error)});
}

bool R1fsCore::adding(const Multihash& hash) const {
  for (const auto& [request, adder] : adders_)
    if (adder.state() != FileAdder::State::done && adder.blocks().count(hash) != 0) return true;
  return false;
}

void R1fsCore::drop_leftovers(const FileAdder& adder, Effects& out) {
  StoreBatch batch;
  for (const auto& [hash, record] : adder.blocks()) {
    if (index_.held(hash) || adding(hash)) continue;
    batch.erase(config_.families.blocks, hash.bytes());
    batch.erase(config_.families.meta, hash.bytes());
  }
  if (!batch.writes.empty()) commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
}

void R1fsCore::get(RequestId request, GetFile what, Effects& out) {
  if (still_loading(request, out)) return;
  const std::uint64_t codec = what.cid.codec();
  if (codec != kCodecRaw && codec != kCodecDagPb)
    return out.push_back(TellDone{
        request, fail(Errc::unsupported, what.cid.text() + " is not a file",
                      "its codec is " + std::to_string(codec), "give the CID of a UnixFS file")});
  if (adders_.size() + getters_.size() >= kFileRequestsMax)
    return out.push_back(TellDone{request, too_many()});
  const FetchId fetch = ++tags_;
  getter_fetches_[fetch] = request;
  const auto at = getters_.emplace(request, FileGetter(request, fetch, std::move(what))).first;
  at->second.start(out);
}

void R1fsCore::on_output_opened(Now now, RequestId request, Result<void> result, Effects& out) {
  const auto at = getters_.find(request);
  if (at == getters_.end()) return;
  Effects child;
  Result<void> step = at->second.on_output_opened(std::move(result), index_, child);
  after_getter(now, request, std::move(step), child, out);
}

void R1fsCore::on_output_written(Now now, RequestId request, std::size_t bytes, Result<void> result,
                                 Effects& out) {
  const auto at = getters_.find(request);
  if (at == getters_.end()) return;
  Effects child;
  Result<void> step = at->second.on_written(bytes, std::move(result), index_, child);
  after_getter(now, request, std::move(step), child, out);
}

void R1fsCore::on_output_finished(Now now, RequestId request, Result<void> result, Effects& out) {
  const auto at = getters_.find(request);
  if (at == getters_.end()) return;
  Effects none;
  Result<void> step = at->second.on_finished(std::move(result));
  after_getter(now, request, std::move(step), none, out);
}

void R1fsCore::on_provider(RequestId request, const dht::PeerInfo& peer, Effects& out) {
  if (const auto at = getters_.find(request); at != getters_.end())
    at->second.on_provider(peer, out);
}

void R1fsCore::on_providers_done(Now now, RequestId request, std::uint32_t asked, Effects& out) {
  if (const auto at = getters_.find(request); at != getters_.end())
    at->second.on_providers_done(now, asked, out);
}

void R1fsCore::on_provider_connected(RequestId request, Result<host::PeerSlot> peer, Effects& out) {
  if (const auto at = getters_.find(request); at != getters_.end())
    at->second.on_provider_connected(std::move(peer), out);
}

void R1fsCore::after_getter(Now now, RequestId request, Result<void> step, Effects& from_child,
                            Effects& out) {
  // The getter numbers its reads itself; here they get the core's tags.
  for (Effect& effect : from_child) {
    if (auto* read = std::get_if<ReadStored>(&effect)) {
      const std::uint64_t tag = ++tags_;
      reads_.emplace(tag, GetterRead{request, read->tag});
      read->tag = tag;
    }
    out.push_back(std::move(effect));
  }
  FileGetter& getter = getters_.at(request);
  if (step && !getter.finished()) return;
  FileAnswer answer;
  answer.file.cid = getter.what().cid;
  answer.file.bytes = getter.file_bytes();
  answer.file.blocks = answer.file.blocks_held = getter.blocks();
  answer.bytes_fetched = getter.bytes_fetched();
  const Multihash root = getter.what().cid.hash();
  if (!step) out.push_back(AbortOutput{request});
  end_getter(request, out);
  if (!step) return out.push_back(TellDone{request, step.error()});
  index_.touch(root);
  if (const auto file = files_.find(root); file != files_.end() && !file->second.own) {
    if (file->second.bytes != answer.file.bytes || file->second.blocks != answer.file.blocks) {
      file->second.bytes = answer.file.bytes;
      file->second.blocks = static_cast<std::uint32_t>(answer.file.blocks);
      StoreBatch batch;
      put_file(batch, schema::FileRecord(file->second));
      commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
    }
    start_scan(now, file->second.root, ForKept{}, out);
  }
  out.push_back(TellDone{request, std::move(answer)});
}

void R1fsCore::end_getter(RequestId request, Effects& out) {
  const auto at = getters_.find(request);
  if (at->second.fetching()) {
    out.push_back(EndFetch{at->second.fetch()});
    out.push_back(StopLooking{request});
  }
  getter_fetches_.erase(at->second.fetch());
  getters_.erase(at);
}

// A block that passed through our hands is kept when there is room for it; when there is not, it
// has done its work.
void R1fsCore::keep_block(FetchId fetch, const Multihash& root, const PeerId& publisher,
                          const Cid& cid, const Bytes& data, const schema::FileRecord& record,
                          Durability durability, Effects& out) {
  StoreBatch batch;
  schema::BlockRecord block;
  if (const schema::BlockRecord* known = index_.find(cid.hash()); known != nullptr) block = *known;
  block.size = static_cast<std::uint32_t>(data.size());
  block.codec = static_cast<std::uint32_t>(cid.codec());
  if (block.kept_for.empty()) block.kept_for = root;
  batch.put(config_.families.blocks, cid.hash().bytes(), data);
  put_block_record(batch, cid.hash(), block);
  if (files_.count(root) == 0) put_file(batch, record);
  keeper_.account(publisher, static_cast<std::int64_t>(data.size()));
  commit(std::move(batch), durability, PullBlock{fetch, cid, root, publisher, data.size()}, out);
}

// A block that the store refused is not kept. The file's record may have been in the same batch.
void R1fsCore::unkeep(const PullBlock& kept, Effects& out) {
  const schema::BlockRecord* record = index_.find(kept.cid.hash());
  if (record == nullptr || record->kept_for != kept.root) return;
  StoreBatch batch;
  keeper_.account(kept.publisher, -static_cast<std::int64_t>(record->size));
  schema::BlockRecord block = *record;
  block.kept_for = {};
  if (block.public_refs > 0 || block.local_refs > 0)
    put_block_record(batch, kept.cid.hash(), block);
  else
    drop_block(batch, kept.cid.hash());
  const auto file = files_.find(kept.root);
  if (file != files_.end() && !index_.blocks_kept_for(kept.root).empty()) {
    put_file(batch, schema::FileRecord(file->second));
  } else if (file != files_.end() && !file->second.own) {
    files_.erase(file);
    kept_.erase(kept.root);
    batch.erase(config_.families.files, kept.root.bytes());
  }
  commit(std::move(batch), Durability::buffered, Housekeeping{}, out);
}

void R1fsCore::on_kept(Now now, const PullBlock& kept, Result<void> result, Effects& out) {
  if (result) {
    out.push_back(AnnounceHeld{kept.cid});
  } else {
    unkeep(kept, out);
  }
  if (const auto reader = getter_fetches_.find(kept.fetch); reader != getter_fetches_.end()) {
    Effects child;
    Result<void> step = getters_.at(reader->second).on_kept(kept.bytes, index_, child);
    return after_getter(now, reader->second, std::move(step), child, out);
  }
  const auto pull = pulls_.find(kept.fetch);
  if (pull == pulls_.end()) return;
  if (!result) return end_pull(now, kept.fetch, gossip::Verdict::accept, out);
  if (--pull->second.writing == 0 && pull->second.missing.empty())
    end_pull(now, kept.fetch, gossip::Verdict::accept, out);
}

void R1fsCore::list(RequestId request, Effects& out) {
  if (still_loading(request, out)) return;
  FileAnswer answer;
  for (const auto& [root, record] : files_) answer.files.push_back(info_of(record));
  out.push_back(TellDone{request, std::move(answer)});
}

}  // namespace kith::r1fs
