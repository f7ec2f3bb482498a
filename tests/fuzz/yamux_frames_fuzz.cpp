// One Yamux machine against arbitrary bytes in arbitrary cuts, with a reader that consumes, answers
// and resets as the input says. First byte: role and reader; then chunks of a length byte and
// bytes.
#include <algorithm>

#include "net/base/check.hpp"
#include "tests/net/wire/yamux_support.hpp"

using namespace kith;
using namespace kith::wire;

namespace {

// The reader's part: releases, echoes, closes or resets by stream and habit.
void react(Yamux& machine, Now now, const YamuxEffects& effects, std::uint8_t habit) {
  for (const YamuxEffect& effect : effects) {
    if (const auto* data = std::get_if<YamuxData>(&effect)) {
      CHECK(!data->data.empty());
      if ((habit & 1) != 0) machine.release(data->stream, data->data.size());
      if ((habit & 2) != 0) machine.write(now, data->stream, data->data, Priority::bulk);
    } else if (const auto* ended = std::get_if<YamuxEnded>(&effect)) {
      if ((habit & 4) != 0) machine.close(ended->stream);
    } else if (const auto* opened = std::get_if<YamuxOpened>(&effect)) {
      CHECK(opened->id != 0);
      if ((habit & 8) != 0 && opened->id % 7 == 0) machine.reset(opened->stream, 9);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::uint8_t habit = bytes[0];
  Now now = wire::testing::at(0s);
  YamuxConfig config;
  config.dialler = (habit & 16) != 0;
  if ((habit & 32) != 0) config.receive_pool_max = kYamuxWindowInitial;
  Yamux machine(config, now);
  for (int i = 0; i < (habit >> 6); ++i) (void)machine.open(now);
  ByteView input(bytes + 1, size - 1);
  while (!input.empty()) {
    const std::size_t length = std::min<std::size_t>(input[0], input.size() - 1);
    YamuxEffects effects;
    machine.on_bytes(now, Bytes::copy(input.subspan(1, length)), effects);
    input = input.subspan(1 + length);
    react(machine, now, effects, habit);
    CHECK(machine.stream_count() <= config.streams_max);
    CHECK(machine.unreleased_bytes() <= config.receive_pool_max);
    CHECK(!machine.failed() || machine.stream_count() == 0);
    now.mono += 1ms;
    if (length % 3 == 0) {  // at other times output waits
      effects.clear();
      (void)wire::testing::pull_frames(machine, now, effects, 1000 + length * 100);
    }
    machine.on_tick(now, effects);
  }
  YamuxEffects effects;
  (void)wire::testing::pull_frames(machine, now, effects);
  CHECK(!machine.failed() || !machine.has_output());
  return 0;
}
