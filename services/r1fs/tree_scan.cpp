#include "services/r1fs/tree_scan.hpp"

namespace kith::r1fs {

std::optional<Multihash> TreeScan::advance(const BlockIndex& index) {
  while (auto place = walker_.next()) {
    const schema::BlockRecord* record =
        index.held(place->cid.hash()) ? index.find(place->cid.hash()) : nullptr;
    if (seen_.emplace(place->cid.hash(), true).second) {
      result_.blocks.push_back({place->cid, record == nullptr ? 0 : record->size});
      if (record != nullptr) ++result_.held;
    }
    if (record == nullptr) missing_ = true;
    if (place->is_leaf()) {
      if (!place->size_known && record != nullptr) result_.file_bytes = record->size;
      continue;
    }
    if (record == nullptr) continue;  // what is below it cannot be known
    waiting_ = std::move(place);
    return waiting_->cid.hash();
  }
  result_.complete = !missing_;
  return std::nullopt;
}

void TreeScan::on_node(std::optional<Bytes> block) {
  const TreePlace place = *std::exchange(waiting_, std::nullopt);
  if (!block || !walker_.on_node(place, *block)) missing_ = true;
  if (walker_.file_bytes()) result_.file_bytes = *walker_.file_bytes();
}

}  // namespace kith::r1fs
