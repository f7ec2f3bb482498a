// BlobSweeper: gives the room of erased blobs back to the volume, on a thread of its own.
//
// Rules
// * A blob file goes by itself when its last blob is dropped; a compaction of the keys does that.
//   The keys are small: it is cheap.
// * Files that hold live and erased blobs are copied only when more than a quarter of all bytes is
//   garbage, the oldest quarter of the files at a time. RocksDB's own collection copies the oldest
//   files in every compaction, garbage or not, which made a put three times as dear.
// So erased blobs hold back about a third of the live bytes, and in any case what kSweepAfter
// erasures and kSweepBytes hold. What was not swept when the store was closed is swept with the
// next erasures.
#pragma once

#include <rocksdb/db.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "net/base/log.hpp"

namespace kith::store {

inline constexpr std::size_t kSweepAfter = 64;           // erased keys of blob families
inline constexpr std::uint64_t kSweepBytes = 64u << 20;  // less garbage is left alone
inline constexpr std::uint64_t kSweepParts = 4;          // above 1/4 garbage, files are copied
inline constexpr int kSweepRounds = 4;

class BlobSweeper {
 public:
  BlobSweeper(rocksdb::DB& db, std::vector<rocksdb::ColumnFamilyHandle*> families, Log& log);
  ~BlobSweeper();  // ends a sweep under way
  // From any thread: this many keys were erased.
  void note_erased(std::size_t keys);

 private:
  void run();
  void sweep(rocksdb::ColumnFamilyHandle* family);

  rocksdb::DB& db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t erased_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kith::store
