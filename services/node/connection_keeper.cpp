#include "services/node/connection_keeper.hpp"

#include <algorithm>

namespace kith::node {

ConnectionKeeper::ConnectionKeeper(host::Host& host, Loop& loop, ConnectionMarks marks,
                                   Needed needed)
    : host_(host), loop_(loop), marks_(marks), needed_(std::move(needed)) {
  host::ProtocolSpec only_listens;
  only_listens.serve = false;
  host_.add_protocol(std::move(only_listens), *this);
}

ConnectionKeeper::~ConnectionKeeper() { loop_.arm(*this, kNever); }

void ConnectionKeeper::on_peer_ready(Now now, host::PeerSlot peer, const host::PeerFacts&) {
  peers_.push_back({peer, now.mono});
  arm(now);
}

void ConnectionKeeper::on_peer_gone(Now, host::PeerSlot peer) {
  std::erase_if(peers_, [peer](const Known& known) { return known.peer == peer; });
}

void ConnectionKeeper::arm(Now now) {
  if (armed_ || peers_.size() <= marks_.high) return;
  armed_ = true;
  loop_.arm(*this, later(now.mono, kConnectionCheck));
}

void ConnectionKeeper::on_alarm(Now now) {
  armed_ = false;
  const auto settled = [&](const Known& known) { return now.mono - known.since >= marks_.grace; };
  auto left = static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), settled));
  if (left > marks_.high) {
    // on_peer_gone comes later: the list does not change meanwhile.
    for (auto known = peers_.rbegin(); known != peers_.rend() && left > marks_.low; ++known) {
      if (!settled(*known) || host_.busy(known->peer) || needed_(known->peer)) continue;
      host_.disconnect(known->peer);
      --left;
    }
  }
  arm(now);
}

}  // namespace kith::node
