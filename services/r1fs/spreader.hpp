// Spreader: gives a public file of ours to the network, announce-first. The file's blocks are cut
// into offers, in file order with the root first; each offer is one gossip message. The next goes
// out when the last ones were taken: every block of theirs was read by some neighbour, or
// kOfferPatience passed (whoever has it already reads nothing). How far it got is in the file's
// record, so a restart goes on.
//
// With nobody to hear there is nothing to say: without neighbours in the mesh it waits. Once all is
// offered, the connected subscribers are asked who holds every block: those are the keepers that
// `file stat` and `--spread N` speak of. A neighbour that went away in the middle missed offers:
// when somebody answers that it lacks blocks, and fewer keep the file than are wanted (one, or N),
// all is offered again, at most every kOfferAgain, then twice that and so on. Bounds: kOfferBlocks
// and kOfferBytes an offer, kOffersOut untaken at a time, kKeepersMax keepers.
#pragma once

#include <map>
#include <set>

#include "services/r1fs/r1fs_effects.hpp"
#include "services/r1fs/tree_scan.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kOfferBlocks = 16;
inline constexpr std::size_t kOfferBytes = 8u << 20;
inline constexpr std::size_t kInlineBodyMax = 2048;  // bodies up to this travel in the offer
inline constexpr std::size_t kInlineBodiesMax = 32u << 10;
inline constexpr std::size_t kOffersOut = 4;
inline constexpr Duration kOfferPatience = 10s;
inline constexpr Duration kOfferLifetime = 10min;
inline constexpr Duration kMeshWait = 1s;
inline constexpr Duration kAskHoldsEvery = 2s;  // while somebody waits for keepers
inline constexpr Duration kAskHoldsIdle = 60s;
inline constexpr Duration kOfferAgain = 15s;  // longer than what was asked for takes to be pulled
inline constexpr Duration kOfferAgainMax = 1h;
// Again is mostly in vain: who takes a block then starts at once.
inline constexpr Duration kOfferAgainPatience = 2s;
inline constexpr std::size_t kKeepersMax = 64;

class Spreader {
 public:
  // `blocks` as TreeScan gives them; `offers_done` from the file's record.
  Spreader(Cid root, std::uint64_t file_bytes, std::vector<ScannedBlock> blocks,
           std::uint32_t offers_done);

  // Time passed, or something changed. Appends the next offer's index to `ready` for each offer
  // that may go out now.
  void on_tick(Now now, bool has_mesh, std::vector<std::uint32_t>& ready);
  // The offer to publish; `bodies` of small blocks by hash, as far as they could be read.
  schema::Offer make_offer(std::uint32_t offer, Wall now,
                           const std::map<Multihash, Bytes>& bodies) const;
  std::vector<Multihash> small_blocks(std::uint32_t offer) const;
  void on_published(Now now, std::uint32_t offer);
  // A neighbour read this block. True when that completed an offer.
  bool on_block_given(const Multihash& hash);
  // True when it changed since the last call: the record is to be written.
  bool take_progress(std::uint32_t& offers_done);

  bool all_offered() const { return offers_done_ == offers_.size(); }
  std::uint64_t blocks_to_spread() const;
  const Cid& root() const { return root_; }
  Mono next_deadline() const { return deadline_; }

  // Keepers.
  void expect_keepers(Now now, std::uint32_t count) {
    expected_ = std::max(expected_, count);
    ask_at_ = now.mono;
    again_wait_ = kOfferAgain;
    if (all_offered()) deadline_ = now.mono;
  }
  void expect_no_more_than(std::uint32_t count) { expected_ = std::min(expected_, count); }
  bool asks_now(Now now);  // whether the subscribers are to be asked who holds the file
  void on_holds(const PeerId& peer, bool complete);
  const std::set<PeerId>& keepers() const { return keepers_; }

 private:
  struct Range {
    std::size_t first = 0;
    std::size_t count = 0;
  };
  struct Out {
    std::set<Multihash> untaken;
    Mono patience = kNever;
  };
  void advance(Now now);
  bool offer_again(Now now);

  Cid root_;
  std::uint64_t file_bytes_;
  std::vector<ScannedBlock> blocks_;
  std::vector<Range> offers_;
  std::uint32_t offers_done_;  // all before are taken
  std::uint32_t recorded_;
  std::uint32_t next_;  // to be published
  std::map<std::uint32_t, Out> out_;
  Mono deadline_{};
  Mono ask_at_{};
  Mono again_at_ = kNever;
  Duration again_wait_ = kOfferAgain;
  bool lacking_ = false;      // somebody does not hold all of it, by the last round of asking
  bool lack_counts_ = false;  // that round came late enough for pulls to have ended
  bool again_ = false;
  std::uint32_t expected_ = 0;
  std::set<PeerId> keepers_;
};

}  // namespace kith::r1fs
