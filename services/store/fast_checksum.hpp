// CRC-32C by the CPU's instruction for RocksDB. Debian compiles librocksdb without it, and its
// table version costs 0.95 CPU s/GB in every pass (log, blob, read). The library calls its own
// exported rocksdb::crc32c::Extend through the dynamic linker, so a definition in the program takes
// its place; where the CPU has no such instruction, the library's own is called on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kith::store {

// The CRC-32C of `size` bytes behind those whose CRC-32C is `before` (0 for none).
std::uint32_t crc32c_extend(std::uint32_t before, const char* data, std::size_t size);

// Whether the library's calls arrive here. Keeps the definition in every program with a store.
bool fast_checksum_in_place();

}  // namespace kith::store
