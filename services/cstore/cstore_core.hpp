// CstoreCore: what is decided about namespaces: joining, writing, merging, catching up.
//
// Rules
// * Writing: changes queue per namespace; one batch a namespace is under way at a time and takes up
//   what queued meanwhile (group commit). Sealed, then durable, then applied, acknowledged and
//   published. Its sequence number is used once: a batch that the store refused was never told.
// * Incarnation: the number space of a writer. It is drawn anew when the store has no record of
//   ours or its log of it has a hole, and when a batch of ours turns up that we do not know (the
//   store is an older copy). Else a number would be used twice.
// * Merging: decoded, placed, checked against the clock, and only then verified (the dear part);
//   stored unsynced, as others have it too, and applied and told as held once the store has taken
//   it. What it refuses is as if it had never come, and is asked for again (StoreGate). A batch
//   that comes early waits.
// * A batch that the store does not give back as it was written cannot be served or folded: it
//   comes again from others. A number of ours that was damaged at the start ends the incarnation.
// * Catching up: now and then, after a gap, and with a new peer, one random holder is asked whether
//   its root differs, then, with our vector, for what we lack, page by page. An asker that has more
//   than we is asked back.
// * A fork (two batches of one number) converges to the smaller hash. Who holds the other half
//   shows in the vector's chains; the writer's log is then walked and the state folded anew from
//   the store.
//
// Blame (Counters has the words; each message that is not merged is in one of them):
//
//                               on a topic                          in an answer to us
//   malformed, truncated,
//   oversized, forged           reject: anybody can see it          its sender is not asked again
//   future                      ignore; reject when further ahead   left out: its holder's clock
//                               than two honest clocks explain      may be ahead of ours
//   replayed                    ignore                              left out
//   fork                        ignore; reject from its writer      settled (see above)
//   full, unstored              ignore; accept, as others have room left out
//
// Forged: a wrong signature, writer or namespace. What a peer asks of us and cannot be read is
// refused. "Not asked again": while it is connected.
// Bounds: limits.hpp. Attacker: any peer, any writer; namespaces are open to all who know the name.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "net/base/rng.hpp"
#include "services/cstore/space.hpp"
#include "services/cstore/store_gate.hpp"

namespace kith::cstore {

struct CoreConfig {
  PeerId self;
  Families families;
  std::uint64_t space_bytes_max = kSpaceBytesMax;
};

class CstoreCore {
 public:
  CstoreCore(CoreConfig config, Rng rng) : config_(std::move(config)), rng_(std::move(rng)) {}

  void start(Now now, Effects& out);  // loads; TellReady follows
  void run(Now now, RequestId request, Request what, Effects& out);
  void cancel(RequestId request);

  void on_sealed(Now now, SpaceIndex space, Bytes exact, Effects& out);
  void on_persisted(Now now, std::uint64_t tag, Result<void> result, Effects& out);
  void on_scanned(Now now, std::uint64_t tag, Result<std::vector<StoreEntry>> entries, bool more,
                  Effects& out);
  // A batch that was to be served was not what was written, read however often.
  void on_damaged(Now now, const Bytes& key, Effects& out);
  // A message on a namespace's topic. `pending`: Settle follows.
  gossip::Verdict on_message(Now now, SpaceIndex space, gossip::JudgeSlot judge, const PeerId& from,
                             const PeerId& via, const Bytes& message, Effects& out);
  void on_verified(Now now, VerifySlot slot, bool valid, Effects& out);

  void on_peer_ready(Now now);
  void on_peer_gone(Now now, host::PeerSlot peer, Effects& out);
  void on_holders(Now now, SpaceIndex space, const std::vector<host::PeerSlot>& peers,
                  Effects& out);
  void on_page(Now now, std::uint64_t pull, const Bytes& message, Effects& out);
  // `why`: of the stream's end, if there was an error.
  void on_pull_lost(Now now, std::uint64_t pull, const Error* why, Effects& out);
  void on_ask(Now now, host::StreamSlot stream, host::PeerSlot peer, const Bytes& message,
              Effects& out);
  void on_tick(Now now, Effects& out);
  Mono next_deadline() const;

  Status status() const;
  const std::string& space_name(SpaceIndex space) const { return spaces_[space]->name; }

 private:
  struct Parsed {
    schema::KvBatch batch;
    schema::KvSigned message;
    Sha256Digest id{};
    Bytes exact;
  };
  struct Verifying {
    SpaceIndex space = 0;
    Parsed parsed;
    std::optional<gossip::JudgeSlot> judge;  // else of the space's pull:
    std::uint64_t pull = 0;
    bool via_writer = false;
  };
  struct Stored {
    schema::KvBatch batch;
    HeldBatch held;
    Bytes exact;
  };
  struct Watching {
    SpaceIndex space = 0;
    Bytes prefix;
  };

