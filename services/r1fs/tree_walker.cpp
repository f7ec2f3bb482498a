#include "services/r1fs/tree_walker.hpp"

namespace kith::r1fs {

TreeWalker::TreeWalker(const Cid& root) { pending_[0].push_back({root, 0, 0, false, 0}); }

std::optional<TreePlace> TreeWalker::next() {
  if (pending_.empty()) return std::nullopt;
  const auto first = pending_.begin();
  TreePlace place = std::move(first->second.front());
  first->second.pop_front();
  if (first->second.empty()) pending_.erase(first);
  if (!place.is_leaf()) ++open_nodes_;
  return place;
}

Result<Bytes> TreeWalker::on_node(const TreePlace& place, const Bytes& block) {
  --open_nodes_;
  KITH_TRY(libp2p::DagFile file, libp2p::decode_dag_file(block));
  if (place.size_known && file.file_bytes != place.file_bytes)
    return fail(Errc::corrupt, "a node of the file claims another size than its parent");
  if (!place.size_known) file_bytes_ = file.file_bytes;
  if (place.depth + 1 >= kTreeDepthMax && !file.links.empty())
    return fail(Errc::oversized, "the file's tree is too deep");
  blocks_seen_ += file.links.size();
  if (blocks_seen_ > kTreeBlocksMax) return fail(Errc::oversized, "the file has too many blocks");
  std::uint64_t offset = place.offset + file.data.size();
  // Children of one offset (empty leaves) keep their order, and come before what else starts there.
  std::map<std::uint64_t, std::deque<TreePlace>> children;
  for (libp2p::DagLink& link : file.links) {
    const std::uint64_t codec = link.cid.codec();
    if (codec != kCodecRaw && codec != kCodecDagPb)
      return fail(Errc::unsupported, "the file has a block of an unknown codec");
    children[offset].push_back(
        {std::move(link.cid), offset, link.file_bytes, true, place.depth + 1});
    offset += link.file_bytes;
  }
  for (auto& [at, places] : children) {
    auto& there = pending_[at];
    there.insert(there.begin(), std::make_move_iterator(places.begin()),
                 std::make_move_iterator(places.end()));
  }
  return file.data;
}

Result<void> TreeWalker::on_leaf(const TreePlace& place, std::size_t bytes) {
  if (!place.size_known) {
    file_bytes_ = bytes;
    return {};
  }
  if (bytes != place.file_bytes)
    return fail(Errc::corrupt, "a leaf of the file has another size than its parent says");
  return {};
}

}  // namespace kith::r1fs
