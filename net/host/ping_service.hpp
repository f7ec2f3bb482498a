// PingService: /ipfs/ping/1.0.0 over any Host (libp2p/specs ping; the machines are
// net/wire/ping.hpp). It echoes for others and measures for a person: `kith peer ping`.
//
// Rules
// * One outbound ping stream a peer: requests for the same peer follow each other on it. The first
//   round goes out with the stream's opening, further ones `interval` after the last answer.
// * Each request yields one on_ping a round and exactly one on_ping_done, never from inside a call.
//   It fails when a round does (wire::kPingDeadline), or the peer is gone.
//
// Bounds: kPingRequestsMax requests in all; echo streams as wire::kPingInboundMax says.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "net/base/loop.hpp"
#include "net/base/rng.hpp"
#include "net/host/host.hpp"
#include "net/wire/ping.hpp"

namespace kith::host {

inline constexpr std::size_t kPingRequestsMax = 1024;
inline constexpr std::uint32_t kPingRoundsMax = 1'000'000;  // of one request

class PingSink {
 public:
  // number: of the round, from 1.
  virtual void on_ping(Now, RequestId, std::uint32_t number, Duration round_trip) = 0;
  virtual void on_ping_done(Now, RequestId, Result<void>) = 0;

 protected:
  ~PingSink() = default;
};

class PingService final : public Protocol, private Alarm {
 public:
  PingService(Host& host, Loop& loop, Rng rng, Duration interval = 1s);
  ~PingService();
  PingService(const PingService&) = delete;
  PingService& operator=(const PingService&) = delete;

  // The sink outlives the request. Refused with `exhausted`.
  void ping(RequestId request, PeerSlot peer, std::uint32_t rounds, PingSink& sink);
  void cancel(RequestId request);
  std::size_t streams() const { return sessions_.size() + echoes_.size(); }

  void on_stream(Now, StreamSlot, PeerSlot, std::string_view) override;
  void on_data(Now, StreamSlot, Bytes) override;
  void on_end(Now, StreamSlot) override;
  void on_closed(Now, StreamSlot, const Error*) override;

 private:
  struct Wanted {
    RequestId request;
    std::uint32_t rounds = 1;
    std::uint32_t answered = 0;
    PingSink* sink = nullptr;
  };
  struct Session {
    PeerSlot peer;
    wire::PingDialler machine;
    std::deque<Wanted> wanted;
    Mono next_round = kNever;
    std::optional<Error> failure;  // why we reset it
  };
  struct Finished {
    Wanted wanted;
    Error error;
  };
  void on_alarm(Now now) override;
  void open(Now now, PeerSlot peer, Wanted wanted);
  void answered(Now now, StreamSlot stream, Duration round_trip);
  void close_idle(Session& session, wire::PingEffects& effects);
  void carry_out(Now now, StreamSlot stream, wire::PingEffects& effects);
  void fail_stream(StreamSlot stream, const wire::PingFailed& failed);
  void finish_later(Now now, Wanted wanted, Error error);
  void arm(Now now);

  Host& host_;
  Loop& loop_;
  Rng rng_;
  Duration interval_;
  ProtocolIndex protocol_;
  std::uint64_t sessions_made_ = 0;
  std::size_t requests_ = 0;
  std::map<StreamSlot, Session> sessions_;
  std::map<PeerSlot, StreamSlot> by_peer_;
  std::map<StreamSlot, wire::PingEcho> echoes_;
  std::vector<Finished> finished_;  // told from the alarm
};

}  // namespace kith::host
