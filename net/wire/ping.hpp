// Ping: 32 random bytes and their echo, round after round on one stream (libp2p/specs ping,
// protocol /ipfs/ping/1.0.0). Two small machines, one for each end of the stream; the driver owns
// the stream and hands raw bytes in any cut.
//
// Rules: the dialling end has one round on its way and one stream a peer; it ends the stream with
// close(). The echoing end answers whole rounds and ends its side after the other did; at most
// kPingInboundMax such streams a peer, which the driver enforces.
//
// Attacker: answers other bytes (the round fails, so a round trip cannot be faked by guessing),
// never answers (kPingDeadline), sends without reading (kPingEchoQueueMax) or holds a stream open
// (kPingIdleMax). Memory: 32 bytes and the queue that the driver counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "net/base/rng.hpp"
#include "net/base/time.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::wire {

inline constexpr std::string_view kPingProtocol = "/ipfs/ping/1.0.0";
inline constexpr std::size_t kPingBytes = 32;
inline constexpr std::uint32_t kPingInboundMax = 2;     // streams a peer, by specification
inline constexpr Duration kPingDeadline = 10s;          // of one round
inline constexpr Duration kPingIdleMax = 60s;           // between rounds, at the echoing end
inline constexpr std::size_t kPingEchoQueueMax = 4096;  // bytes echoed that the peer has not taken

struct PingSend {
  Bytes data;
};
struct PingAnswered {
  Duration round_trip{};
};
struct PingClose {};  // end our side of the stream
struct PingFailed {   // reset the stream
  Errc code = Errc::malformed;
  std::string_view text;  // static
};
using PingEffect = std::variant<PingSend, PingAnswered, PingClose, PingFailed>;
using PingEffects = std::vector<PingEffect>;

// The end that opened the stream.
class PingDialler {
 public:
  explicit PingDialler(Rng rng) : rng_(rng) {}
  void ping(Now now, PingEffects& out);  // nothing while a round is on its way
  void close(PingEffects& out);          // after the last round
  void on_data(Now now, ByteView data, PingEffects& out);
  void on_end(PingEffects& out);
  void on_tick(Now now, PingEffects& out);
  Mono next_deadline() const;
  bool waiting() const { return state_ == State::waiting; }

 private:
  enum class State : std::uint8_t { idle, waiting, over };
  void fail(Errc code, std::string_view text, PingEffects& out);

  Rng rng_;
  std::array<std::uint8_t, kPingBytes> sent_{};
  std::size_t matched_ = 0;  // bytes of the echo that came
  Mono sent_at_{};
  State state_ = State::idle;
};

// The end that accepted it.
class PingEcho {
 public:
  explicit PingEcho(Now now) : heard_(now.mono) {}
  // `queued`: bytes written to the stream that have not gone out yet.
  void on_data(Now now, ByteView data, std::size_t queued, PingEffects& out);
  void on_end(PingEffects& out);
  void on_tick(Now now, PingEffects& out);
  Mono next_deadline() const;

 private:
  void fail(Errc code, std::string_view text, PingEffects& out);

  std::array<std::uint8_t, kPingBytes> part_{};
  std::size_t part_bytes_ = 0;
  Mono heard_;
  bool over_ = false;
};

}  // namespace kith::wire
