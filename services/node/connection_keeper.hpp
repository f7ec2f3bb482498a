// ConnectionKeeper: closes connections that nobody needs, so that look-ups, which dial strangers
// and leave it at that, do not fill a node up to its limits.
//
// Rules
// * Above `high` connected peers, down to `low`: the newest first, because who has stayed longest
//   stays longest, and a stranger who connects cannot push an old neighbour out.
// * Whoever came within `grace` is spared and does not count, or else a look-up's many connections
//   would cost the old ones their place.
// * Spared, too: whoever has a stream under way (Host::busy), and whoever `needed` says (the gossip
//   meshes). So there may be more than `high`, up to the limits of the host.
#pragma once

#include <functional>
#include <vector>

#include "net/base/loop.hpp"
#include "net/host/host.hpp"

namespace kith::node {

struct ConnectionMarks {
  std::size_t low = 64;
  std::size_t high = 96;
  Duration grace = 20s;
};

inline constexpr Duration kConnectionCheck = 1s;

class ConnectionKeeper final : private host::Protocol, private Alarm {
 public:
  using Needed = std::function<bool(host::PeerSlot)>;
  ConnectionKeeper(host::Host& host, Loop& loop, ConnectionMarks marks, Needed needed);
  ~ConnectionKeeper();
  ConnectionKeeper(const ConnectionKeeper&) = delete;
  ConnectionKeeper& operator=(const ConnectionKeeper&) = delete;

 private:
  struct Known {
    host::PeerSlot peer;
    Mono since{};
  };
  void on_peer_ready(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_gone(Now, host::PeerSlot) override;
  void on_alarm(Now) override;
  void arm(Now now);

  host::Host& host_;
  Loop& loop_;
  ConnectionMarks marks_;
  Needed needed_;
  std::vector<Known> peers_;  // oldest first
  bool armed_ = false;
};

}  // namespace kith::node
