// Two Yamux machines joined by byte pipes, driven by choices (random numbers, or a fuzzer's bytes)
// and compared with a naive model: per stream and direction, how many bytes were written and how
// many arrived. An observer on each pipe re-reads every frame and holds the sender to the rules.
//
// A broken promise throws ModelError.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/net/wire/yamux_support.hpp"

namespace kith::wire::testing {

struct ModelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
inline void require(bool holds, const char* claim) {
  if (!holds) throw ModelError(claim);
}

class Choices {
 public:
  virtual ~Choices() = default;
  virtual std::uint32_t below(std::uint32_t bound) = 0;
  virtual bool exhausted() const { return false; }
};

// What one side's frames may be, told from the bytes alone.
class Observer {
 public:
  // Frames of one pull, as they are sent.
  void on_sent(const std::vector<Frame>& frames, const Observer& other);
  // `bytes` of what was sent have arrived at the other side.
  void on_arrived(std::size_t bytes);

  struct Stream {
    bool syn = false, ack = false, fin = false, rst = false;  // sent
    bool saw_syn = false, saw_fin = false, saw_rst = false;   // arrived at the other side
    std::uint64_t data = 0;                                   // payload bytes sent
    std::uint64_t granted = 0;                                // credit that arrived there
  };
  std::map<std::uint32_t, Stream> streams;

 private:
  void check_stream_frame(const YamuxHead& head, const Observer& other);
  std::deque<std::pair<std::uint64_t, YamuxHead>> flying_;  // where its header ends
  std::uint64_t sent_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint32_t pings_out_ = 0;
  std::uint32_t pings_in_ = 0;
  friend class TwoEnds;
};

class TwoEnds {
 public:
  TwoEnds(YamuxConfig dialler, YamuxConfig listener)
      : ends_{End(dialler, now_), End(listener, now_)} {}

  void step(Choices& choices);
  // Releases, closes and delivers everything; then nothing may be left anywhere.
  void finish();
  std::uint64_t bytes_delivered() const { return bytes_delivered_; }

 private:
  struct Side {  // one end's view of a stream
    YamuxSlot slot;
    bool known = false;
    bool gone = false;     // closed, or reset by either
    bool reset = false;    // by a reset, not by a close
    bool closing = false;  // close() was called
    bool ended = false;    // YamuxEnded came
    std::uint64_t written = 0;
    std::uint64_t delivered = 0;
    std::uint64_t held = 0;     // delivered, not released
    std::uint64_t granted = 0;  // credit sent to the other end, beyond the initial window
  };
  struct Stream {
    std::array<Side, 2> sides;
  };
  struct End {
    End(YamuxConfig config, Now now)
        : machine(config, now), growth_max(config.stream_window_max - kYamuxWindowInitial) {}
    Yamux machine;
    std::uint32_t growth_max;  // of one stream's window
    Observer observer;         // of what this end sends
    std::deque<Bytes> pipe;    // to the other end
    std::map<YamuxSlot, std::uint32_t> ids;
  };

  // What stands at an offset of a stream: the same for writer and reader, different elsewhere.
  static ByteView pattern(std::uint32_t id, std::size_t side, std::uint64_t offset,
                          std::size_t size_max);
  Side* pick(Choices& choices, std::size_t end);
  std::uint32_t id_of(std::size_t end, const Side& side) const {
    return ends_[end].ids.at(side.slot);
  }
  void open(std::size_t end);
  void write(std::size_t end, Side& side, std::size_t size, Priority priority);
  void reset(std::size_t end, Side& side);
  void release(std::size_t end, Side& side, std::uint64_t bytes);
  void count_credit(std::size_t end, const std::vector<Frame>& frames);
  void pull(std::size_t end, std::size_t budget);
  void deliver(std::size_t from, std::size_t bytes);
  void take_effects(std::size_t end, const YamuxEffects& effects);
  void take(std::size_t end, const YamuxOpened& effect);
  void take(std::size_t end, const YamuxData& effect);
  void take(std::size_t end, const YamuxEnded& effect);
  void take(std::size_t end, const YamuxClosed& effect);
  void take(std::size_t end, const YamuxReset& effect);
  void take(std::size_t, const YamuxWritable&) {}
  void take(std::size_t, const YamuxPong&) {}
  void take(std::size_t, const YamuxWentAway&) {}
  void take(std::size_t, const YamuxFailed& effect) { throw ModelError(std::string(effect.text)); }
  Side& side_of(std::size_t end, YamuxSlot slot);

  Now now_ = at(0s);
  std::array<End, 2> ends_;
  std::map<std::uint32_t, Stream> streams_;
  std::uint64_t bytes_delivered_ = 0;
};

}  // namespace kith::wire::testing