  // cstore_core.cpp: requests and writes
  void store_record(SpaceIndex index, Effects& out);
  Result<SpaceIndex> join(Now now, const std::string& name, Effects& out);
  SpaceIndex add_space(std::string name);
  Result<void> queue_write(Space& space, QueuedWrite write);
  void write(Now now, SpaceIndex index, QueuedWrite write, Effects& out);
  void run_in(Now now, SpaceIndex index, RequestId request, const Request& what, Effects& out);
  void read(SpaceIndex index, RequestId request, const Request& what, Effects& out);
  void flush(Now now, SpaceIndex index, Effects& out);
  void fill_batch(Space& space, Flight& flight) const;
  void land(Now now, SpaceIndex index, Effects& out);
  void end_wait(Space& space, SpaceIndex index, Effects& out);
  SpaceInfo info(Space& space) const;

  // cstore_merge.cpp: batches of others
  void count_unreadable(const Error& why);
  Result<Parsed> parse(const Bytes& message);
  bool has_room(const Space& space, std::size_t bytes) const;
  gossip::Verdict merge(Now now, SpaceIndex index, Parsed parsed, bool via_writer,
                        std::uint64_t pull, Effects& out);
  void replace(Now now, SpaceIndex index, Parsed parsed, std::uint64_t pull, Effects& out);
  void store(Now now, SpaceIndex index, Storing one, const Bytes& exact, Effects& out);
  void store_waiting(Now now, SpaceIndex index, const Writer& writer, std::uint64_t pull,
                     Effects& out);
  void on_stored(Now now, SpaceIndex index, bool taken, Effects& out);
  bool take_stored(Now now, SpaceIndex index, const Storing& one, Effects& out);
  void miss(Now now, Space& space);
  void apply(SpaceIndex index, const schema::KvBatch& batch, const Writer* writer, Effects& out);
  void tell_watchers(SpaceIndex index, const Bytes& key, Effects& out);
  void verify(SpaceIndex index, Parsed parsed, std::optional<gossip::JudgeSlot> judge,
              bool via_writer, Effects& out);

  // cstore_load.cpp: the log in the store
  void scan_log(std::uint64_t tag, Bytes from, Bytes to, Effects& out);
  static std::optional<Stored> decode(const StoreEntry& entry, const LogPlace& place);
  bool read_again(SpaceIndex index, const LogPlace& place, Effects& out);
  void lose(SpaceIndex index, const LogPlace& place, Effects& out);
  void load_space(const StoreEntry& entry);
  bool load_batch(const StoreEntry& entry, Effects& out);
  void on_loaded(Now now, Effects& out);
  void start_refold(Now now, SpaceIndex index, Effects& out);
  void on_refold_page(Now now, SpaceIndex index, const std::vector<StoreEntry>& entries, bool more,
                      Effects& out);

  // cstore_sync.cpp: catching up
  void pull_soon(Now now, Space& space);
  void start_pull(Now now, SpaceIndex index, host::PeerSlot peer, Effects& out);
  void send_ask(Now now, SpaceIndex index, Effects& out);
  void take_page(Now now, SpaceIndex index, const schema::KvPage& page, Effects& out);
  void start_walks(SpaceIndex index, const schema::KvPage& page);
  bool take_paged_batch(Now now, SpaceIndex index, const Bytes& message, Effects& out);
  void go_on_pulling(Now now, SpaceIndex index, Effects& out);
  void end_pull(Now now, SpaceIndex index, bool complete, Effects& out);
  void shun(Now now, SpaceIndex index, Effects& out);
  SpaceIndex space_of_pull(std::uint64_t pull) const;
  void select(const Space& space, const schema::KvAsk& ask, Serve& serve) const;
  Duration pull_period();

  CoreConfig config_;
  Rng rng_;
  HybridClock clock_;
  Counters counters_;
  bool loaded_ = false;
  std::vector<std::pair<RequestId, Request>> early_requests_;  // before loading was through
  std::vector<std::unique_ptr<Space>> spaces_;                 // never removed
  std::map<std::string, SpaceIndex, std::less<>> by_name_;
  std::map<RequestId, Watching> watches_;
  Slots<VerifySlot, Verifying> verifying_;
  std::set<host::PeerSlot> shunned_;
  StoreGate gate_;
  std::size_t storing_ = 0;  // in all spaces
  std::uint64_t pulls_ = 0;
};

// Tags of the store.
inline constexpr std::uint64_t kTagLoadSpaces = 1ull << 32;
inline constexpr std::uint64_t kTagLoadLog = 2ull << 32;
inline constexpr std::uint64_t kTagOwnBatch = 3ull << 32;  // + space
inline constexpr std::uint64_t kTagRefold = 4ull << 32;    // + space
inline constexpr std::uint64_t kTagStored = 5ull << 32;    // + space: of others
inline constexpr std::uint64_t kTagRecord = 6ull << 32;    // + space

}  // namespace kith::cstore
