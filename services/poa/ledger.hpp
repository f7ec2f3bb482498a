// Ledger: for each peer that was heard, the slots in which a beat of it counted.
//
// Rules
// * One beat counts once: in the slot in which it came, or, within the first fifth of that slot, in
//   the one before when that has none yet. So a peer whose beats come at the border of two slots is
//   not counted twice in one and never in the next, and each counted slot still costs a beat.
// * Beats sooner than half an interval after the last that counted are early. A publisher has a
//   bucket of kBurst beats, filled by one an interval; what is above it is flooding.
// * Numbers: the last again is repeated (a neighbour's late copy), a lower one is replayed.
// * Bitmaps are kept for the present epoch and the one before, in which late beats may still count;
//   then an epoch is closed: a count, and the share of each of kParts parts.
// * The table holds kPeersMax peers. A newcomer (fewer than kEstablished slots in all) has only
//   kNewcomersMax places. When they are full, it takes that of whoever counted least among
//   newcomers silent for kSilence and others silent for kLongSilence; if nobody is silent, it is
//   not admitted. So identities that cost nothing push out each other, never a peer with a record.
//
// Attacker: whoever makes identities by the million (each costs a beat's signature and takes a
// place of its own kind), replays beats that others signed, or beats faster than it should.
#pragma once

#include <array>
#include <unordered_map>

#include "net/crypto/siphash.hpp"
#include "services/poa/attendance.hpp"

namespace kith::poa {

inline constexpr std::size_t kPeersMax = 4096;
inline constexpr std::size_t kNewcomersMax = 2048;
inline constexpr std::uint32_t kEstablished = 360;  // slots: an hour
inline constexpr std::uint32_t kSilence = 60;       // slots: ten minutes
inline constexpr std::uint32_t kLongSilence = 3;    // epochs
inline constexpr std::uint32_t kBurst = 3;

enum class Heard : std::uint8_t { counted, spare, early, flooding, repeated, replayed, stranger };

struct Row {
  std::uint64_t epoch = 0;
  Bitmap slots;            // empty: closed
  std::uint32_t seen = 0;  // of a closed one
  std::vector<std::uint8_t> parts;
  bool dirty = false;
};

struct LedgerPeerTag;
using LedgerSlot = Handle<LedgerPeerTag>;

class Ledger {
 public:
  explicit Ledger(Rng& rng) : index_(16, Hash{crypto::SipHash(rng)}) {}

  struct Verdict {
    Heard heard = Heard::stranger;
    std::uint64_t slot = 0;     // counted: for which
    bool close_claims = false;  // its time is within half an interval of the last one's
  };
  Verdict on_beat(Now now, const Timeline& timeline, const PeerId& from, const schema::Beat& beat);

  // A new epoch: closes those before the last, forgets those before kEpochsKept, and peers of which
  // nothing is left. What the store is to forget is added to `erase`.
  struct Erased {
    PeerId peer;
    std::optional<std::uint64_t> epoch;  // none: the peer itself
  };
  void on_epoch(std::uint64_t epoch, const Timeline& timeline, const Attendance& attendance,
                std::vector<Erased>& erased);
  void take_evicted(std::vector<Erased>& erased);

  // Views, against the node's own attendance.
  EpochView view(const PeerId& peer, std::uint64_t epoch, const Timeline& timeline,
                 const Attendance& attendance) const;
  std::uint8_t value(const PeerId& peer, std::uint64_t epoch, const Attendance& attendance) const;
  struct Peer {
    PeerId id;
    std::uint64_t sequence = 0;
    std::uint64_t time_ms = 0;  // that its last beat claimed; 0: not known since the start
    std::uint64_t heard_slot = 0;
    std::optional<Mono> counted_at;
    std::uint32_t tokens = kBurst;
    Mono tokens_at{};
    std::uint32_t total = 0;  // slots counted in all that is kept
    Capacity capacity;
    std::vector<Row> rows;  // oldest first, at most kEpochsKept
    bool dirty = false;
  };
  const Peer* find(const PeerId& id) const;
  std::vector<PeerId> peers_after(const PeerId& after, std::size_t peers_max) const;  // in order
  std::size_t size() const { return peers_.size(); }

  // The store's side: dirty peers of one of `groups`, and they are clean then.
  template <class Each>
  void take_dirty(std::uint32_t group, std::uint32_t groups, Each&& each);
  void mark_all_dirty();
  // False: full, or known already.
  bool load_peer(const PeerId& id, const schema::PoaPeerRecord& record);
  bool load_row(const PeerId& id, Row row);

 private:
  struct Hash {
    crypto::SipHash hash;
    std::size_t operator()(const PeerId& id) const {
      return static_cast<std::size_t>(hash(id.bytes()));
    }
  };
  Peer* admit(const Timeline& timeline, Mono now, const PeerId& id);
  bool make_room(std::uint64_t slot, const Timeline& timeline);
  void erase(LedgerSlot at, std::vector<Erased>& erased);
  static bool take_token(Peer& peer, Mono now, Duration interval);
  static std::uint64_t target(const Peer& peer, const Timeline& timeline, Mono now);
  static bool seen_in(const Peer& peer, std::uint64_t slot, const Timeline& timeline);
  static Row* open_row(Peer& peer, std::uint64_t epoch, const Timeline& timeline);
  static const Row* row_of(const Peer& peer, std::uint64_t epoch);
  static void close(Row& row, const Timeline& timeline, const Bitmap& up);
  void count_total(Peer& peer, std::uint32_t total);

  Slots<LedgerSlot, Peer> peers_;
  std::unordered_map<PeerId, LedgerSlot, Hash> index_;  // looked up, never iterated
  std::size_t newcomers_ = 0;
  std::vector<Erased> evicted_;
};

// Of `parts` parts, the slots of one: [first, last).
std::uint32_t parts_of(std::uint32_t slots);  // kParts, or one a slot when there are fewer
std::pair<std::uint32_t, std::uint32_t> part_range(std::uint32_t part, std::uint32_t slots);
std::uint8_t value_of(std::uint32_t seen, std::uint32_t up);
std::uint8_t share_of(std::uint32_t seen, std::uint32_t up);  // in a hundred, or kNoView

template <class Each>
void Ledger::take_dirty(std::uint32_t group, std::uint32_t groups, Each&& each) {
  peers_.for_each([&](LedgerSlot at, Peer& peer) {
    if (at.index % groups != group || !peer.dirty) return;
    each(static_cast<const Peer&>(peer));
    peer.dirty = false;
    for (Row& row : peer.rows) row.dirty = false;
  });
}

}  // namespace kith::poa
