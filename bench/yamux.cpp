// Bulk through two Yamux machines back to back, 64 KiB writes, beside the least that the same bytes
// could cost in memory: one memcpy of them. The driver joins each pull into one buffer, as
// encrypting would; what the machines add is the difference.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "net/wire/yamux.hpp"

namespace {

using namespace kith;
using namespace kith::wire;

constexpr std::size_t kWrite = 64u << 10;
constexpr std::size_t kPull = 4 * kYamuxFrameMax;  // what one turn hands to Noise

struct Bench {
  static YamuxConfig config(bool dialler) {
    YamuxConfig made;
    made.dialler = dialler;
    return made;
  }
  Now now{Mono{} + 1h, Wall{}};
  Yamux a{config(true), now};
  Yamux b{config(false), now};
  std::vector<Bytes> slices;
  YamuxEffects saw;
  std::uint64_t delivered = 0;
  std::uint64_t frames = 0;

  static Bytes join(const std::vector<Bytes>& slices, std::size_t size) {
    return Bytes::make(size, [&](std::span<std::uint8_t> to) {
      std::size_t at = 0;
      for (const Bytes& slice : slices) {
        std::memcpy(to.data() + at, slice.data(), slice.size());
        at += slice.size();
      }
    });
  }
  void turn(Yamux& from, Yamux& to) {
    slices.clear();
    const std::size_t size = from.pull(now, kPull, slices, saw);
    if (size == 0) return;
    saw.clear();
    to.on_bytes(now, join(slices, size), saw);
    for (const YamuxEffect& effect : saw) {
      const auto* data = std::get_if<YamuxData>(&effect);
      if (data == nullptr) continue;
      delivered += data->data.size();
      ++frames;
      to.release(data->stream, data->data.size());
    }
  }
};

void bulk(benchmark::State& state) {
  const auto streams = static_cast<std::size_t>(state.range(0));
  const auto write = static_cast<std::size_t>(state.range(1));
  Bench bench;
  const Bytes chunk = Bytes::adopt(std::vector<std::uint8_t>(write, 7));
  std::vector<YamuxSlot> open;
  for (std::size_t i = 0; i < streams; ++i) open.push_back(*bench.a.open(bench.now));
  for (auto _ : state) {
    for (const YamuxSlot stream : open)
      if (bench.a.queued_bytes(stream) < (1u << 20)) bench.a.write(bench.now, stream, chunk);
    bench.turn(bench.a, bench.b);
    bench.turn(bench.b, bench.a);
    bench.now.mono += 20us;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bench.delivered));
  state.counters["frames/MiB"] =
      static_cast<double>(bench.frames) * (1 << 20) / static_cast<double>(bench.delivered);
}
BENCHMARK(bulk)
    ->ArgNames({"streams", "write"})
    ->Args({1, kWrite})
    ->Args({16, kWrite})
    ->Args({100, 256});

// Speed of light: the same join, of the same sizes, without a machine.
void memcpy_kernel(benchmark::State& state) {
  const Bytes chunk = Bytes::adopt(std::vector<std::uint8_t>(kWrite, 7));
  const std::vector<Bytes> slices{chunk};
  for (auto _ : state) benchmark::DoNotOptimize(Bench::join(slices, kWrite));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(kWrite));
}
BENCHMARK(memcpy_kernel);

// The machines alone: headers cost the same, payload is passed on as it is.
void machines_alone(benchmark::State& state) {
  Bench bench;
  const Bytes chunk = Bytes::adopt(std::vector<std::uint8_t>(kWrite, 7));
  const YamuxSlot stream = *bench.a.open(bench.now);
  for (auto _ : state) {
    bench.a.write(bench.now, stream, chunk);
    bench.slices.clear();
    bench.a.pull(bench.now, kPull, bench.slices, bench.saw);
    bench.saw.clear();
    for (const Bytes& slice : bench.slices) bench.b.on_bytes(bench.now, slice, bench.saw);
    for (const YamuxEffect& effect : bench.saw) {
      const auto* data = std::get_if<YamuxData>(&effect);
      if (data == nullptr) continue;
      bench.delivered += data->data.size();
      bench.b.release(data->stream, data->data.size());
    }
    bench.turn(bench.b, bench.a);
    bench.now.mono += 20us;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bench.delivered));
}
BENCHMARK(machines_alone);

}  // namespace

BENCHMARK_MAIN();
