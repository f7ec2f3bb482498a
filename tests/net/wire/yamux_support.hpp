// Frames as bytes and back, and effects by type: what the tests of Yamux share.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "net/wire/yamux.hpp"

namespace kith::wire::testing {

inline Now at(Duration since_start) { return Now{Mono{} + 1h + since_start, Wall{} + since_start}; }

struct Frame {
  YamuxHead head;
  std::size_t payload = 0;  // bytes
};

inline void append_frame(std::vector<std::uint8_t>& to, const YamuxHead& head,
                         std::size_t payload_bytes = 0, std::uint8_t fill = 'x') {
  const std::size_t start = to.size();
  to.resize(start + kYamuxHeadBytes);
  write_yamux_head(head, std::span<std::uint8_t, kYamuxHeadBytes>(&to[start], kYamuxHeadBytes));
  to.insert(to.end(), payload_bytes, fill);
}

inline Bytes data_frame(std::uint32_t stream, std::size_t size, std::uint16_t flags = 0) {
  std::vector<std::uint8_t> made;
  append_frame(made, {0, YamuxType::data, flags, stream, static_cast<std::uint32_t>(size)}, size);
  return Bytes::adopt(std::move(made));
}

inline Bytes head_only(YamuxType type, std::uint16_t flags, std::uint32_t stream,
                       std::uint32_t length, std::uint8_t version = 0) {
  std::vector<std::uint8_t> made;
  append_frame(made, {version, type, flags, stream, length});
  return Bytes::adopt(std::move(made));
}

inline Bytes update_frame(std::uint32_t stream, std::uint32_t credit, std::uint16_t flags = 0) {
  return head_only(YamuxType::window_update, flags, stream, credit);
}

inline std::vector<std::uint8_t> join(const std::vector<Bytes>& slices) {
  std::vector<std::uint8_t> joined;
  for (const Bytes& slice : slices) joined.insert(joined.end(), slice.begin(), slice.end());
  return joined;
}

// Whole frames only, which is what pull hands out.
inline std::vector<Frame> parse_frames(ByteView bytes) {
  std::vector<Frame> frames;
  while (!bytes.empty()) {
    if (bytes.size() < kYamuxHeadBytes) throw std::runtime_error("pull cut a header");
    Frame frame;
    frame.head = read_yamux_head(bytes.first<kYamuxHeadBytes>());
    bytes = bytes.subspan(kYamuxHeadBytes);
    if (frame.head.type == YamuxType::data) {
      if (bytes.size() < frame.head.length) throw std::runtime_error("pull cut a payload");
      frame.payload = frame.head.length;
      bytes = bytes.subspan(frame.head.length);
    }
    frames.push_back(frame);
  }
  return frames;
}

inline std::vector<Frame> pull_frames(Yamux& machine, Now now, YamuxEffects& effects,
                                      std::size_t budget = SIZE_MAX) {
  std::vector<Bytes> slices;
  machine.pull(now, budget, slices, effects);
  return parse_frames(join(slices));
}

template <class Effect>
std::vector<Effect> only(const YamuxEffects& effects) {
  std::vector<Effect> found;
  for (const YamuxEffect& effect : effects)
    if (const auto* one = std::get_if<Effect>(&effect)) found.push_back(*one);
  return found;
}

inline YamuxConfig quiet(bool dialler) {  // no pings of its own
  YamuxConfig config;
  config.dialler = dialler;
  config.ping_every = Duration::max();
  return config;
}

// Two machines and the bytes between them, in order and without loss.
struct Pair {
  explicit Pair(YamuxConfig a_config = quiet(true), YamuxConfig b_config = quiet(false))
      : a(a_config, now), b(b_config, now) {}

  // Moves everything that both have to say; effects stay in a_saw and b_saw.
  void settle() {
    while (a.has_output() || b.has_output()) {
      step(a, b, a_saw, b_saw);
      step(b, a, b_saw, a_saw);
    }
  }
  void step(Yamux& from, Yamux& to, YamuxEffects& from_saw, YamuxEffects& to_saw) {
    std::vector<Bytes> slices;
    from.pull(now, SIZE_MAX, slices, from_saw);
    to.on_bytes(now, Bytes::adopt(join(slices)), to_saw);
  }

  Now now = at(0s);
  Yamux a;
  Yamux b;
  YamuxEffects a_saw;
  YamuxEffects b_saw;
};

}  // namespace kith::wire::testing
