// StoreMeta: what the daemon itself keeps in the store, family "meta": the version stamp of the
// store's layout, and the high-water mark of our signed peer record.
//
// Rules: a store without a stamp is new and gets this version's; a store of another version is
// refused and left as it is. Reads wait on the loop: before anything else runs on it.
#pragma once

#include "net/asio/asio_loop.hpp"
#include "net/base/store.hpp"

namespace kith::daemon {

inline constexpr std::uint64_t kStoreVersion = 2;  // 2: checksums in front of records
inline constexpr Duration kMetaDeadline = 30s;

class StoreMeta final : private StoreSink {
 public:
  StoreMeta(Store& store, net::AsioLoop& loop);
  ~StoreMeta();
  StoreMeta(const StoreMeta&) = delete;
  StoreMeta& operator=(const StoreMeta&) = delete;

  // Errors: unsupported (another version), corrupt, io, disk_full.
  Result<void> check_version(const std::string& folder);
  Result<std::uint64_t> record_sequence();
  void save_record_sequence(std::uint64_t sequence);  // without waiting

 private:
  Result<std::optional<std::uint64_t>> read(std::string_view key);
  Result<void> write(std::string_view key, std::uint64_t value);
  void on_persisted(Now, std::uint64_t tag, Result<void> result) override;
  void on_read(Now, std::uint64_t tag, Result<std::optional<Bytes>> result) override;
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool) override {}

  Store& store_;
  net::AsioLoop& loop_;
  Family family_;
  std::optional<Result<void>> persisted_;
  std::optional<Result<std::optional<Bytes>>> read_;
};

}  // namespace kith::daemon
