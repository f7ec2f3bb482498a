#include "simnet/turns.hpp"

#include <algorithm>

namespace kith::simnet {

void Turns::add(const Event& event) {
  if (counts_.size() <= event.node) counts_.resize(event.node + 1);
  if (counts_[event.node]++ == 0) nodes_.push_back(event.node);
  added_.push_back(event);
}

std::span<const Event> Turns::arrange() {
  std::sort(nodes_.begin(), nodes_.end());
  std::uint32_t before = 0;
  turns_.clear();
  for (const std::uint32_t node : nodes_) {
    const std::uint32_t count = counts_[node];
    turns_.push_back({node, count});
    counts_[node] = before;
    before += count;
  }
  arranged_.resize(added_.size());
  for (const Event& event : added_) arranged_[counts_[event.node]++] = event;
  for (const std::uint32_t node : nodes_) counts_[node] = 0;
  nodes_.clear();
  added_.clear();
  return arranged_;
}

}  // namespace kith::simnet
