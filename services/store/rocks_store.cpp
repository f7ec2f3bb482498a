#include "services/store/rocks_store.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/transaction_log.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <set>

#include "net/base/check.hpp"
#include "services/store/blob_sweeper.hpp"
#include "services/store/fast_checksum.hpp"
#include "services/store/overlay.hpp"
#include "services/store/rocks_options.hpp"

namespace kith::store {
namespace {

rocksdb::Slice slice_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
Bytes copy_of(const rocksdb::Slice& slice) {
  return Bytes::copy(std::string_view(slice.data(), slice.size()));
}

// Shared with the pool's threads; lives until the last job has ended.
struct Database {
  std::string folder;
  std::uint64_t floor = 0;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::vector<bool> blobs;  // which of them hold blobs
  std::unique_ptr<BlobSweeper> sweeper;

  ~Database() {
    sweeper.reset();
    for (auto* family : families) (void)db->DestroyColumnFamilyHandle(family);
    if (db) (void)db->Close();
  }

  // What a flush writes is bounded by both. The first is cheap, but counts whole blocks of memory:
  // a megabyte and more for a hundred erasures.
  std::uint64_t memtable_bytes() const {
    std::uint64_t bytes = 0;
    (void)db->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
    return bytes;
  }
  std::uint64_t log_bytes() const {
    rocksdb::VectorLogPtr logs;
    if (!db->GetSortedWalFiles(logs).ok()) return UINT64_MAX;
    std::uint64_t bytes = 0;
    for (const auto& log : logs) bytes += log->SizeFileBytes();
    // A small key takes a little more in a table than in the log, and each table has a footer.
    return bytes + bytes / 2 + families.size() * 4096;
  }

  // Room for the batch twice (log, then table or blob), for the memtables' flush, and for the
  // floor. What frees room may use half of the floor: a full disk is emptied by erasing.
  Result<void> check_room(std::size_t bytes, bool frees) const {
    const std::uint64_t free = free_bytes(folder);
    std::uint64_t need = frees ? floor / 2 + 2 * bytes : floor + 2 * bytes + memtable_bytes();
    if (free >= need) return {};
    if (!frees) need = floor + 2 * bytes + std::min(memtable_bytes(), log_bytes());
    if (free >= need) return {};
    return fail(Errc::disk_full, "no room left for the store in " + folder,
                std::to_string(free >> 10) + " KiB free, " + std::to_string(need >> 10) +
                    " KiB needed to keep the floor of " + std::to_string(floor >> 10) + " KiB",
                "free space on that volume, or lower store.free_floor in the configuration");
  }

  Result<void> write(const std::vector<StoreBatch>& batches, std::size_t bytes, bool synced,
                     bool frees) {
    KITH_TRY_VOID(check_room(bytes, frees));
    rocksdb::WriteBatch all(bytes + 1024);
    std::size_t blobs_erased = 0;
    for (const StoreBatch& batch : batches)
      for (const StoreWrite& write : batch.writes) {
        auto* family = families[write.family];
        const auto status = write.value
                                ? all.Put(family, slice_of(write.key), slice_of(*write.value))
                                : all.Delete(family, slice_of(write.key));
        CHECK(status.ok());
        if (!write.value && blobs[write.family]) ++blobs_erased;
      }
    rocksdb::WriteOptions options;
    options.sync = synced;
    const auto status = db->Write(options, &all);
    if (blobs_erased > 0) sweeper->note_erased(blobs_erased);
    if (status.ok()) return {};
    return to_error(status, folder);
  }

  Result<std::optional<Bytes>> read(Family family, ByteView key) const {
    auto pinned = std::make_unique<rocksdb::PinnableSlice>();
    const auto status = db->Get({}, families[family], slice_of(key), pinned.get());
    if (status.IsNotFound()) return std::optional<Bytes>();
    if (!status.ok()) return to_error(status, folder);
    return std::optional<Bytes>(copy_of(*pinned));
  }

