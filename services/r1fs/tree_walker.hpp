// TreeWalker: the blocks of a file, in file order, from its root down, as its nodes become known.
// It trusts nothing: a child that claims another size than its parent said, a tree deeper than
// kTreeDepthMax, or more blocks than kTreeBlocksMax ends the walk.
//
// Use: next() gives blocks to get while there are any; each dag-pb block's bytes go to on_node,
// which makes its children next. Leaves need not come back. Memory: the links of the nodes that are
// open, at most kTreeDepthMax x 1,024 for our own trees.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "schema/libp2p/dag_pb.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kTreeDepthMax = 64;
inline constexpr std::uint64_t kTreeBlocksMax = 64ull << 20;

struct TreePlace {
  Cid cid;
  std::uint64_t offset = 0;  // of its first byte in the file
  std::uint64_t file_bytes = 0;
  bool size_known = false;  // false for the root only
  std::size_t depth = 0;
  bool is_leaf() const { return cid.codec() == kCodecRaw; }
};

class TreeWalker {
 public:
  explicit TreeWalker(const Cid& root);
  // The next block in file order; none: wait for nodes, or done.
  std::optional<TreePlace> next();
  // The bytes of a dag-pb block that next() gave. Returns its inline file bytes (often none).
  // Errors: malformed, corrupt, oversized.
  Result<Bytes> on_node(const TreePlace& place, const Bytes& block);
  // A leaf's bytes: checks the size. Errors: corrupt.
  Result<void> on_leaf(const TreePlace& place, std::size_t bytes);
  bool done() const { return pending_.empty() && open_nodes_ == 0; }
  std::optional<std::uint64_t> file_bytes() const { return file_bytes_; }
  std::uint64_t blocks_seen() const { return blocks_seen_; }

 private:
  std::map<std::uint64_t, std::deque<TreePlace>> pending_;  // by offset: file order
  std::size_t open_nodes_ = 0;                              // given by next(), not yet answered
  std::uint64_t blocks_seen_ = 1;
  std::optional<std::uint64_t> file_bytes_;
};

}  // namespace kith::r1fs
