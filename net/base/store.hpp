// Store: durable ordered key-value state, as services see it. Implemented by services/store
// (RocksDB, and an in-memory twin that can lose unsynced writes, tear, fill up and fail on demand).
//
// Rules
// * Families are named when the store is opened; `family` finds one (an unknown name is our bug).
// Large values
//   (chunks, up to kStoreValueMax) go to families opened as `blobs`.
// * A batch is atomic. `Durability::synced` answers when it would survive power loss; many waiting
// batches share one
//   fsync (group commit). Batches take effect in the order of commit() and are visible to reads
//   from then on, before they are durable: what must not be told before it is durable waits for
//   on_persisted.
// * A failed commit answers with Errc::disk_full, io or exhausted, and nothing of it is kept. After
// a failed fsync the store
//   refuses every further write (it is never retried); reads go on.
// * Answers come as events, never before the call returns, in order per sink. A sink outlives its
// answers, or calls forget().
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "net/base/time.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith {

inline constexpr std::size_t kStoreKeyMax = 4096;
inline constexpr std::size_t kStoreValueMax = 4u << 20;

using Family = std::uint8_t;
enum class Durability : std::uint8_t { buffered, synced };

struct FamilySpec {
  std::string_view name;
  bool blobs = false;  // large values, kept apart from the index
};

struct StoreWrite {
  Family family = 0;
  Bytes key;
  std::optional<Bytes> value;  // none: erase
};

struct StoreBatch {
  std::vector<StoreWrite> writes;
  void put(Family family, Bytes key, Bytes value) {
    writes.push_back({family, std::move(key), std::move(value)});
  }
  void erase(Family family, Bytes key) { writes.push_back({family, std::move(key), {}}); }
};

struct StoreEntry {
  Bytes key;
  Bytes value;  // empty when the scan asked for keys only
};

class StoreSink {
 public:
  virtual void on_persisted(Now, std::uint64_t tag, Result<void>) = 0;
  virtual void on_read(Now, std::uint64_t tag, Result<std::optional<Bytes>>) = 0;
  // `more`: the scan ended at its limit; go on from the last key + '\0'.
  virtual void on_scanned(Now, std::uint64_t tag, Result<std::vector<StoreEntry>>, bool more) = 0;

 protected:
  ~StoreSink() = default;
};

// The first key that may follow `key`: where a scan goes on.
inline Bytes key_after(const Bytes& key) {
  std::vector<std::uint8_t> next = key.to_vector();
  next.push_back(0);
  return Bytes::adopt(std::move(next));
}

struct StoreScan {
  Family family = 0;
  Bytes from;  // first key, inclusive
  Bytes to;    // exclusive; empty: to the end of the family
  std::size_t entries_max = 1000;
  std::size_t bytes_max = 4u << 20;
  bool keys_only = false;
};

struct StoreUsage {
  std::uint64_t bytes_used = 0;   // on disk
  std::uint64_t bytes_free = 0;   // of the volume
  std::uint64_t bytes_floor = 0;  // below this much free space writes are refused
  bool writable = true;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Family family(std::string_view name) const = 0;
  virtual void commit(StoreBatch batch, Durability durability, StoreSink& sink,
                      std::uint64_t tag) = 0;
  // found: `value` is set. absent: it is not there. pending: ask with get().
  enum class Got : std::uint8_t { found, absent, pending };
  virtual Got try_get(Family family, ByteView key, Bytes& value) = 0;
  virtual void get(Family family, Bytes key, StoreSink& sink, std::uint64_t tag) = 0;
  virtual void scan(StoreScan what, StoreSink& sink, std::uint64_t tag) = 0;
  virtual void forget(StoreSink& sink) = 0;  // its outstanding answers are dropped; its writes stay
  virtual StoreUsage usage() const = 0;
};

}  // namespace kith