  Result<std::vector<StoreEntry>> scan(const StoreScan& what, bool& more) const {
    rocksdb::ReadOptions options;
    const rocksdb::Slice upper = slice_of(what.to);
    if (!what.to.empty()) options.iterate_upper_bound = &upper;
    std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(options, families[what.family]));
    std::vector<StoreEntry> entries;
    std::size_t bytes = 0;
    for (at->Seek(slice_of(what.from)); at->Valid(); at->Next()) {
      if (entries.size() == what.entries_max || bytes >= what.bytes_max) {
        more = true;
        break;
      }
      entries.push_back({copy_of(at->key()), what.keys_only ? Bytes() : copy_of(at->value())});
      bytes += entries.back().key.size() + entries.back().value.size();
    }
    if (!at->status().ok()) return to_error(at->status(), folder);
    return entries;
  }
};

class RocksStore final : public Store {
 public:
  RocksStore(std::shared_ptr<Database> database, std::vector<std::string> names, Loop& loop,
             Log& log)
      : database_(std::move(database)), names_(std::move(names)), loop_(loop), log_(log) {}
  ~RocksStore() override { *alive_ = false; }

  Family family(std::string_view name) const override {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (names_[i] == name) return static_cast<Family>(i);
    check_failed("a family that was not named when the store was opened", __FILE__, __LINE__);
  }
  void commit(StoreBatch batch, Durability durability, StoreSink& sink, std::uint64_t tag) override;
  Got try_get(Family family, ByteView key, Bytes& value) override;
  void get(Family family, Bytes key, StoreSink& sink, std::uint64_t tag) override;
  void scan(StoreScan what, StoreSink& sink, std::uint64_t tag) override;
  void forget(StoreSink& sink) override { sinks_.erase(&sink); }
  StoreUsage usage() const override;

 private:
  struct Waiting {
    StoreBatch batch;
    Durability durability = Durability::buffered;
    StoreSink* sink = nullptr;
    std::uint64_t tag = 0;
    std::uint64_t sequence = 0;
    std::size_t bytes = 0;
  };
  struct WaitingScan {
    StoreScan what;
    StoreSink* sink = nullptr;
    std::uint64_t tag = 0;
    std::uint64_t after = 0;  // runs when this batch is written
  };

  // Erases more than it puts; a blob counts for as many as it is large.
  static bool frees(const StoreBatch& batch) {
    std::size_t erased = 0, put = 0;
    for (const StoreWrite& write : batch.writes) {
      if (!write.value) ++erased;
      if (write.value) put += 1 + write.value->size() / kBlobBytesMin;
    }
    return erased > put;
  }
  static std::size_t bytes_of(const StoreBatch& batch) {
    std::size_t bytes = 0;
    for (const StoreWrite& write : batch.writes)
      bytes += write.key.size() + (write.value ? write.value->size() : 0) + 16;
    return bytes;
  }
  bool known(StoreSink* sink) const { return sinks_.count(sink) != 0; }
  void write_next();
  void on_written(std::vector<Waiting> group, Result<void> result);
  void run_scan(WaitingScan scan);
  void answer_later(StoreSink& sink, std::uint64_t tag, Result<void> result);

