// Cstore: the front of services/cstore: namespaces of keys that every node which holds them can
// write, and that come to one state on all of them.
//
// Rules
// * A key holds a register (put, del: the last writer wins, by hybrid logical clock, then by
// writer)
//   or a counter (incr: sums per writer and incarnation). A local command that would make a key
//   both is refused; when two nodes do it at once, the register hides the counter until deleted.
// * Every command carries a RequestId, yields any number of on_cstore_progress and exactly one
//   on_cstore_done; cancel(id) is always legal. A write that was acknowledged is durable here, and
//   reaches every node that holds the namespace, also when this one dies right after.
// * The first command that names a namespace joins it: the node holds it from then on, also after a
//   restart. Reads of a namespace just joined wait at most kFirstSyncWait for a first catch-up.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "net/base/slots.hpp"
#include "net/base/time.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/peer_id.hpp"
#include "schema/base/result.hpp"
#include "schema/base/sha256.hpp"

namespace kith::cstore {

struct Put {
  std::string space;
  Bytes key;
  Bytes value;
};
struct Delete {
  std::string space;
  Bytes key;
};
struct Increment {
  std::string space;
  Bytes key;
  std::int64_t by = 1;
};
struct Get {
  std::string space;
  Bytes key;
};
struct List {
  std::string space;
  Bytes prefix;
  Bytes after;  // only keys beyond it; for the next page
  std::uint32_t limit = 1000;
};
struct Watch {
  std::string space;
  Bytes prefix;
};  // runs until cancelled
struct Stat {
  std::string space;
};
using Request = std::variant<Put, Delete, Increment, Get, List, Watch, Stat>;

enum class Kind : std::uint8_t { value, counter };
struct Item {
  Bytes key;
  Kind kind = Kind::value;
  bool deleted = false;  // only of a change
  Bytes value;
  std::int64_t count = 0;
  Wall written{};  // by the writer's clock
  PeerId writer;   // of a value
};
// A change of what is seen at one key, by this node or another.
struct Change {
  std::string space;
  Item item;
};
using Progress = std::variant<Change>;

struct Written {
  Item item;  // as this write left it
};
struct Found {
  Item item;
};
struct Listing {
  std::vector<Item> items;
  bool more = false;
};
struct SpaceInfo {
  std::string space;
  Sha256Digest root{};  // equal on all nodes that hold the same state
  std::uint64_t keys = 0;
  std::uint64_t deleted = 0;  // tombstones
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;  // of batches
  std::uint64_t bytes_max = 0;
  std::uint64_t writers = 0;
  std::uint64_t waiting = 0;  // batches that came before an earlier one of their writer
  std::uint64_t own_sequence = 0;
};
using Answer = std::variant<Written, Found, Listing, SpaceInfo>;

class Sink {
 public:
  virtual void on_cstore_progress(Now, RequestId, const Progress&) {}
  virtual void on_cstore_done(Now, RequestId, Result<Answer>) = 0;

 protected:
  ~Sink() = default;
};

struct Counters {
  std::uint64_t writes = 0;          // changes acknowledged here
  std::uint64_t batches_own = 0;     // that carried them
  std::uint64_t batches_merged = 0;  // of others
  std::uint64_t changes_merged = 0;
  // Batches, questions and answers of others that were not merged, each in one of these.
  std::uint64_t replayed = 0;
  std::uint64_t forged = 0;  // the signature, or the writer, is not what it must be
  std::uint64_t malformed = 0;
  std::uint64_t truncated = 0;  // it ends before what it says it holds
  std::uint64_t oversized = 0;
  std::uint64_t future = 0;    // stamped further ahead than kClockAheadMax
  std::uint64_t forks = 0;     // two batches of one number: their writer's fault
  std::uint64_t gaps = 0;      // batches that came before an earlier one
  std::uint64_t full = 0;      // refused: a quota or table is full
  std::uint64_t unstored = 0;  // of others, not taken by our store: they are asked for again
  std::uint64_t pulls = 0;     // catch-ups asked for
  std::uint64_t pulls_failed = 0;
  std::uint64_t pages_served = 0;
  std::uint64_t store_failures = 0;
  std::uint64_t damaged = 0;  // stored batches that were not read as they were written
};
struct Status {
  std::uint32_t spaces = 0;
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;
  bool store_refuses = false;  // batches of others, for now: its disk is full or failed
  Counters counters;
};

}  // namespace kith::cstore
