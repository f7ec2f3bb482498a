#include "services/r1fs/block_index.hpp"

#include "net/base/check.hpp"

namespace kith::r1fs {
namespace {
bool is_own(const schema::BlockRecord& record) {
  return record.public_refs > 0 || record.local_refs > 0;
}
}  // namespace

const schema::BlockRecord* BlockIndex::find(const Multihash& hash) const {
  const auto at = records_.find(hash);
  return at == records_.end() ? nullptr : &at->second;
}

bool BlockIndex::held(const Multihash& hash) const {
  const schema::BlockRecord* record = find(hash);
  return record != nullptr && (is_own(*record) || !record->kept_for.empty());
}

bool BlockIndex::servable(const Multihash& hash) const {
  const schema::BlockRecord* record = find(hash);
  return record != nullptr && (record->public_refs > 0 || !record->kept_for.empty());
}

// Own bytes are those that an own file refers to, kept or not; kept bytes are the rest.
void BlockIndex::account(const Multihash& hash, const schema::BlockRecord& record, bool add) {
  std::uint64_t& bytes = is_own(record) ? own_bytes_ : kept_bytes_;
  if (add)
    bytes += record.size;
  else
    bytes -= record.size;
  if (record.kept_for.empty()) return;
  auto root = kept_roots_.find(record.kept_for);
  if (add) {
    if (root == kept_roots_.end()) {
      root = kept_roots_.emplace(record.kept_for, KeptRoot{}).first;
      root->second.place = least_recent_.insert(least_recent_.end(), record.kept_for);
    }
    root->second.blocks[hash] = true;
  } else {
    root->second.blocks.erase(hash);
    if (root->second.blocks.empty()) {
      least_recent_.erase(root->second.place);
      kept_roots_.erase(root);
    }
  }
}

void BlockIndex::set(const Multihash& hash, const schema::BlockRecord& record) {
  erase(hash);
  CHECK(records_.size() < 2 * kBlocksMax);
  records_.emplace(hash, record);
  account(hash, record, true);
}

void BlockIndex::erase(const Multihash& hash) {
  const auto at = records_.find(hash);
  if (at == records_.end()) return;
  account(hash, at->second, false);
  records_.erase(at);
}

bool BlockIndex::reserve(Use use, std::uint64_t bytes) {
  const std::uint64_t all = own_bytes_ + kept_bytes_ + reserved_own_ + reserved_kept_;
  if (bytes > quota_.all_bytes || all > quota_.all_bytes - bytes) return false;
  if (records_.size() >= kBlocksMax) return false;
  if (use == Use::kept) {
    if (bytes > quota_.kept_bytes || kept_bytes_ + reserved_kept_ > quota_.kept_bytes - bytes)
      return false;
    reserved_kept_ += bytes;
  } else {
    reserved_own_ += bytes;
  }
  return true;
}

void BlockIndex::release(Use use, std::uint64_t bytes) {
  std::uint64_t& reserved = use == Use::own ? reserved_own_ : reserved_kept_;
  CHECK(reserved >= bytes);
  reserved -= bytes;
}

std::optional<Multihash> BlockIndex::eviction_candidate(Use use, std::uint64_t bytes) const {
  if (least_recent_.empty()) return std::nullopt;
  const std::uint64_t fixed = own_bytes_ + reserved_own_ + reserved_kept_;
  if (bytes > quota_.all_bytes || fixed > quota_.all_bytes - bytes) return std::nullopt;
  if (use == Use::kept && bytes + reserved_kept_ > quota_.kept_bytes) return std::nullopt;
  return least_recent_.front();
}

std::vector<Multihash> BlockIndex::blocks_kept_for(const Multihash& root) const {
  std::vector<Multihash> blocks;
  if (const auto at = kept_roots_.find(root); at != kept_roots_.end())
    for (const auto& [hash, unused] : at->second.blocks) blocks.push_back(hash);
  return blocks;
}

void BlockIndex::touch(const Multihash& root) {
  const auto at = kept_roots_.find(root);
  if (at == kept_roots_.end()) return;
  least_recent_.splice(least_recent_.end(), least_recent_, at->second.place);
}

}  // namespace kith::r1fs
