// ExchangeCore: bitswap 1.2.0 as a pure machine (ipfs/specs bitswap-protocol.md). The rules of
// wanting and serving are in exchange.hpp; this is how.
//
// * Wants are kept by multihash. One is asked of one peer at a time, directly as wantBlock with
// sendDontHave. Peers of a session
//   come from its owner (add_peer) or, with ask_everyone, from HAVE answers to a wantHave that goes
//   to every other peer.
// * A peer that said no, went away, fell silent or sent rubbish is `tried` for that want and passed
// over.
// * A block is hashed before it is believed; which want it answers follows from its hash alone.
// Bounds: kSessionWantsMax a session, kWantsPerPeerMax and kWantBytesPerPeerMax in flight a peer,
// kProbesMax peers asked by wantHave, kUnverifiedBytesMax waiting to be hashed, kStrikesMax rubbish
// blocks before a peer is passed over for everything.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "services/r1fs/peer_ledger.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kProbesMax = 64;
inline constexpr std::size_t kUnverifiedBytesMax = 64u << 20;
inline constexpr std::size_t kInlineHashBytes = 64u << 10;  // above: hashed off the loop
inline constexpr std::uint32_t kStrikesMax = 3;
inline constexpr std::size_t kRecentBlocksMax = 1024;            // to tell duplicates from rubbish
inline constexpr Duration kWantTimeoutTotal = 4 * kWantTimeout;  // however much else the peer sends

class ExchangeCore {
 public:
  using Effects = ExchangeEffects;

  void on_peer_ready(Now, host::PeerSlot, const PeerId&, Effects&);
  void on_peer_gone(Now, host::PeerSlot, Effects&);
  void on_message(Now, host::PeerSlot, const Bytes&, const HeldBlocks&, Effects&);
  void on_verified(Now, host::PeerSlot, Result<Cid>, Bytes data, Effects&);
  void on_block_read(Now, std::uint64_t tag, Result<Bytes>, Effects&);
  // The bulk stream to this peer is full, or has room again.
  void on_send_room(Now, host::PeerSlot, bool room, Effects&);
  void on_held(Now, const Cid&, std::size_t bytes, Effects&);
  void on_tick(Now, Effects&);
  Mono next_deadline() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }

  SessionSlot open(host::Priority);
  void add_peer(Now, SessionSlot, host::PeerSlot, Effects&);
  void ask_everyone(Now, SessionSlot, Effects&);
  void want(Now, SessionSlot, const Cid&, std::size_t bytes, Effects&);
  void cancel(Now, SessionSlot, const Cid&, Effects&);
  void close(Now, SessionSlot, Effects&);

  const ExchangeCounters& counters() const { return counters_; }
  std::size_t wants() const { return wants_.size(); }
  std::size_t served_wants(host::PeerSlot) const;

 private:
  struct Want {
    Cid cid;
    std::size_t bytes = 0;
    std::set<SessionSlot> sessions;
    std::set<SessionSlot> told;  // that it is unavailable
    std::set<host::PeerSlot> tried;
    std::set<host::PeerSlot> probed;  // asked by wantHave, no answer yet
    host::PeerSlot asked;
    Mono asked_at{};
    Mono deadline = kNever;
  };
  struct Session {
    host::Priority priority = host::Priority::normal;
    bool everyone = false;
    std::vector<host::PeerSlot> peers;  // in the order in which they were added
    std::set<Multihash> wants;
    std::deque<Multihash> unasked;
  };
  struct Peer {
    PeerId id;
    std::unique_ptr<PeerLedger> ledger;  // null: it has wanted nothing yet
    std::set<Multihash> in_flight;
    std::size_t in_flight_bytes = 0;
    std::size_t probes = 0;  // wants whose `probed` names it
    std::uint32_t strikes = 0;
    Mono heard{};
    bool room() const {
      return in_flight.size() < kWantsPerPeerMax && in_flight_bytes < kWantBytesPerPeerMax;
    }
  };
  struct Reading {
    host::PeerSlot peer;
    Cid cid;
  };
  using Outbox = std::map<host::PeerSlot, libp2p::BitswapMessage>;

  void flush(Outbox& outbox, Effects& out);
  void schedule(Now, SessionSlot, Outbox&, Effects&);
  // A peer has room again: whatever session waits for it goes on.
  void schedule_waiting(Now, host::PeerSlot, Outbox&, Effects&);
  bool ask(Now, Want&, Session&, Outbox&, bool& any_candidate);
  void probe(SessionSlot, Want&, Outbox&);
  bool unprobe(Want&, host::PeerSlot);
  void unprobe_all(Want&, host::PeerSlot but, Outbox&);  // cancels, except with `but`
  void settle_unavailable(Want&, SessionSlot, Effects&);
  void unask(Want&);
  void pass_over(Now, Want&, host::PeerSlot, Outbox&, Effects&);
  void set_deadline(Want&, Mono);
  void on_presence(Now, host::PeerSlot, const libp2p::BitswapPresence&, Outbox&, Effects&);
  void on_data(Now, host::PeerSlot, libp2p::BitswapBlock, Outbox&, Effects&);
  void take(Now, host::PeerSlot, const Result<Cid>&, Bytes, Outbox&, Effects&);
  void strike(Now, host::PeerSlot, Outbox&, Effects&);
  void forget_want(const Multihash&, SessionSlot, Outbox&);
  void read_more(host::PeerSlot, Peer&, Effects&);

  Slots<SessionSlot, Session> sessions_;
  std::map<Multihash, Want> wants_;
  std::map<host::PeerSlot, Peer> peers_;
  std::set<std::pair<Mono, Multihash>> deadlines_;
  std::map<std::uint64_t, Reading> reading_;
  std::uint64_t read_tags_ = 0;
  std::size_t unverified_bytes_ = 0;
  std::deque<Multihash> recent_;
  std::set<Multihash> recent_set_;
  ExchangeCounters counters_;
};

}  // namespace kith::r1fs
