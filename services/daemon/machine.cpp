#include "services/daemon/machine.hpp"

#include <unistd.h>

#include <algorithm>

namespace kith::daemon {
namespace {

template <class Number>
Number saturated(long value) {
  return static_cast<Number>(
      std::clamp<std::int64_t>(value, 0, std::numeric_limits<Number>::max()));
}

}  // namespace

schema::Capacity machine_capacity() {
  schema::Capacity capacity;
  capacity.cores = saturated<std::uint16_t>(sysconf(_SC_NPROCESSORS_ONLN));
  const long page_kib = std::max(sysconf(_SC_PAGESIZE), 0L) >> 10;
  const long pages = std::max(sysconf(_SC_PHYS_PAGES), 0L);
  capacity.memory_mib = saturated<std::uint32_t>((pages >> 10) * page_kib);
  return capacity;
}

}  // namespace kith::daemon
