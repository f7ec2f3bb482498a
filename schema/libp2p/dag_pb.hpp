// dag-pb nodes with UnixFS data (ipfs/specs unixfs.md): what a file larger than one chunk is made
// of.
//
// Read: any dag-pb file node within bounds (Type File or Raw, inline data or links). Written: the
// canonical form only (links before data, each with hash, empty name and Tsize; filesize and
// blocksizes unpacked), as the profile unixfs-v1-2025 needs it for equal CIDs everywhere. Bounds:
// kDagNodeBytesMax a node, kDagLinksMax links. Attacker: whoever made the block; its hash says only
// that it is the block that was asked for, not that it makes sense: sizes are claims.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/base/bytes.hpp"
#include "schema/base/cid.hpp"
#include "schema/base/result.hpp"

namespace kith::libp2p {

inline constexpr std::size_t kDagNodeBytesMax = 2u << 20;
inline constexpr std::size_t kDagLinksMax = 8192;

struct DagLink {
  Cid cid;
  std::uint64_t tree_bytes = 0;  // Tsize: the child's block and all below it
  std::uint64_t file_bytes = 0;  // blocksizes: how much of the file it holds
};

struct DagFile {
  Bytes data;  // inline file bytes, before those of the links
  std::vector<DagLink> links;
  std::uint64_t file_bytes = 0;  // of the whole subtree; checked to be the sum of its parts
};

// Errors: malformed, oversized, unsupported (a directory, a symlink, a shard), corrupt (sizes that
// do not add up).
Result<DagFile> decode_dag_file(const Bytes& block);
Bytes encode_dag_file(const std::vector<DagLink>& links);

}  // namespace kith::libp2p
