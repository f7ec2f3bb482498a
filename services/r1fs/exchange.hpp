// Exchange: blocks between peers by bitswap 1.2.0, as the rest of r1fs sees it. What is wanted is
// asked of one peer at a time, so that a home downloads each block once; what arrives is verified
// before anybody sees it.
//
// Rules
// * A session is one purpose (a file being fetched, an offer being pulled) with a set of peers that
// may have its blocks.
//   Wants are spread over the session's peers, bounded in flight per peer; a peer that says
//   DONT_HAVE, is gone, sends rubbish or is too slow (kWantTimeout without a byte of the answer) is
//   passed over for that block.
// * on_block comes once for each wanted CID, with bytes whose hash was checked. A block that nobody
// of the session has
//   yields on_unavailable once; the want stays, and is tried again when a peer is added or says
//   HAVE.
// * Blocks that nobody wanted, or with another hash than the CID's, are dropped, counted and blamed
// on the sender.
// * Serving: only what the supplier says may be served; replies are bounded per peer, and read from
// the store in order.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "net/host/host.hpp"
#include "schema/base/cid.hpp"

namespace kith::r1fs {

inline constexpr Duration kWantTimeout = 15s;
inline constexpr std::size_t kWantsPerPeerMax = 32;  // in flight
inline constexpr std::size_t kWantBytesPerPeerMax = 8u
                                                    << 20;  // in flight, by size where it is known
inline constexpr std::size_t kSessionWantsMax = 4096;

struct SessionTag;
using SessionSlot = Handle<SessionTag>;

class BlockSink {
 public:
  virtual void on_block(Now, SessionSlot, const Cid&, Bytes data, const PeerId& from) = 0;
  virtual void on_unavailable(Now, SessionSlot, const Cid&) = 0;

 protected:
  ~BlockSink() = default;
};

// What this node serves. `size` answers at once from the index; `read` later, by
// Exchange::on_block_read.
class BlockSupplier {
 public:
  virtual std::optional<std::size_t> size(
      const Cid& cid) const = 0;  // none: not held, or not to be served
  virtual void read(const Cid& cid, std::uint64_t tag) = 0;

 protected:
  ~BlockSupplier() = default;
};

struct ExchangeCounters {
  std::uint64_t blocks_in = 0;  // wanted and valid
  std::uint64_t bytes_in = 0;   // of those
  std::uint64_t blocks_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t duplicates_in = 0;  // valid, and no longer or never wanted
  std::uint64_t rubbish_in = 0;     // wrong hash, malformed, oversized
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual SessionSlot open(BlockSink& sink, host::Priority priority) = 0;
  virtual void add_peer(SessionSlot session, host::PeerSlot peer) = 0;
  // Also ask every ready peer that speaks bitswap (HAVE first), and those that become ready later;
  // calling it again asks those anew who said no.
  virtual void ask_everyone(SessionSlot session) = 0;
  // `bytes`: the expected size, 0 when not known. Wanting twice is wanting once.
  virtual void want(SessionSlot session, const Cid& cid, std::size_t bytes) = 0;
  virtual void cancel(SessionSlot session, const Cid& cid) = 0;
  virtual void close(SessionSlot session) = 0;
  // We hold this block now: peers that asked for it before, and were left waiting, get it.
  virtual void announce_held(const Cid& cid) = 0;
  virtual void on_block_read(std::uint64_t tag, Result<Bytes> data) = 0;
  virtual ExchangeCounters counters() const = 0;
};

}  // namespace kith::r1fs
