// Link: one pipe in WireHost's table: the Connection on it, who is on the other side, and which
// streams it carries. A record; what happens to it is in wire_host*.cpp and stream_table.cpp.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "net/base/loop.hpp"
#include "net/host/admission.hpp"
#include "net/host/connection.hpp"
#include "net/host/transport.hpp"
#include "net/host/turn.hpp"

namespace kith::host {

struct Link;

class LinkAlarmSink {
 public:
  virtual void on_link_alarm(Now now, Link& link) = 0;

 protected:
  ~LinkAlarmSink() = default;
};

struct Link final : Alarm {
  explicit Link(LinkAlarmSink& alarm_sink) : alarms(alarm_sink) {}
  void on_alarm(Now now) override {
    armed = kNever;
    alarms.on_link_alarm(now, *this);
  }

  // Marks that there is something to write at the end of the turn.
  void touch(Turn& turn) {
    if (dirty || closing) return;
    dirty = true;
    turn.dirty.push_back(slot);
  }
  bool usable() const { return identified && !closing && !away; }

  LinkAlarmSink& alarms;
  LinkSlot slot;
  PipeSlot pipe;
  Multiaddr remote;  // without /p2p: as dialled, or as the transport saw it come
  bool dialler = false;
  Admission::Ticket ticket;
  AttemptSlot attempt;  // of the Dialer, while one of its jobs
  PeerId expected;      // dialled; empty: whoever answers

  std::unique_ptr<Connection> connection;  // null until the pipe stands
  PeerSlot peer;                           // from `opened` on
  bool identified = false;                 // its identify came
  bool away = false;                       // the peer opens and accepts nothing more
  bool closing = false;                    // given up; the pipe is not gone yet
  bool dirty = false;
  Mono armed = kNever;
  Mono identify_deadline = kNever;
  Mono away_deadline = kNever;

  std::vector<StreamSlot> streams;                       // by index of the YamuxSlot
  std::deque<std::pair<Mono, StreamSlot>> negotiations;  // equal times: oldest first
  std::vector<StreamSlot> starved;  // refused by the connection's limit, wait for on_writable
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

}  // namespace kith::host
