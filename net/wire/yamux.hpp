// Yamux: many streams over one secured connection (libp2p/specs yamux, protocol /yamux/1.0.0). One
// machine serves both roles; it owns no socket and no clock.
//
// Rules
// * Input: on_bytes takes decrypted bytes in any cut. Payload leaves as zero-copy slices of what
//   came in (whoever keeps a small slice for long copies it out). Output is pulled: control frames
//   first, then data by priority, round-robin among the streams of one priority.
// * A stream is known by its YamuxSlot until YamuxClosed or YamuxReset for it, or until our own
//   reset(). Calls with a slot that is gone do nothing.
// * What YamuxData delivered must be given back with release(); the peer's window opens by that
//   only. Windows start at 256 KiB and double, up to stream_window_max, while half a window is used
//   up within four round trips and the connection's receive pool has room. Credit is counted from
//   the moment at which its frame is pulled, so a bigger window is announced before it is used.
// * FIN travels alone, never on a data frame: js-libp2p ends the stream before it delivers the
//   payload of such a frame. SYN and ACK ride on the first frame, whatever it is.
// * Never sent: frames for streams that the peer does not know or has ended, RST as an answer to
//   anything but a SYN, a pong that nobody asked for. js-libp2p drops the connection for less.
// * A fatal error (YamuxFailed) drops all streams and queues one GoAway, which pull still hands
// out.
//
// Bounds: the constants below; memory is what is queued by write() (the caller bounds it with
// queued_bytes), what is delivered and not released (at most receive_pool_max, the stream that
// exceeds it is reset) and about 200 bytes for each open stream, in pieces of 1 KiB.
//
// The attacker floods opens, resets, pings or window updates, sends more than its window or to
// streams that are gone, or stops reading. Credit is checked before anything is allocated; what a
// stream that we reset may still receive is one sum for the connection; what the caller must watch
// itself is stalled().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "net/wire/yamux_frame.hpp"
#include "net/wire/yamux_queue.hpp"
#include "net/wire/yamux_stream.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/result.hpp"

namespace kith::wire {

inline constexpr std::string_view kYamuxProtocol = "/yamux/1.0.0";

inline constexpr std::uint32_t kYamuxStreamsMax = 1024;      // both directions, js allows 1000 each
inline constexpr std::uint32_t kYamuxAckBacklogMax = 256;    // opened and not yet acknowledged
inline constexpr std::uint32_t kYamuxWindowMax = 16u << 20;  // per stream, as go and js have it
inline constexpr std::size_t kYamuxReceivePoolMax = 64u << 20;  // per connection
inline constexpr std::size_t kYamuxPongsMax = 32;               // pings that wait for their answer
// Resets of streams that the peer opened, and opens that we refused: a burst of one whole backlog.
inline constexpr std::uint32_t kYamuxResetsPerSecond = 100;
inline constexpr std::uint32_t kYamuxResetsBurst = kYamuxAckBacklogMax;
inline constexpr Duration kYamuxPingEvery = 30s;     // as go and js
inline constexpr Duration kYamuxPingDeadline = 60s;  // two of them unanswered: the peer is gone

struct YamuxConfig {
  bool dialler = false;  // odd stream ids
  std::uint32_t streams_max = kYamuxStreamsMax;
  std::uint32_t stream_window_max = kYamuxWindowMax;
  std::size_t receive_pool_max = kYamuxReceivePoolMax;
  Duration ping_every = kYamuxPingEvery;  // first at once; Duration::max(): only by ping()
};

enum class YamuxGoAwayCode : std::uint32_t { normal = 0, protocol_error = 1, internal_error = 2 };

struct YamuxOpened {  // by the peer
  YamuxSlot stream;
  std::uint32_t id = 0;
};
struct YamuxData {
  YamuxSlot stream;
  Bytes data;  // never empty
};
struct YamuxEnded {  // the peer sends nothing more; we still may
  YamuxSlot stream;
};
struct YamuxClosed {  // both sides ended and our FIN has been pulled; the slot is gone
  YamuxSlot stream;
};
struct YamuxReset {  // by the peer, or by us because the receive pool is full; the slot is gone
  YamuxSlot stream;
  std::uint32_t code = 0;  // from the Length field (libp2p/specs #622); 0 from most peers
  bool by_peer = true;
};
struct YamuxWritable {  // asked for by notify_below
  YamuxSlot stream;
};
struct YamuxPong {
  Duration round_trip{};
};
struct YamuxWentAway {  // the peer opens and accepts nothing more; open streams go on
  std::uint32_t code = 0;
};
struct YamuxFailed {  // fatal: close the connection once pull is empty
  Errc code = Errc::malformed;
  std::string_view text;  // static
};
using YamuxEffect = std::variant<YamuxOpened, YamuxData, YamuxEnded, YamuxClosed, YamuxReset,
                                 YamuxWritable, YamuxPong, YamuxWentAway, YamuxFailed>;
using YamuxEffects = std::vector<YamuxEffect>;

// A stream whose queued bytes the peer's window has held back since then.
struct YamuxStall {
  YamuxSlot stream;
  Mono since{};
};

class Yamux {
 public:
  Yamux(YamuxConfig config, Now now);

  // --- events
  void on_bytes(Now now, Bytes chunk, YamuxEffects& out);
  void on_tick(Now now, YamuxEffects& out);
  Mono next_deadline() const;

