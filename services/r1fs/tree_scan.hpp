// TreeScan: which blocks a file has and which of them are held here, from what is stored: for stat,
// remove, spreading, and to see after a start whether a kept file is whole. Reads interior nodes
// only.
#pragma once

#include <map>

#include "services/r1fs/block_index.hpp"
#include "services/r1fs/r1fs_effects.hpp"
#include "services/r1fs/tree_walker.hpp"

namespace kith::r1fs {

struct ScannedBlock {
  Cid cid;
  std::uint32_t size = 0;  // 0: not held, not known
};

struct ScanResult {
  std::vector<ScannedBlock> blocks;  // unique, in file order, root first
  std::uint64_t held = 0;
  std::uint64_t file_bytes = 0;
  bool complete = false;  // every block is held
};

class TreeScan {
 public:
  explicit TreeScan(const Cid& root) : walker_(root) {}
  // Goes on until it is done or waits for a node: then that node's hash is returned, and on_node
  // must follow with its bytes, or none when it cannot be read (it then counts as not held).
  std::optional<Multihash> advance(const BlockIndex& index);
  void on_node(std::optional<Bytes> block);
  const ScanResult& result() const { return result_; }
  ScanResult take() { return std::move(result_); }

 private:
  TreeWalker walker_;
  std::optional<TreePlace> waiting_;
  std::map<Multihash, bool> seen_;
  ScanResult result_;
  bool missing_ = false;
};

}  // namespace kith::r1fs
