// PoaCore: beats out and in, what they count for, what is stored of it, and questions about it.
//
// What becomes of a beat that came (BeatCounters has the words):
//
//   malformed, truncated, oversized, mismatched   reject   whoever passes that on has not looked
//   stale, future                                 ignore   one of the two clocks is wrong
//   repeated                                      ignore   a late copy
//   replayed                                      ignore; reject when it came from its publisher
//   flooding                                      ignore; reject when it came from its publisher
//                                                 and its own times are too close as well
//   strangers, early, spare, counted              accept   others may see it otherwise
//
// Blame falls on who handed a beat to us, so a publisher is blamed for what only it can have done
// when it came from itself; what needs our clock or our memory to be judged is nobody's fault.
//
// Storing: each slot the peers of one of kTurns turns are written, buffered; this node's own slots
// only up to kTurns before, when all rows of that time are there. Marks of sequence numbers are
// synced.
#pragma once

#include <map>
#include <memory>

#include "gossip/gossip.hpp"
#include "services/poa/beat_source.hpp"
#include "services/poa/ledger.hpp"
#include "services/poa/table_asker.hpp"

namespace kith::poa {

inline constexpr std::uint32_t kTurns = 6;
// Beats of peers without a place that are passed on: a burst, and so many a second.
inline constexpr std::uint32_t kStrangersBurst = 256;
inline constexpr std::uint32_t kStrangersPerSecond = 32;
// Pages of our table that one peer may have: a burst, and one a second.
inline constexpr std::uint32_t kPagesBurst = 12;

// So many, filled again by one each interval.
struct Bucket {
  std::uint32_t tokens = 0;
  Mono at{};
  bool take(Mono now, std::uint32_t tokens_max, Duration interval);
};

struct PoaCoreConfig {
  PeerId self;
  Family family = 0;
  Timing timing;
  bool beat = true;  // false: only listens
};

class PoaCore {
 public:
  PoaCore(PoaCoreConfig config, Rng rng);

  void start(Effects& out);
  void on_scanned(Now now, Result<std::vector<StoreEntry>> entries, bool more, Effects& out);
  void on_persisted(Now now, std::uint64_t tag, const Result<void>& result, Effects& out);
  void on_tick(Now now, const Capacity& capacity, Effects& out);
  Mono next_deadline(Mono now) const;
  void stop(Now now, Effects& out);

  // `direct`: it was handed to us by its publisher.
  gossip::Verdict on_beat(Now now, const PeerId& from, bool direct, ByteView data);

  void run(Now now, RequestId request, const Request& what, Effects& out);
  void cancel(RequestId request, Effects& out) { asker_.cancel(request, out); }
  TableAsker& asker() { return asker_; }
  void on_question(Now now, host::PeerSlot peer, host::StreamSlot stream, ByteView question,
                   Effects& out);
  void on_peer_gone(host::PeerSlot peer) { askers_.erase(peer); }

  Status status() const;
  bool ready() const { return running_ != nullptr; }
  Calendar calendar(Now now, const ShowUptime& what) const;

 private:
  // What there is once the store has been read.
  struct Running {
    Running(Now now, const PoaCoreConfig& config, std::uint64_t clock_mark,
            std::uint64_t sequence_mark, Rng& rng)
        : timeline(now, config.timing, clock_mark),
          attendance(now, timeline),
          source(now, config.timing, sequence_mark, rng) {}
    Timeline timeline;
    Attendance attendance;
    BeatSource source;
    std::uint64_t epoch = 0;      // that the ledger was told
    std::uint64_t turn_slot = 0;  // of the last turn that was saved
  };
  // What was read of it so far (poa_store.cpp).
  struct Loading {
    std::uint64_t clock_mark = 0;
    std::uint64_t sequence_mark = 0;
    std::map<std::uint64_t, Bitmap> up;
    std::vector<std::pair<PeerId, Row>> rows;  // of peers that are read after them
    std::uint64_t damaged = 0;
    std::uint32_t rereads = 0;  // of the record that was come to
  };
  bool load(const StoreEntry& entry);
  bool load_epoch(ByteView key, const Bytes& value);
  void adopt_rows();
  void finish_loading(Now now, Effects& out);
  void save_turn(std::uint64_t slot, Effects& out);
  void save_peers(std::uint32_t turn, std::uint32_t turns, StoreBatch& batch);
  void save_own(std::uint64_t before, StoreBatch& batch);
  void reserve(Effects& out);
  void erase(const std::vector<Ledger::Erased>& erased, StoreBatch& batch) const;
  void turn_epoch(std::uint64_t epoch, Effects& out);

  void judge_slots(Now now, Effects& out);
  void beat(Now now, Effects& out);
  gossip::Verdict blame(std::uint64_t& counter, bool at_fault);
  gossip::Verdict count(Now now, const Ledger::Verdict& verdict, bool direct);
  PeerView view_of(const PeerId& id, std::uint64_t first, std::uint64_t last) const;
  schema::Statement statement(Now now, const PeerId& after) const;

  PoaCoreConfig config_;
  Rng rng_;
  Ledger ledger_;
  TableAsker asker_;
  std::unique_ptr<Loading> loading_;  // null: loaded
  std::unique_ptr<Running> running_;
  Capacity capacity_;
  Status status_;
  Bucket strangers_{kStrangersBurst, {}};
  std::map<host::PeerSlot, Bucket> askers_;
  std::uint64_t store_failures_ = 0;
};

}  // namespace kith::poa
