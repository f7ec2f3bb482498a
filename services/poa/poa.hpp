// Poa: the front of services/poa: who was there, as this node saw it.
//
// Rules
// * Every node publishes a signed beat each interval. Every node counts the beats that it hears in
//   slots of one interval each, an epoch being a fixed number of slots. What it counted is its own
//   observation: nobody else's table is ever mixed into it.
// * value = round(255 * seen / up) of a peer in an epoch. `up`: slots through which this node ran
//   and had somebody to hear from. `seen`: those of them for which a beat of the peer counted.
//   Slots in which this node was away are in neither, so its absence is never read as a peer's.
// * show: what this node observed. ask: what another node says that it observed, in its words and
//   under its signature.
// * Every request yields any number of on_poa_progress and exactly one on_poa_done; cancel(id) is
//   always legal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"
#include "schema/kith/poa_messages.hpp"

namespace kith::poa {

using schema::Capacity;

// A claimed time may be off by this much: clocks, and what a mesh needs to pass a beat on.
inline constexpr Duration kWindow = 60s;
inline constexpr std::uint32_t kEpochsKept = 30;  // the current one among them
inline constexpr std::uint32_t kParts = 48;       // cells of an epoch: half an hour of a day
// Rows (a peer's epoch) of one answer; with cells they take some 300 bytes each as JSON.
inline constexpr std::size_t kRowsShownMax = 8192;

// What the network's definition says.
struct Timing {
  Duration beat = 10s;   // interval, and length of a slot
  Duration epoch = 24h;  // a multiple of it, of at most schema::kSlotsPerEpochMax slots
};

struct ShowUptime {
  std::optional<PeerId> peer;          // none: all
  std::uint32_t epochs = kEpochsKept;  // at most so many, newest last
};
struct AskUptime {
  PeerId peer;  // whose table
};
using Request = std::variant<ShowUptime, AskUptime>;

inline constexpr std::uint8_t kNoView = 255;  // this node saw nothing of that part of the epoch
struct EpochView {
  std::uint64_t epoch = 0;
  std::uint32_t up = 0;
  std::uint32_t seen = 0;
  std::uint8_t value = 0;
  std::vector<std::uint8_t> cells;  // kParts shares in a hundred, or kNoView
};
struct PeerView {
  PeerId id;
  bool self = false;  // `seen` of this node itself are its own up slots
  Capacity capacity;
  std::optional<std::uint64_t> heard_slot;  // of the last beat that counted
  std::vector<EpochView> epochs;            // oldest first
};
struct Calendar {
  Timing timing;
  std::uint64_t epoch = 0;  // now
  std::uint64_t slot = 0;   // now, since 1970
  std::uint32_t epochs_shown = 0;
  std::vector<PeerView> peers;  // this node first, then in the order of ids
};
// Another node's table, labelled by its owner.
struct Table {
  PeerId owner;
  Timing timing;
  std::uint64_t time_ms = 0;  // of its clock
  std::uint64_t first_epoch = 0;
  std::vector<std::uint32_t> up;
  std::vector<schema::StatementEntry> peers;
};
using Answer = std::variant<Calendar, Table>;

struct TablePages {
  std::uint32_t pages = 0;
  std::uint32_t peers = 0;
};
using Progress = std::variant<TablePages>;

class Sink {
 public:
  virtual void on_poa_progress(Now, RequestId, const Progress&) {}
  virtual void on_poa_done(Now, RequestId, Result<Answer>) = 0;

 protected:
  ~Sink() = default;
};

// What was heard, by what became of it. Forged messages never get here: gossip refuses, blames and
// counts them. Each beat is in exactly one of these.
struct BeatCounters {
  std::uint64_t counted = 0;
  std::uint64_t spare = 0;       // honest, and its slot was counted already
  std::uint64_t early = 0;       // sooner than half an interval after the last
  std::uint64_t flooding = 0;    // above the publisher's rate; not passed on
  std::uint64_t repeated = 0;    // the last sequence number again
  std::uint64_t replayed = 0;    // a lower sequence number than the last
  std::uint64_t stale = 0;       // its time is too far behind ours
  std::uint64_t future = 0;      // its time is too far ahead of ours
  std::uint64_t mismatched = 0;  // its epoch is not that of its time: the publisher's fault
  std::uint64_t malformed = 0;
  std::uint64_t truncated = 0;
  std::uint64_t oversized = 0;
  std::uint64_t strangers = 0;  // no room in the table for this peer
  friend bool operator==(const BeatCounters&, const BeatCounters&) = default;
};
// Questions for our table that were refused, and why; blame stays with who asked.
struct QuestionCounters {
  std::uint64_t flooding = 0;  // above the asker's rate
  std::uint64_t malformed = 0;
  std::uint64_t truncated = 0;
  std::uint64_t oversized = 0;
  std::uint64_t unready = 0;  // our own table is still being read: nobody's fault
  friend bool operator==(const QuestionCounters&, const QuestionCounters&) = default;
};
// Pages of tables that we asked for. All but `stale` and `future` are the fault of the peer that
// was asked, and all but `future` end the request.
struct AnswerCounters {
  std::uint64_t forged = 0;    // another owner's, or not signed by it
  std::uint64_t replayed = 0;  // does not go on behind the page before
  std::uint64_t malformed = 0;
  std::uint64_t truncated = 0;
  std::uint64_t oversized = 0;
  std::uint64_t stale = 0;   // an epoch ended while the table was read
  std::uint64_t future = 0;  // its time is too far ahead of ours: one of the two clocks is wrong
  friend bool operator==(const AnswerCounters&, const AnswerCounters&) = default;
};
struct Status {
  BeatCounters beats;
  QuestionCounters questions;
  AnswerCounters answers;
  std::uint64_t sent = 0;
  std::uint64_t peers = 0;
  std::uint64_t epoch = 0;
  std::uint64_t up_slots = 0;     // of this node in this epoch
  std::uint64_t clock_steps = 0;  // forward, of the wall clock, that were followed
  std::uint64_t pages_given = 0;
};

class Poa {
 public:
  virtual ~Poa() = default;
  // Loads what the store holds, then beats and listens.
  virtual void start(std::function<void(Result<void>)> ready) = 0;
  // Hands to the store what it does not have yet; what follows in the same turn is behind it.
  virtual void stop() = 0;
  virtual void run(RequestId request, Request what, Sink& sink) = 0;
  virtual void cancel(RequestId request) = 0;
  virtual Status status() const = 0;
};

}  // namespace kith::poa
