// Space: all that the core keeps of one namespace. A plain struct: CstoreCore is the machine.
#pragma once

#include <deque>
#include <set>

#include "net/base/checked_value.hpp"
#include "services/cstore/batch_log.hpp"
#include "services/cstore/cstore_effects.hpp"
#include "services/cstore/space_state.hpp"

namespace kith::cstore {

struct QueuedWrite {
  RequestId request;
  schema::KvOp op;
  std::int64_t by = 0;  // of an increment; its op's sums are filled in when the batch is made
};

// The one batch of ours that is being made durable.
struct Flight {
  schema::KvBatch batch;
  std::vector<RequestId> requests;  // one per change
  Sha256Digest id{};
  Bytes exact;
  bool first_of_writer = false;
};

// The one catch-up under way.
struct Pull {
  std::uint64_t id = 0;
  host::PeerSlot peer;
  Mono deadline{};
  Mono ends{};
  bool full = false;
  bool page_in = false;  // the answer came; its batches may still be verified
  bool more = false;
  std::size_t verifying = 0;
  std::size_t pages = 0;
  std::uint64_t gained = 0;  // by the page under way
  std::vector<schema::KvMark> forks;
  std::uint64_t walk_from = 0;  // of forks.back(); 0: not walking
};

// A batch of another that the store was handed; it counts when the store has taken it.
struct Storing {
  schema::KvBatch batch;
  HeldBatch held;
  std::uint64_t pull = 0;  // that brought it and waits for it; 0: none
  bool replaces = false;   // the other half of a fork, which is held
};

// Of the namespace's record in the store, without which a restart forgets that we hold it.
enum class Record : std::uint8_t { under_way, durable, refused };

// Where a batch stands in a namespace's log.
struct LogPlace {
  Writer writer;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const LogPlace&, const LogPlace&) = default;
};

struct Space {
  Space(std::string called, std::uint64_t bytes_max) : name(std::move(called)), log(bytes_max) {}

  std::string name;
  BatchLog log;
  SpaceState state;
  std::optional<Writer> own;  // our incarnation; none: drawn with the next write
  std::deque<QueuedWrite> queue;
  std::uint64_t queued_bytes = 0;  // of `queue`, as their batch will count
  std::optional<Flight> flight;
  std::deque<Storing> storing;  // in the order in which the store answers
  bool missed = false;          // since we last said what we hold: the store did not take some
  Record record = Record::under_way;

  bool synced = false;  // reads need not wait
  Mono sync_deadline = kNever;
  std::vector<std::pair<RequestId, Request>> reads;

  Mono next_pull = kNever;
  std::optional<host::PeerSlot> hint;  // said that it has more
  bool behind = false;                 // we know of a gap: comparing roots is needless
  std::optional<Pull> pull;

  bool refold = false;  // a batch was replaced: the state must be folded anew
  Mono refold_after{};
  std::optional<SpaceState> folding;

  // Not read as they were written, however often: asked of others with the next catch-up.
  std::set<LogPlace> damaged;
  std::uint32_t rereads = 0;  // of the batch that the log is read up to
};

// A batch's key in the store: spaces, their writers and sequence numbers in order. The value is a
// checked one, since one turned bit makes another batch, and signatures take too long at the start.
Bytes log_key(std::string_view space, const Writer& writer, std::uint64_t sequence);
std::pair<Bytes, Bytes> log_range(std::string_view space);
std::string_view space_of_log_key(ByteView key);
std::optional<LogPlace> place_of_log_key(ByteView key);

}  // namespace kith::cstore
