// Turns: the events of a short span of virtual time, put in order by node, so that each node has
// its turn with all of them while its memory is in the cache.
//
// Order: by node, and a node's in the order in which they were added. Linear in
// their number, but for sorting the nodes.
#pragma once

#include <span>
#include <vector>

#include "simnet/event_wheel.hpp"

namespace kith::simnet {

class Turns {
 public:
  struct Turn {
    std::uint32_t node = 0;
    std::uint32_t count = 0;
  };
  void add(const Event& event);
  // All that was added since the last time, and whose turns follow each other in it; valid until
  // the next.
  std::span<const Event> arrange();
  std::span<const Turn> turns() const { return turns_; }

 private:
  std::vector<Event> added_;
  std::vector<Event> arranged_;
  std::vector<std::uint32_t> counts_;  // by node; zero between
  std::vector<std::uint32_t> nodes_;   // that have events
  std::vector<Turn> turns_;
};

}  // namespace kith::simnet
