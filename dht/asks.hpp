// Asks: requests that we have sent, from connecting to the answer. It finds a stream for each
// request (an idle one of the peer, a new one, or after connecting), and says when it was answered,
// when it is late and when it failed.
//
// Rules
// * One outcome ends an ask: answered (the message that came), delivered (nothing is answered to
//   ADD_PROVIDER: the other side took the stream), connected (nothing was to be sent), or failed.
//   `late` may come once before, and `overdue` after that.
// * The deadline is kAskDeadline in all: connecting, opening and answering together.
// * Late is slower than most were, overdue slower than nearly all: a running mean of answer times
//   and once or four times their mean deviation (after TCP's retransmission timer, RFC 6298). Peers
//   that must be dialled first are measured apart: they take several round trips more.
// * An answer must be of the type that was asked for and, where it names a key, of the key asked
//   for; any other message resets the stream, and the ask fails.
// * ADD_PROVIDER goes on a stream of its own and is delivered when the other side took that.
// * A stream is kept idle for kIdleStream after an answer and used again; if the other side has
// ended
//   it meanwhile, the request is sent once more on a new one.
// Bounds: kAsksInFlightMax asks, kIdleStreamsMax idle streams, one ask a stream.
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "dht/effects.hpp"
#include "net/base/slot_map.hpp"

namespace kith::dht {

inline constexpr Duration kAskDeadline = 10s;
// A lookup comes back to a peer within its few round trips or not at all, and until the stream is
// closed the connection counts as busy on both sides.
inline constexpr Duration kIdleStream = 2s;
inline constexpr std::size_t kIdleStreamsMax = 64;
inline constexpr std::size_t kAsksInFlightMax = 1024;
// Before anything was measured, and the range of what is concluded from measuring.
inline constexpr Duration kLateFirst = 1s;
inline constexpr Duration kLateMin = 200ms;
inline constexpr Duration kLateMax = 2s;
inline constexpr Duration kOverdueFirst = 3s;
inline constexpr Duration kOverdueMin = 500ms;
inline constexpr Duration kOverdueMax = 4s;

struct QueryTag;
using QuerySlot = Handle<QueryTag>;

enum class Expect : std::uint8_t { answer, delivery, connection };
enum class Purpose : std::uint8_t { search, look, publish, correct, probe };

struct Ask {
  Purpose purpose = Purpose::search;
  QuerySlot query;  // none for corrections and probes
  PeerRef peer;
  std::uint8_t attempt = 0;  // of a search: HeardPeer::attempt
  Expect expect = Expect::answer;
  libp2p::KadType type = libp2p::KadType::find_node;
  Bytes key;
  Bytes message;  // encoded
};

struct Outcome {
  enum class Kind : std::uint8_t { answered, delivered, connected, late, overdue, failed } kind;
  Ask ask;
  host::PeerSlot slot;  // where it is known
  libp2p::KadMessage answer;
  Error error;
};
using Outcomes = std::vector<Outcome>;

class AnswerTimes {
 public:
  void add(Duration took);
  Duration late_after() const;
  Duration overdue_after() const;

 private:
  Duration mean_{};  // 0: nothing was measured yet
  Duration deviation_{};
};

class Asks {
 public:
  // `slot`: the peer is ready; otherwise we connect first, to `addrs` or what the peer store knows.
  void ask(Now now, Ask ask, std::optional<host::PeerSlot> slot, std::vector<Multiaddr> addrs,
           Effects& out, Outcomes& outcomes);

  // The stream that OpenStream asked for. False: nobody waits for it any more; reset it.
  [[nodiscard]] bool bind(AskId ask, host::StreamSlot stream);
  // These answer false when the connection or stream is none of ours.
  bool on_connected(Now now, RequestId request, const Result<host::PeerSlot>& peer, Effects& out,
                    Outcomes& outcomes);
  bool on_opened(Now now, host::StreamSlot stream, Effects& out, Outcomes& outcomes);
  bool on_message(Now now, host::StreamSlot stream, const Bytes& message, Effects& out,
                  Outcomes& outcomes);
  bool on_ended(Now now, host::StreamSlot stream, Effects& out);
  bool on_closed(Now now, host::StreamSlot stream, const Error* error, Effects& out,
                 Outcomes& outcomes);
  void on_tick(Now now, Effects& out, Outcomes& outcomes);
  Mono next_deadline() const;

  // Requests of ours have ids from here on; bootstrap has those below.
  static constexpr std::uint64_t kFirstRequest = 1u << 20;
  std::size_t in_flight() const { return asks_.size(); }
  bool awaits_answer(const PeerRef& peer) const;
  std::size_t idle_streams() const { return idle_.size(); }
  const AnswerTimes& times(bool dialled) const { return dialled ? dialled_ : connected_; }

 private:
  enum class Stage : std::uint8_t { fresh, late, overdue };
  struct Pending {
    Ask ask;
    Mono started{};
    Mono deadline{};
    Mono timer{};  // its place in timers_
    RequestId connecting;
    host::PeerSlot slot;
    host::StreamSlot stream;
    bool reused = false;
    bool dialled = false;
    Stage stage = Stage::fresh;
  };
  struct Stream {
    AskId ask;  // none: idle
    host::PeerSlot peer;
  };
  struct Idle {
    host::StreamSlot stream;
    Mono until{};
  };

  void open(AskId id, Pending& pending, Effects& out, Outcomes& outcomes);
  void finish(AskId id, Outcome::Kind kind, libp2p::KadMessage answer, Error error,
              Outcomes& outcomes);
  void set_idle(Now now, host::StreamSlot stream, Stream& state, Effects& out);
  void forget_idle(host::StreamSlot stream, const Stream& state);
  void on_timer(Now now, AskId id, Effects& out, Outcomes& outcomes);

  Slots<AskId, Pending> asks_;
  std::set<std::pair<Mono, AskId>> timers_;
  std::map<RequestId, AskId> connecting_;
  SlotMap<host::StreamSlot, Stream> streams_;
  SlotMap<host::PeerSlot, Idle> idle_;
  Mono idle_next_ = kNever;  // not after the first of them is due
  std::uint64_t requests_ = kFirstRequest;
  AnswerTimes connected_;
  AnswerTimes dialled_;
};

}  // namespace kith::dht
