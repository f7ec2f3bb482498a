#include "services/store/blob_sweeper.hpp"

#include <rocksdb/options.h>

namespace kith::store {

BlobSweeper::BlobSweeper(rocksdb::DB& db, std::vector<rocksdb::ColumnFamilyHandle*> families,
                         Log& log)
    : db_(db), families_(std::move(families)), log_(log), thread_([this] { run(); }) {}

BlobSweeper::~BlobSweeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  db_.DisableManualCompaction();
  thread_.join();
}

void BlobSweeper::note_erased(std::size_t keys) {
  const std::lock_guard lock(mutex_);
  erased_ += keys;
  if (erased_ >= kSweepAfter) wake_.notify_one();
}

void BlobSweeper::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || erased_ >= kSweepAfter; });
    if (stopping_) return;
    erased_ = 0;
    lock.unlock();
    for (auto* family : families_) sweep(family);
    lock.lock();
  }
}

void BlobSweeper::sweep(rocksdb::ColumnFamilyHandle* family) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kDisable;
  for (int round = 0;; ++round) {
    const auto status = db_.CompactRange(options, family, nullptr, nullptr);
    if (!status.ok()) {
      // Also how a stop ends it. Nothing is lost: the next sweep goes on.
      log_.debug("store.sweep", status.ToString());
      return;
    }
    std::uint64_t all = 0, garbage = 0;
    using Properties = rocksdb::DB::Properties;
    if (!db_.GetIntProperty(family, Properties::kLiveBlobFileSize, &all) ||
        !db_.GetIntProperty(family, Properties::kLiveBlobFileGarbageSize, &garbage))
      return;
    if (round == kSweepRounds || garbage < kSweepBytes || garbage < all / kSweepParts) return;
    options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
    options.blob_garbage_collection_age_cutoff = 1.0 / kSweepParts;
  }
}

}  // namespace kith::store
