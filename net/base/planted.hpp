// Planted: small faults that are compiled in only with KITH_PLANTED, and chosen by name. They test
// the simulator: each is a line that a real project has got wrong, and a scenario must catch it
// (tests/simnet/planted).
//
// Without KITH_PLANTED, `planted` is constexpr false: no branch, no name, no symbol is left of it,
// and tests/house/planted.py holds the program that ships to that. With it, one fault at most is
// chosen for the whole process, by the test program alone and before it starts a node.
//
//     if (planted(Planted::iwant_unanswered)) return;
#pragma once

#include <cstdint>

#ifdef KITH_PLANTED
#include <array>
#include <string_view>
#endif

namespace kith {

enum class Planted : std::uint8_t {
  none,
  seen_forgotten,       // gossip: what was seen is forgotten at each heartbeat
  backoff_forgotten,    // gossip: a PRUNE does not keep us from grafting again
  forwarded_to_sender,  // gossip: a message goes back to who handed it over
  last_member_skipped,  // gossip: the last member of the mesh is never sent to
  iwant_unanswered,     // gossip: nobody gets what it asks for
  mesh_not_refilled,    // gossip: the heartbeat replaces no member that went
  seqno_restarted,      // gossip: after a crash, message numbers begin anew
  closest_off_by_one,   // dht: the closest are looked for from the next bucket on
  dead_never_evicted,   // dht: a peer that does not answer stays in the table
  lookup_stops_early,   // dht: one answer ends a look-up
  write_not_synced,     // cstore: a key is acknowledged when the store has it in a buffer
  write_acked_early,    // cstore: a key is acknowledged before the store answered
  tie_not_broken,       // cstore: of equal stamps, the first that came wins
  page_cut_short,       // cstore: the catch-up leaves out the last batch of a page
  counter_starts_anew,  // cstore: a batch of increments forgets those before it
  file_not_synced,      // r1fs: a file is acknowledged when the store has it in a buffer
  block_not_checked,    // r1fs: what the disk gives is not compared with its hash
  offered_once,         // r1fs: who comes late hears of no offer
  beats_too_strict,     // poa: two beats must be a whole interval apart
  update_added_twice,   // edil: the leader adds one update twice
  wakeup_lost,          // hosts: nobody is told that a stream is writable again
  alarm_lost,           // loop: an alarm that is moved to an earlier time does not come
};

#ifdef KITH_PLANTED

// In the order of the enumeration.
inline constexpr std::array<std::string_view, 23> kPlantedNames{
    "none",
    "seen-forgotten",
    "backoff-forgotten",
    "forwarded-to-sender",
    "last-member-skipped",
    "iwant-unanswered",
    "mesh-not-refilled",
    "seqno-restarted",
    "closest-off-by-one",
    "dead-never-evicted",
    "lookup-stops-early",
    "write-not-synced",
    "write-acked-early",
    "tie-not-broken",
    "page-cut-short",
    "counter-starts-anew",
    "file-not-synced",
    "block-not-checked",
    "offered-once",
    "beats-too-strict",
    "update-added-twice",
    "wakeup-lost",
    "alarm-lost",
};
static_assert(kPlantedNames.size() == static_cast<std::size_t>(Planted::alarm_lost) + 1);

namespace planted_detail {
inline Planted chosen = Planted::none;
}

inline bool planted(Planted which) { return planted_detail::chosen == which; }

// False when there is no such fault.
inline bool plant(std::string_view name) {
  for (std::size_t i = 0; i < kPlantedNames.size(); ++i)
    if (kPlantedNames[i] == name) {
      planted_detail::chosen = static_cast<Planted>(i);
      return true;
    }
  return false;
}

#else

constexpr bool planted(Planted) { return false; }

#endif

}  // namespace kith