  // --- commands
  // Refused with `exhausted` (streams_max, ack backlog, ids) or `closed` (go-away, failed).
  Result<YamuxSlot> open(Now now);
  // False when the stream is gone or closed by us. Takes everything: watch queued_bytes.
  bool write(Now now, YamuxSlot stream, Bytes data, Priority priority = Priority::normal);
  void close(YamuxSlot stream);                          // FIN after what is queued
  void reset(YamuxSlot stream, std::uint32_t code = 0);  // drops what is queued; no effect follows
  void release(YamuxSlot stream, std::size_t bytes);     // at most what was delivered
  // One YamuxWritable, out of pull, when queued_bytes(stream) has fallen to `bytes` or less; asking
  // again replaces. False, and none follows, when it is there already or the stream is gone.
  bool notify_below(YamuxSlot stream, std::size_t bytes);
  void ping(Now now);  // nothing while one is on its way
  void go_away(YamuxGoAwayCode code = YamuxGoAwayCode::normal);

  // Appends slices of whole frames, at most `budget` bytes in all; returns how many. All headers of
  // one pull share one allocation. A multiple of kYamuxFrameMax keeps frames and Noise messages
  // aligned.
  std::size_t pull(Now now, std::size_t budget, std::vector<Bytes>& slices, YamuxEffects& out);

  // --- queries
  bool has_output() const;
  bool failed() const { return failed_; }
  std::size_t stream_count() const { return streams_.size(); }
  std::size_t queued_bytes(YamuxSlot stream) const;
  std::size_t queued_bytes() const { return queued_; }          // of all streams
  std::size_t queued_slices() const { return pool_.used(); }    // of all streams
  std::size_t unreleased_bytes() const { return unreleased_; }  // of all streams
  std::uint32_t stream_id(YamuxSlot stream) const;              // 0: gone
  Duration round_trip() const { return round_trip_; }           // 0: not measured yet
  std::optional<YamuxStall> stalled() const;                    // the oldest; looks at every stream

 private:
  struct List {
    YamuxSlot first;
    YamuxSlot last;
  };
  struct Known {
    std::uint32_t id = 0;
    YamuxSlot slot;
  };
  struct Reset {
    std::uint32_t id = 0;
    std::uint32_t code = 0;
  };
  struct Incoming {  // the frame under way
    std::array<std::uint8_t, kYamuxHeadBytes> head{};
    std::size_t head_bytes = 0;
    std::uint32_t body_left = 0;
    YamuxSlot body_of;  // none: discarded
    bool fin_after = false;
  };

  // yamux.cpp: streams and their places in the lists.
  YamuxSlot add_stream(Now now, std::uint32_t id, bool opened_by_peer);
  void remove_stream(YamuxSlot slot);
  std::size_t place_of(std::uint32_t id) const;
  YamuxSlot find_id(std::uint32_t id) const;
  void refresh(YamuxSlot slot, YamuxStream& stream);
  void note_stall(Now now, YamuxStream& stream);
  void link(List& list, YamuxLinks YamuxStream::*links, YamuxSlot slot);
  void unlink(List& list, YamuxLinks YamuxStream::*links, YamuxSlot slot);
  void drop(YamuxSlot slot, std::uint32_t code);
  void fail(Errc code, std::string_view text, YamuxEffects& out);

  // yamux_input.cpp
  void on_head(Now now, const YamuxHead& head, YamuxEffects& out);
  void on_data_head(Now now, const YamuxHead& head, YamuxEffects& out);
  void on_window_update(Now now, const YamuxHead& head, YamuxEffects& out);
  void on_ping(Now now, const YamuxHead& head, YamuxEffects& out);
  void on_payload(Bytes part, YamuxEffects& out);
  YamuxSlot on_syn(Now now, const YamuxHead& head, YamuxEffects& out);
  void on_rst(Now now, YamuxSlot slot, std::uint32_t code, YamuxEffects& out);
  void on_fin(YamuxSlot slot, YamuxEffects& out);
  void on_ack(YamuxStream& stream);
  void charge_reset(Now now, YamuxEffects& out);

  // yamux_output.cpp
  bool pull_session(Now now);
  bool pull_control(Now now, YamuxEffects& out);
  bool pull_data(Now now, YamuxEffects& out);
  void put_update(Now now, YamuxStream& stream);
  void grow_window(Now now, YamuxStream& stream);
  std::uint16_t take_flags(YamuxStream& stream);

  YamuxConfig config_;
  Slots<YamuxSlot, YamuxStream> streams_;
  std::vector<Known> known_;  // sorted by id: peers choose ids, so nothing is hashed
  std::uint32_t next_id_ = 0;
  std::uint32_t unacked_ = 0;         // ours, the peer has not answered
  std::uint32_t unacknowledged_ = 0;  // the peer's, we have not answered
  std::size_t queued_ = 0;
  std::size_t unreleased_ = 0;
  std::size_t windows_ = 0;  // sum over streams
  // What the peer may still send on streams that we reset: what we discard is charged to it.
  std::uint64_t stray_credit_ = 0;
  Mono resets_paid_{};         // the budget of resets is spent up to this time
  std::uint32_t refused_ = 0;  // reset by us before they were acknowledged; charged at next input

  Incoming in_;
  SlicePool pool_;
  YamuxWriter writer_;
  List control_;
  std::array<List, kPriorities> ready_;
  std::vector<std::uint32_t> pongs_;
  std::vector<Reset> resets_;
  std::optional<std::uint32_t> go_away_due_;

  bool failed_ = false;
  bool local_gone_ = false;
  bool remote_gone_ = false;
  bool ping_due_ = false;
  bool ping_out_ = false;
  std::uint32_t ping_value_ = 0;
  Mono ping_sent_{};
  Mono ping_next_ = kNever;
  Duration round_trip_{};
};

}  // namespace kith::wire
