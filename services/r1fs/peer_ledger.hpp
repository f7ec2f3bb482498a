// PeerLedger: what one peer wants of us. Blocks go out in order of its priorities, read from the
// store a little ahead; what we do not hold is remembered, bounded, until we do.
//
// Bounds: kLedgerEntriesMax wants (CVE-2023-25568), kReadAheadBytes being read or waiting to be
// sent. Attacker: a peer that wants everything and reads nothing: once its send queue is full
// nothing more is read for it.
#pragma once

#include <map>
#include <set>

#include "services/r1fs/exchange_effects.hpp"

namespace kith::r1fs {

inline constexpr std::size_t kLedgerEntriesMax = 1024;
inline constexpr std::size_t kReadAheadBytes = 2u << 20;
inline constexpr std::size_t kReplyBytes = 512u << 10;  // small blocks share a message up to this

class PeerLedger {
 public:
  void set_blocked(bool blocked) { blocked_ = blocked; }
  // Handles the wants of one message; presences to send at once are appended to `reply`.
  void on_wants(const libp2p::BitswapMessage& message, const HeldBlocks& held,
                libp2p::BitswapMessage& reply);
  // We hold `cid` now. True when this peer was waiting for it.
  bool on_held(const Cid& cid, std::size_t bytes, libp2p::BitswapMessage& reply);
  // The next block to read, when there is room.
  std::optional<Cid> next_read();
  // A read ended (none: it failed, or was removed meanwhile). Returns the blocks of a message that
  // is ready to be sent.
  std::vector<libp2p::BitswapBlock> on_read(const Cid& cid, std::optional<Bytes> data,
                                            libp2p::BitswapMessage& reply);
  std::size_t size() const { return queue_.size() + waiting_.size() + reading_.size(); }

 private:
  struct Place {
    std::int64_t rank = 0;  // negated priority: highest first
    std::uint64_t order = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Entry {
    Cid cid;
    std::size_t bytes = 0;
    bool send_dont_have = false;
  };
  void cancel(const Cid& cid);
  void enqueue(const libp2p::BitswapWant& want, std::size_t bytes);

  std::map<Place, Entry> queue_;
  std::map<Multihash, Place> places_;                 // of queued blocks
  std::map<Multihash, libp2p::BitswapWant> waiting_;  // not held yet
  std::map<Multihash, Entry> reading_;
  std::vector<libp2p::BitswapBlock> ready_;
  std::size_t ready_bytes_ = 0;
  std::size_t reading_bytes_ = 0;
  std::uint64_t orders_ = 0;
  bool blocked_ = false;
};

}  // namespace kith::r1fs
