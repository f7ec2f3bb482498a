// The frames of Yamux (libp2p/specs yamux): a header of 12 bytes, big-endian, then payload if the
// type is data. Also the writer that assembles one pull: all its headers share one allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "schema/base/bytes.hpp"

namespace kith::wire {

inline constexpr std::size_t kYamuxHeadBytes = 12;
// Header and payload of a full frame fill one Noise message (65535 less its tag of 16) exactly.
inline constexpr std::size_t kYamuxFrameMax = 65519;
inline constexpr std::uint32_t kYamuxPayloadMax = kYamuxFrameMax - kYamuxHeadBytes;
inline constexpr std::uint32_t kYamuxWindowInitial = 256u << 10;  // what both sides assume

enum class YamuxType : std::uint8_t { data = 0, window_update = 1, ping = 2, go_away = 3 };

inline constexpr std::uint16_t kYamuxSyn = 1, kYamuxAck = 2, kYamuxFin = 4, kYamuxRst = 8;

struct YamuxHead {
  std::uint8_t version = 0;
  YamuxType type = YamuxType::data;  // as it stood on the wire: may be none of the four
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;  // 0: the session
  std::uint32_t length = 0;  // data: payload bytes; window_update: credit; else a value

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  friend bool operator==(const YamuxHead&, const YamuxHead&) = default;
};

YamuxHead read_yamux_head(std::span<const std::uint8_t, kYamuxHeadBytes> from);
void write_yamux_head(const YamuxHead& head, std::span<std::uint8_t, kYamuxHeadBytes> to);

// Rule: begin, then frames while `room` allows, then finish; the slices are complete after finish.
class YamuxWriter {
 public:
  void begin(std::size_t budget, std::vector<Bytes>& slices);
  std::size_t room() const { return budget_ - size_; }
  std::size_t size() const { return size_; }
  // Neither looks at the budget: the caller has.
  void head(const YamuxHead& head);
  // The payload that follows a data header: append `size` bytes to it.
  std::vector<Bytes>& payload(std::size_t size);
  std::size_t finish();

 private:
  struct Run {  // headers next to each other are one slice
    std::size_t place = 0;
    std::size_t start = 0;
    std::size_t length = 0;
  };
  std::vector<std::uint8_t> heads_;
  std::vector<Run> runs_;
  std::vector<Bytes>* slices_ = nullptr;
  std::size_t budget_ = 0;
  std::size_t size_ = 0;
};

}  // namespace kith::wire
