// Lookup: one iterative search towards a key (libp2p/specs kad-dht, "Peer routing"). It decides
// whom to ask next and when to stop; what is asked, and what answers mean beside the closer peers
// in them, is its owner's business. All kinds of query share it.
//
// Rules
// * The window is the k nearest peers heard of, without those that failed. Only peers of the window
//   are asked, nearest first, at most alpha at a time. The search is over when all of the window
//   have answered, or nobody is left to ask.
// * A late peer (on_late: slower than most) gives its share of alpha and its place to the next one,
//   so that what may be dead is made up for while it may still answer. The end waits for it until
//   it is overdue (on_overdue: slower than nearly all, far before its request times out), and for
//   overdue peers only while nobody at all has answered. An answer counts whenever it comes.
// * Our own id and peers heard of before are dropped. When another source gives other addresses for
//   a peer that is late or failed, it is asked once more, twice at most: wrong addresses in one
//   answer must not make a live peer look dead. Each such attempt has a number, and what is
//   reported of an earlier one no longer counts, but for its answer.
// * A source of which kDistrustAfter peers failed or are overdue and none has answered is
//   distrusted: what it alone named is not asked, until one of them answers after all.
// * Where nobody is left to ask and nobody is waited for but late ones, with fewer than k answers,
//   the owner may seed more (starved). What it knows itself is asked whoever else named it.
// * A second look. An answer names k peers, of which dead ones take the place of live ones that are
//   only a little farther. So when peers nearer than the farthest of the window are dead, some
//   peers of the window are asked for what is near themselves (next_look), which shows the far part
//   of the region as they see it.
// Bounds: asks_max requests, kLooksMax second looks, kCandidatesMax peers (the farthest go),
// kAddrsPerSource addresses a source and kAddrsPerCandidate a peer. Attacker: peers that name
// endless new peers, dead ones, us, each other, or wrong addresses of honest ones.
#pragma once

#include <optional>
#include <vector>

#include "dht/peer_book.hpp"
#include "dht/routing_table.hpp"
#include "schema/base/multiaddr.hpp"

namespace kith::dht {

inline constexpr std::size_t kParallelism = 10;  // alpha of the specification
inline constexpr std::size_t kAsksMax = 200;     // 40 do at 20 % dead peers
inline constexpr std::size_t kCandidatesMax = 256;
inline constexpr std::size_t kAddrsPerSource = 8;
inline constexpr std::size_t kAddrsPerCandidate = 24;
inline constexpr std::uint32_t kDistrustAfter = 4;
inline constexpr std::uint8_t kRetriesMax = 2;
inline constexpr std::size_t kLooksMax = 6;

struct LookupLimits {
  std::size_t replication = kReplication;
  std::size_t parallelism = kParallelism;
  std::size_t asks_max = kAsksMax;
};

struct HeardPeer {
  PeerRef peer;
  std::vector<Multiaddr> addrs;
  std::uint8_t attempt = 0;  // with these addresses; told by the lookup
};

class Lookup {
 public:
  Lookup(PeerRef self, const Key& target, LookupLimits limits = {});

  // False: known here, or too far.
  bool seed(PeerRef peer) { return hear({std::move(peer), {}}, kNoSource); }
  // Whom to ask now, which counts as asked; null: nobody, for now. The pointer is valid until the
  // next call that is not const.
  const HeardPeer* next();
  // Answers how many of `closer` were new here.
  std::size_t on_answer(const PeerRef& from, std::vector<HeardPeer> closer);
  void on_late(const PeerRef& peer, std::uint8_t attempt = 0);
  void on_overdue(const PeerRef& peer, std::uint8_t attempt = 0);
  void on_failed(const PeerRef& peer, std::uint8_t attempt = 0);

  // Whom to ask for the peers nearest to itself; null: nobody, for now.
  PeerRef next_look();
  std::size_t on_look(const PeerRef& from, std::vector<HeardPeer> closer);
  void on_look_failed(const PeerRef& from);  // or late: it is not waited for

  // Fewer than k have answered, nobody is left to ask, and whoever was asked and has not answered
  // is late: those we began with were dead, or knew only dead ones. Seed more.
  bool starved() const {
    return in_flight_ == 0 && answered_ < limits_.replication && asked_ < limits_.asks_max &&
           next_in_window() == candidates_.size();
  }
  bool finished() const;

  // The nearest that answered, nearest first, at most k.
  std::vector<HeardPeer> closest() const;
  // What was heard of `peer`; null: nothing.
  const HeardPeer* heard(const PeerRef& peer) const;
  const Key& target() const { return target_; }
  // Of the longest chain of questions that led to one of closest(); 1: all were known.
  std::uint32_t hops() const;
  std::uint32_t asked() const { return asked_; }
  std::uint32_t answered() const { return answered_; }
  std::uint32_t failed() const { return failed_; }

 private:
  static constexpr std::uint16_t kNoSource = UINT16_MAX;
  enum class State : std::uint8_t { heard, asked, late, overdue, answered, failed };
  struct Candidate {
    HeardPeer who;
    State state = State::heard;
    std::uint8_t hops = 1;  // of answers that led here; 1: known from the start
    bool more = false;      // addresses came after it was asked
    std::uint16_t sources[2] = {kNoSource, kNoSource};  // who named it first and second
  };
  struct Look {
    PeerRef peer;
    bool over = false;
  };
  struct Source {
    PeerRef peer;
    std::uint8_t hops = 0;   // its own
    std::uint32_t bad = 0;   // of those it named: failed or overdue
    std::uint32_t good = 0;  // answered
    bool distrusted() const { return bad >= kDistrustAfter && good == 0; }
  };

  bool hear(HeardPeer heard, std::uint16_t source);
  bool merge(Candidate& known, HeardPeer heard, std::uint16_t source);
  std::size_t place(const Key& key) const;
  Candidate* find(const PeerRef& peer);
  void judge_sources(const Candidate& candidate, State was);
  bool trusted(const Candidate& candidate) const;
  static bool pending(State state) {
    return state == State::asked || state == State::late || state == State::overdue;
  }
  void leave_flight(State was);
  bool try_again(Candidate& candidate);
  Candidate* find_attempt(const PeerRef& peer, std::uint8_t attempt);
  std::size_t hear_all(const PeerRef& from, std::vector<HeardPeer> closer);
  std::size_t next_in_window() const;     // whom to ask; candidates_.size(): nobody
  bool settled(bool without_late) const;  // all of the window have answered, or nobody is left
  bool nobody_left() const;               // to ask or to wait for
  PeerRef wanted_look() const;
  template <class Out, class Each>
  void each_in_window(Out&& out, Each&& each) const;

  PeerRef self_;
  Key target_;
  LookupLimits limits_;
  std::vector<Candidate> candidates_;  // nearest first
  std::vector<Source> sources_;
  std::vector<Look> looks_;
  std::uint32_t in_flight_ = 0;  // asked and not late
  std::uint32_t asked_ = 0;
  std::uint32_t answered_ = 0;
  std::uint32_t failed_ = 0;
};

}  // namespace kith::dht
