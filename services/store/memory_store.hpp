// MemoryStore: Store's in-memory twin for simulations and tests. It can lose what was not synced,
// refuse writes as a full or broken disk does, be slow and read wrong: all behind MemoryFaults.
// What is drawn is drawn from the disk's own generator, and only where there is a chance.
//
// A MemoryDisk is what survives a crash; a MemoryStore is one process's use of it. To crash:
// destroy the store, call disk.crash(), open a new store on the disk.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/base/loop.hpp"
#include "net/base/rng.hpp"
#include "net/base/store.hpp"

namespace kith::store {

struct MemoryFaults {
  std::uint64_t bytes_max = UINT64_MAX;  // beyond it: Errc::disk_full
  // Counted from now; 0: none. The Nth commit fails with Errc::io and breaks the store; the Nth
  // synced one does (its fsync fails); the Nth is refused with Errc::disk_full.
  std::uint64_t fail_commit = 0;
  std::uint64_t fail_sync = 0;
  std::uint64_t refuse_commit = 0;
  Duration write_delay{};     // before on_persisted
  Duration read_delay{};      // before on_read and on_scanned; try_get answers `pending`
  std::uint32_t rot_ppm = 0;  // chance that a value is read with one bit turned
  // A crash loses not all of what was not synced, but what came after a drawn batch.
  bool torn = false;
  bool forget_cache = false;  // try_get answers `pending`, as a cold cache does
  friend bool operator==(const MemoryFaults&, const MemoryFaults&) = default;
};

// What was not synced is on the disk nevertheless after so long: the system writes its dirty pages
// (Linux: dirty_expire_centisecs 3,000, looked at every 5 s).
inline constexpr Duration kWrittenBack = 35s;

class MemoryDisk {
 public:
  explicit MemoryDisk(std::vector<std::string> families, Rng rng = Rng(std::uint64_t{0}))
      : names_(std::move(families)), rng_(std::move(rng)) {}
  // Undoes every batch that was not synced, newest first; with MemoryFaults::torn down to a drawn
  // one. A batch is undone whole: it is atomic. What the system wrote back before `now` stays;
  // without it, before the last write.
  void crash(Mono now = {});
  const std::vector<std::string>& families() const { return names_; }
  std::uint64_t bytes() const { return bytes_; }
  MemoryFaults faults;

 private:
  friend class MemoryStore;
  using Key = std::pair<Family, Bytes>;
  struct Undo {
    Key key;
    std::optional<Bytes> value;
    std::uint64_t batch = 0;
    Mono at{};
  };
  void apply(Mono now, const StoreWrite& write);
  // Undo entries are numbered from the first ever made; those below `end` are durable now.
  void set_durable(std::uint64_t end);
  void write_back(Mono now);
  std::uint64_t undo_end() const { return undo_first_ + undo_.size(); }
  void set(const Key& key, const std::optional<Bytes>& value);
  Bytes read(const Bytes& value);  // as it comes from the disk

  std::vector<std::string> names_;
  std::map<Key, Bytes> entries_;
  std::deque<Undo> undo_;  // of unsynced writes, oldest first
  std::uint64_t undo_first_ = 0;
  std::uint64_t batches_ = 0;
  Rng rng_;
  std::uint64_t bytes_ = 0;
};

class MemoryStore final : public Store {
 public:
  MemoryStore(std::shared_ptr<MemoryDisk> disk, Loop& loop);
  ~MemoryStore() override;

  Family family(std::string_view name) const override;
  void commit(StoreBatch batch, Durability durability, StoreSink& sink, std::uint64_t tag) override;
  Got try_get(Family family, ByteView key, Bytes& value) override;
  void get(Family family, Bytes key, StoreSink& sink, std::uint64_t tag) override;
  void scan(StoreScan what, StoreSink& sink, std::uint64_t tag) override;
  void forget(StoreSink& sink) override { sinks_.erase(&sink); }
  StoreUsage usage() const override;

 private:
  class Later;
  Result<void> try_commit(Mono now, const StoreBatch& batch, Durability durability);

  std::shared_ptr<MemoryDisk> disk_;
  Loop& loop_;
  std::set<StoreSink*> sinks_;  // membership only, never iterated
  std::unique_ptr<Later> later_;
  bool broken_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kith::store
