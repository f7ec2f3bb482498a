#include "services/r1fs/tree_builder.hpp"

#include "net/base/check.hpp"

namespace kith::r1fs {

void TreeBuilder::add_leaf(const Cid& leaf, std::uint64_t bytes, std::vector<Block>& out) {
  file_bytes_ += bytes;
  add_link(0, {leaf, bytes, bytes}, out);
}

void TreeBuilder::add_link(std::size_t level, libp2p::DagLink link, std::vector<Block>& out) {
  if (level == levels_.size()) levels_.emplace_back();
  // A full node is closed only when a sibling comes: until then it may be the root.
  if (levels_[level].size() == kNodeLinksMax) {
    libp2p::DagLink closed = close_node(level, out);
    add_link(level + 1, std::move(closed), out);
  }
  levels_[level].push_back(std::move(link));
}

libp2p::DagLink TreeBuilder::close_node(std::size_t level, std::vector<Block>& out) {
  libp2p::DagLink link;
  Bytes data = libp2p::encode_dag_file(levels_[level]);
  link.tree_bytes = data.size();
  for (const libp2p::DagLink& child : levels_[level]) {
    link.tree_bytes += child.tree_bytes;
    link.file_bytes += child.file_bytes;
  }
  link.cid = Cid::v1(kCodecDagPb, Multihash::of_sha256(data));
  levels_[level].clear();
  out.push_back({link.cid, std::move(data)});
  return link;
}

Cid TreeBuilder::finish(std::vector<Block>& out) {
  CHECK(!levels_.empty());
  for (std::size_t level = 0;; ++level) {
    const bool top = level + 1 == levels_.size();
    if (top && levels_[level].size() == 1) return levels_[level].front().cid;
    libp2p::DagLink closed = close_node(level, out);
    if (top) return closed.cid;
    add_link(level + 1, std::move(closed), out);
  }
}

}  // namespace kith::r1fs
