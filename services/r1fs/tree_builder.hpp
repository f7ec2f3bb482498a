// TreeBuilder: the balanced UnixFS tree over a file's leaves, built while they stream by (IPIP-499,
// profile unixfs-v1-2025: 1 MiB raw leaves, at most 1,024 links a node, all leaves at the same
// depth, CIDv1, SHA-256).
//
// Feed leaves in order with add_leaf; interior nodes come out as soon as they are full, the rest
// from finish(). Memory: one open node a level (1,024 links), whatever the file's size. A file of
// one leaf is that leaf.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/libp2p/dag_pb.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kLeafBytes = 1u << 20;
inline constexpr std::size_t kNodeLinksMax = 1024;

struct Block {
  Cid cid;
  Bytes data;
};

class TreeBuilder {
 public:
  // Interior nodes that became complete are appended to `out`.
  void add_leaf(const Cid& leaf, std::uint64_t bytes, std::vector<Block>& out);
  // The root's CID; call once, after at least one leaf (an empty file is one empty leaf).
  Cid finish(std::vector<Block>& out);
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  void add_link(std::size_t level, libp2p::DagLink link, std::vector<Block>& out);
  libp2p::DagLink close_node(std::size_t level, std::vector<Block>& out);

  std::vector<std::vector<libp2p::DagLink>> levels_;  // open links, leaves' level first
  std::uint64_t file_bytes_ = 0;
};

}  // namespace kith::r1fs
