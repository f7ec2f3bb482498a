#include "services/store/rocks_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <sys/statvfs.h>

#include <cstdarg>
#include <cstdio>

namespace kith::store {
namespace {

// RocksDB's messages go to Kith's log. Its threads call this; Log implementations are thread-safe.
class LogBridge final : public rocksdb::Logger {
 public:
  explicit LogBridge(Log& log) : rocksdb::Logger(rocksdb::WARN_LEVEL), log_(log) {}
  using rocksdb::Logger::Logv;
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list args) override {
    if (level < rocksdb::WARN_LEVEL) return;
    char text[512];
    std::vsnprintf(text, sizeof text, format, args);
    log_.debug("store.rocksdb", text);
  }
  void Logv(const char*, va_list) override {}

 private:
  Log& log_;
};

}  // namespace

rocksdb::DBOptions database_options(const RocksConfig& config, Log& log) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.info_log = std::make_shared<LogBridge>(log);
  // Preallocation would need free space that is never used, and fails on small volumes.
  options.allow_fallocate = false;
  options.manifest_preallocation_size = 64u << 10;
  options.max_manifest_file_size = 16u << 20;
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  options.max_total_wal_size = 4 * config.memtable_bytes;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.bytes_per_sync = 4u << 20;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.keep_log_file_num = 1;
  options.enable_pipelined_write = false;
  options.avoid_flush_during_shutdown = true;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(const RocksConfig& config, bool blobs,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = blobs ? config.memtable_bytes : config.memtable_bytes / 4;
  options.max_write_buffer_number = 3;
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (blobs) {
    options.enable_blob_files = true;
    options.min_blob_size = kBlobBytesMin;
    options.blob_file_size = 256u << 20;
    options.blob_compression_type = rocksdb::kNoCompression;
    // Every compaction would copy the oldest blobs along, live or not; BlobSweeper collects
    // instead.
    options.enable_blob_garbage_collection = false;
  }
  return options;
}

Error to_error(const rocksdb::Status& status, const std::string& folder) {
  if (status.IsNoSpace())
    return fail(Errc::disk_full, "no space left for the store in " + folder, status.ToString(),
                "free space on that volume, or move the home folder to a larger one");
  if (status.IsCorruption())
    return fail(Errc::corrupt, "the store in " + folder + " is damaged", status.ToString(),
                "restore the home folder from a backup, or remove its store folder to start empty");
  const bool locked = status.ToString().find("lock") != std::string::npos;
  if (status.IsIOError() && locked)
    return fail(Errc::in_use, "the store in " + folder + " is open in another process",
                status.ToString(), "kith down");
  return fail(Errc::io, "the store in " + folder + " failed", status.ToString(),
              "check the disk and the permissions of that folder");
}

std::uint64_t free_bytes(const std::string& folder) {
  struct statvfs volume {};
  if (::statvfs(folder.c_str(), &volume) != 0) return 0;
  return static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize;
}

}  // namespace kith::store
