// RocksStore: Store over RocksDB. Small values live in the LSM tree, values of blob families in
// BlobDB files.
//
// Rules
// * Group commit: batches that wait while a write is under way share the next WAL write and its one
// fsync.
// * What was committed and is not yet written is seen by reads: an overlay answers for it.
// * Disk full: before each write the volume must have room for the batch, for what the memtables
// still have to write,
//   and for the floor; otherwise the batch is refused with Errc::disk_full and nothing of it is
//   kept. RocksDB's own info log is replaced (7.8 aborts when it cannot write it).
// * A failed fsync or WAL write ends writing until the store is opened anew: what the disk holds is
// then unknown.
// * One process a folder: the lock is RocksDB's; the holder is named by the daemon, which locks the
// home first. Bounds: kPendingBytesMax waiting to be written, beyond it Errc::exhausted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/base/store.hpp"

namespace kith::store {

inline constexpr std::size_t kPendingBytesMax = 256u << 20;
inline constexpr std::size_t kGroupBytesMax = 16u << 20;  // one WAL write

struct RocksConfig {
  std::string folder;
  std::uint64_t free_floor_bytes = 256u << 20;  // writes are refused below this much free space
  std::size_t cache_bytes = 16u << 20;
  std::size_t memtable_bytes = 16u << 20;
};

// Blocks while it opens and recovers: before the loop runs.
Result<std::unique_ptr<Store>> open_rocks(const RocksConfig& config,
                                          const std::vector<FamilySpec>& families, Loop& loop,
                                          Log& log);

}  // namespace kith::store
