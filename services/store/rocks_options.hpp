// How RocksDB is set up, and how its statuses become Errors.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "services/store/rocks_store.hpp"

namespace kith::store {

inline constexpr std::size_t kBlobBytesMin = 4096;  // of a value of a blob family

rocksdb::DBOptions database_options(const RocksConfig& config, Log& log);
rocksdb::ColumnFamilyOptions family_options(const RocksConfig& config, bool blobs,
                                            const std::shared_ptr<rocksdb::Cache>& cache);
Error to_error(const rocksdb::Status& status, const std::string& folder);
// Free bytes of the volume that holds `folder`; 0 when it cannot be told.
std::uint64_t free_bytes(const std::string& folder);

}  // namespace kith::store
