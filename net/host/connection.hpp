// Connection: one pipe from its first byte to its last, as a pure machine: what the other side's
// bytes mean and what is to be written.
//
//     select /noise -> Noise XX -> [select /yamux/1.0.0] -> open
//
// Rules
// * The dialling side proposes /noise and sends Noise message 1 with it, and sends its first
// streams
//   with message 3: the first answer comes after three round trips, TCP's own among them. When the
//   muxer was not agreed in the handshake it is proposed as optimistically; a refusal ends the
//   connection, as we have no other.
// * The streams are those of mux(), which exists from `opened` on. Its effects come by the same
//   ConnectionEffects.
// * Output is pulled: sealed, gathered from the streams' slices straight into one buffer a write.
//   After `failed` pull still hands out what explains it (a GoAway).
// * handshake_deadline runs from construction to `opened`, whatever trickles in. Before that at
// most
//   pre_auth_bytes_max bytes are taken, and what is held is bounded by the machines to one line and
//   one handshake message. The muxer's answer, where it is asked for, is under the same deadline.
// * Writes of which the other side took nothing for write_stall end the connection; as the backlog
//   is looked at when the machine is called, that may take twice as long.
//
// Attacker: whoever connects: silence, one byte a second, garbage at each layer, a wrong identity,
// a reader that never reads.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "net/host/limits.hpp"
#include "net/wire/multistream.hpp"
#include "net/wire/noise.hpp"
#include "net/wire/yamux.hpp"

namespace kith::host {

// In the order in which they happened: opened, streams, failed.
struct ConnectionEffects {
  bool opened = false;  // remote() and mux() are there
  wire::YamuxEffects streams;
  std::optional<Error> failed;  // once; write what pull gives and close the pipe
  void clear() {
    opened = false;
    streams.clear();
    failed.reset();
  }
};

class Connection {
 public:
  // `own` and `limits` outlive it. `expected`: the dialled id; none: whoever proves one.
  Connection(Now now, bool dialler, const wire::NoiseStatic& own, const HostLimits& limits,
             Rng& rng, std::optional<PeerId> expected = {});

  void on_bytes(Now now, Bytes chunk, ConnectionEffects& out);
  // `backlog`: what the pipe still holds of what was pulled.
  void on_tick(Now now, std::size_t backlog, ConnectionEffects& out);
  void watch_backlog(Now now, std::size_t backlog);
  Mono next_deadline() const;

  // The next write, about `budget` bytes of plaintext or less; empty when there is none.
  Bytes pull(Now now, std::size_t budget, ConnectionEffects& out);
  bool has_output() const;

  bool is_open() const { return mux_ != nullptr && !failed_; }
  bool failed() const { return failed_; }
  const PeerId& remote() const { return remote_; }  // empty until opened
  wire::Yamux& mux() { return *mux_; }
  const wire::Yamux& mux() const { return *mux_; }

 private:
  enum class State : std::uint8_t { select_noise, noise, select_mux, open };
  void on_select(const Bytes& chunk, ConnectionEffects& out);
  void on_noise(const Bytes& chunk, ConnectionEffects& out);
  void on_secured(wire::NoiseSession session, ConnectionEffects& out);
  void on_sealed(const Bytes& chunk, ConnectionEffects& out);
  void on_plain(Bytes plain, ConnectionEffects& out);
  void make_mux(ConnectionEffects& out);
  Result<wire::MultistreamStep> select(const Bytes& chunk);
  void fail_with(Error error, ConnectionEffects& out);

  const bool dialler_;
  const wire::NoiseStatic& own_;
  const HostLimits& limits_;
  Rng& rng_;
  Now now_;  // of the call under way
  State state_ = State::select_noise;
  bool failed_ = false;
  std::optional<PeerId> expected_;
  PeerId remote_;
  std::variant<wire::MultistreamListener, wire::MultistreamDialer> select_;
  std::unique_ptr<wire::NoiseHandshake> handshake_;
  std::optional<wire::NoiseTransport> cipher_;
  std::unique_ptr<wire::Yamux> mux_;
  std::vector<Bytes> clear_;    // to be written as it is
  std::vector<Bytes> to_seal_;  // to be written before the streams
  std::vector<ByteView> parts_;
  std::vector<Bytes> slices_;
  Mono deadline_;
  std::size_t pre_auth_bytes_ = 0;
  std::uint64_t pulled_ = 0;  // bytes, sealed
  std::uint64_t taken_ = 0;   // of those, seen to have left the pipe
  std::size_t backlog_ = 0;
  Mono progress_{};
};

}  // namespace kith::host
