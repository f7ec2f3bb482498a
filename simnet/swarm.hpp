// Swarm: links and disks with a random mix of faults. Each fault is on with some chance, and then
// at a drawn strength: runs that have few faults, but strong ones, find what runs with a little of
// everything never meet (Groce et al., "Swarm testing", 2012).
#pragma once

#include "net/base/rng.hpp"
#include "services/store/memory_store.hpp"
#include "simnet/link.hpp"

namespace kith::simnet {

// What stays as in `base`: bandwidth, window, region, translator.
LinkOptions swarm_link(Rng& rng, const LinkOptions& base = {});
// `used`: bytes on the disk; a disk that fills up has some room left.
store::MemoryFaults swarm_disk(Rng& rng, const store::MemoryFaults& base = {},
                               std::uint64_t used = 0);

}  // namespace kith::simnet