  std::shared_ptr<Database> database_;
  std::vector<std::string> names_;
  Loop& loop_;
  Log& log_;
  std::set<StoreSink*> sinks_;  // that still want answers; membership only, never iterated
  std::deque<Waiting> waiting_;
  std::deque<WaitingScan> scans_;
  Overlay overlay_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t sequence_ = 0;  // of the last commit
  std::uint64_t written_ = 0;   // of the last batch that was written or refused
  bool writing_ = false;
  std::optional<Error> broken_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

void RocksStore::answer_later(StoreSink& sink, std::uint64_t tag, Result<void> result) {
  loop_.post([this, alive = alive_, target = &sink, tag, result = std::move(result)]() mutable {
    if (*alive && known(target)) target->on_persisted(loop_.now(), tag, std::move(result));
  });
}

void RocksStore::commit(StoreBatch batch, Durability durability, StoreSink& sink,
                        std::uint64_t tag) {
  sinks_.insert(&sink);
  for (const StoreWrite& write : batch.writes) {
    CHECK(write.family < names_.size());
    CHECK(write.key.size() <= kStoreKeyMax);
    CHECK(!write.value || write.value->size() <= kStoreValueMax);
  }
  const std::size_t bytes = bytes_of(batch);
  if (broken_) return answer_later(sink, tag, *broken_);
  if (pending_bytes_ + bytes > kPendingBytesMax)
    return answer_later(sink, tag,
                        fail(Errc::exhausted, "too much is waiting to be written to the store"));
  const std::uint64_t sequence = ++sequence_;
  overlay_.add(batch, sequence);
  pending_bytes_ += bytes;
  waiting_.push_back({std::move(batch), durability, &sink, tag, sequence, bytes});
  write_next();
}

void RocksStore::write_next() {
  if (writing_ || waiting_.empty()) return;
  writing_ = true;
  struct Job {
    std::vector<Waiting> group;
    Result<void> result;
  };
  auto job = std::make_shared<Job>();
  std::size_t bytes = 0;
  const bool freeing = frees(waiting_.front().batch);
  while (!waiting_.empty() && frees(waiting_.front().batch) == freeing &&
         (job->group.empty() || bytes + waiting_.front().bytes <= kGroupBytesMax)) {
    bytes += waiting_.front().bytes;
    job->group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  loop_.offload(
      PoolClass::storage,
      [database = database_, job, bytes, freeing] {
        std::vector<StoreBatch> batches;
        bool synced = false;
        for (Waiting& one : job->group) {
          batches.push_back(one.batch);
          synced = synced || one.durability == Durability::synced;
        }
        job->result = database->write(batches, bytes, synced, freeing);
      },
      [this, alive = alive_, job] {
        if (*alive) on_written(std::move(job->group), std::move(job->result));
      });
}

void RocksStore::on_written(std::vector<Waiting> group, Result<void> result) {
  writing_ = false;
  if (!result && result.error().code != Errc::disk_full && !broken_) {
    broken_ = result.error();
    log_.error("store.broken", describe(*broken_));
  }
  for (Waiting& one : group) {
    overlay_.settle(one.batch, one.sequence);
    pending_bytes_ -= one.bytes;
    written_ = one.sequence;
  }
  write_next();
  for (Waiting& one : group)
    if (known(one.sink)) one.sink->on_persisted(loop_.now(), one.tag, result);
  while (!scans_.empty() && scans_.front().after <= written_) {
    WaitingScan next = std::move(scans_.front());
    scans_.pop_front();
    run_scan(std::move(next));
  }
}

Store::Got RocksStore::try_get(Family family, ByteView key, Bytes& value) {
  if (const auto* pending = overlay_.find(family, key); pending != nullptr) {
    if (!*pending) return Got::absent;
    value = **pending;
    return Got::found;
  }
  rocksdb::ReadOptions options;
  options.read_tier = rocksdb::kBlockCacheTier;
  rocksdb::PinnableSlice pinned;
  const auto status =
      database_->db->Get(options, database_->families[family], slice_of(key), &pinned);
  if (status.IsNotFound()) return Got::absent;
  if (!status.ok()) return Got::pending;
  value = copy_of(pinned);
  return Got::found;
}

void RocksStore::get(Family family, Bytes key, StoreSink& sink, std::uint64_t tag) {
  sinks_.insert(&sink);
  auto result = std::make_shared<Result<std::optional<Bytes>>>(std::optional<Bytes>());
  auto done = [this, alive = alive_, result, target = &sink, tag] {
    if (*alive && known(target)) target->on_read(loop_.now(), tag, std::move(*result));
  };
  if (const auto* pending = overlay_.find(family, key); pending != nullptr) {
    *result = *pending;
    loop_.post(std::move(done));
    return;
  }
  loop_.offload(
      PoolClass::storage,
      [database = database_, result, family, key = std::move(key)] {
        *result = database->read(family, key);
      },
      std::move(done));
}

void RocksStore::scan(StoreScan what, StoreSink& sink, std::uint64_t tag) {
  sinks_.insert(&sink);
  WaitingScan scan{std::move(what), &sink, tag, sequence_};
  if (scan.after > written_)
    scans_.push_back(std::move(scan));
  else
    run_scan(std::move(scan));
}

void RocksStore::run_scan(WaitingScan scan) {
  struct Job {
    StoreScan what;
    Result<std::vector<StoreEntry>> result;
    bool more = false;
  };
  auto job = std::make_shared<Job>();
  job->what = std::move(scan.what);
  loop_.offload(
      PoolClass::storage,
      [database = database_, job] { job->result = database->scan(job->what, job->more); },
      [this, alive = alive_, job, sink = scan.sink, tag = scan.tag] {
        if (*alive && known(sink))
          sink->on_scanned(loop_.now(), tag, std::move(job->result), job->more);
      });
}

StoreUsage RocksStore::usage() const {
  StoreUsage usage;
  std::uint64_t part = 0;
  for (const auto* property :
       {&rocksdb::DB::Properties::kTotalSstFilesSize, &rocksdb::DB::Properties::kTotalBlobFileSize})
    for (auto* family : database_->families)
      if (database_->db->GetIntProperty(family, *property, &part)) usage.bytes_used += part;
  usage.bytes_free = free_bytes(database_->folder);
  usage.bytes_floor = database_->floor;
  usage.writable = !broken_;
  return usage;
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks(const RocksConfig& config,
                                          const std::vector<FamilySpec>& families, Loop& loop,
                                          Log& log) {
  if (!fast_checksum_in_place())
    log.warn("store.slow-checksum", "RocksDB computes its checksums with its own, slower code");
  ::mkdir(config.folder.c_str(), 0700);
  auto cache = rocksdb::NewLRUCache(config.cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(config, false, cache));
  std::vector<std::string> names;
  for (const FamilySpec& family : families) {
    names.emplace_back(family.name);
    descriptors.emplace_back(names.back(), family_options(config, family.blobs, cache));
  }
  auto database = std::make_shared<Database>();
  database->folder = config.folder;
  database->floor = config.free_floor_bytes;
  const std::uint64_t free = free_bytes(config.folder);
  constexpr std::uint64_t kOpenBytes = 512u << 10;  // manifest, log and option files of a new store
  if (free < kOpenBytes)
    return fail(Errc::disk_full, "no room to open the store in " + config.folder,
                std::to_string(free >> 10) + " KiB free, " + std::to_string(kOpenBytes >> 10) +
                    " KiB needed",
                "free space on that volume, or choose another home folder with --home");
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(database_options(config, log), config.folder, descriptors,
                                        &database->families, &db);
  if (!status.ok()) return to_error(status, config.folder);
  database->db.reset(db);
  // The default family exists because RocksDB insists; ours are numbered from 0 behind it.
  (void)db->DestroyColumnFamilyHandle(database->families.front());
  database->families.erase(database->families.begin());
  std::vector<rocksdb::ColumnFamilyHandle*> swept;
  for (std::size_t i = 0; i < families.size(); ++i) {
    database->blobs.push_back(families[i].blobs);
    if (families[i].blobs) swept.push_back(database->families[i]);
  }
  database->sweeper = std::make_unique<BlobSweeper>(*db, std::move(swept), log);
  return std::unique_ptr<Store>(
      std::make_unique<RocksStore>(std::move(database), std::move(names), loop, log));
}

}  // namespace kith::store
