// MemoryStore: Store's in-memory twin for simulations and tests. It can lose what was not synced,
// refuse writes as a full or broken disk does, and be slow: all behind MemoryFaults.
//
// A MemoryDisk is what survives a crash; a MemoryStore is one process's use of it. To crash:
// destroy the store, call disk.crash(), open a new store on the disk.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/base/loop.hpp"
#include "net/base/store.hpp"

namespace kith::store {

struct MemoryFaults {
  std::uint64_t bytes_max = UINT64_MAX;  // beyond it: Errc::disk_full
  std::uint64_t fail_commit =
      0;  // the Nth commit from now fails with Errc::io and breaks the store; 0: none
  std::uint64_t refuse_commit =
      0;                      // the Nth commit from now is refused with Errc::disk_full; 0: none
  Duration write_delay{};     // before on_persisted
  bool forget_cache = false;  // try_get answers `pending`, as a cold cache does
};

class MemoryDisk {
 public:
  explicit MemoryDisk(std::vector<std::string> families) : names_(std::move(families)) {}
  // Undoes every write that was not synced, newest first.
  void crash();
  const std::vector<std::string>& families() const { return names_; }
  std::uint64_t bytes() const { return bytes_; }
  MemoryFaults faults;

 private:
  friend class MemoryStore;
  using Key = std::pair<Family, Bytes>;
  void apply(const StoreWrite& write);
  void set(const Key& key, const std::optional<Bytes>& value);

  std::vector<std::string> names_;
  std::map<Key, Bytes> entries_;
  std::vector<std::pair<Key, std::optional<Bytes>>> undo_;  // of unsynced writes, oldest first
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
  Result<void> try_commit(const StoreBatch& batch);

  std::shared_ptr<MemoryDisk> disk_;
  Loop& loop_;
  std::set<StoreSink*> sinks_;  // membership only, never iterated
  std::unique_ptr<Later> later_;
  bool broken_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kith::store
