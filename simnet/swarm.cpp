#include "simnet/swarm.hpp"

namespace kith::simnet {
namespace {

constexpr std::uint32_t kOn = 300'000;  // of a million: the chance of each fault

// In [least, most], when the fault is on; nothing otherwise. Always two draws.
std::uint64_t draw(Rng& rng, std::uint64_t least, std::uint64_t most) {
  const bool on = rng.chance(kOn);
  const std::uint64_t strength = least + rng.below(most - least + 1);
  return on ? strength : 0;
}

Duration draw_time(Rng& rng, Duration least, Duration most) {
  return Duration(static_cast<std::int64_t>(draw(rng, static_cast<std::uint64_t>(least.count()),
                                                 static_cast<std::uint64_t>(most.count()))));
}

std::uint32_t draw_ppm(Rng& rng, std::uint32_t least, std::uint32_t most) {
  return static_cast<std::uint32_t>(draw(rng, least, most));
}

}  // namespace

LinkOptions swarm_link(Rng& rng, const LinkOptions& base) {
  LinkOptions link = base;
  link.latency += draw_time(rng, 10ms, 400ms);
  link.jitter += draw_time(rng, 10ms, 500ms);
  link.dial_failure_ppm += draw_ppm(rng, 10'000, 300'000);
  link.reset_ppm += draw_ppm(rng, 50, 5'000);
  link.loss_ppm += draw_ppm(rng, 1'000, 100'000);
  link.cut_ppm += draw_ppm(rng, 10'000, 500'000);
  link.cpu_per_message += draw_time(rng, 20us, 2ms);
  return link;
}

store::MemoryFaults swarm_disk(Rng& rng, const store::MemoryFaults& base, std::uint64_t used) {
  store::MemoryFaults disk = base;
  disk.write_delay += draw_time(rng, 1ms, 500ms);
  disk.read_delay += draw_time(rng, 1ms, 100ms);
  disk.torn = rng.chance(kOn);
  disk.rot_ppm += draw_ppm(rng, 100, 10'000);
  if (const std::uint64_t room = draw(rng, 0, 256u << 10); room != 0) disk.bytes_max = used + room;
  return disk;
}

}  // namespace kith::simnet
