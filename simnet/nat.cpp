#include "simnet/nat.hpp"

#include <algorithm>

namespace kith::simnet {

bool NatTable::taken(std::uint16_t port) const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [port](const Session& session) { return session.port == port; });
}

std::uint16_t NatTable::choose_port(NatEndpoint inside) {
  if (independent()) {
    for (const Session& session : sessions_)
      if (session.inside == inside) return session.port;
    if (!taken(inside.port)) return inside.port;
  }
  // There are more ports than sessions.
  for (;;) {
    const std::uint16_t port = port_next_;
    port_next_ = static_cast<std::uint16_t>(port_next_ == 32'767 ? 1024 : port_next_ + 1);
    if (!taken(port)) return port;
  }
}

NatEndpoint NatTable::open(Mono now, NatEndpoint inside, NatEndpoint to) {
  std::erase_if(sessions_, [now](const Session& session) { return !lives(session, now); });
  for (Session& session : sessions_) {
    if (session.inside != inside || session.to != to) continue;
    ++session.connections;
    session.last = now;
    return {ip_, session.port};
  }
  if (sessions_.size() >= kNatSessionsMax) sessions_.erase(sessions_.begin());
  const std::uint16_t port = choose_port(inside);
  sessions_.push_back({inside, to, port, 1, now});
  return {ip_, port};
}

void NatTable::close(Mono now, NatEndpoint inside, NatEndpoint to) {
  for (Session& session : sessions_) {
    if (session.inside != inside || session.to != to || session.connections == 0) continue;
    --session.connections;
    session.last = now;
  }
}

std::optional<NatEndpoint> NatTable::admit(Mono now, std::uint16_t port, NatEndpoint from) const {
  for (const Session& session : sessions_) {
    if (session.port != port || !lives(session, now)) continue;
    const bool address = kind_ == Nat::full_cone || session.to.ip == from.ip;
    const bool exact = kind_ == Nat::full_cone || kind_ == Nat::restricted || session.to == from;
    if (address && exact) return session.inside;
  }
  return std::nullopt;
}

std::optional<NatEndpoint> NatTable::owner(Mono now, std::uint16_t port) const {
  for (const Session& session : sessions_)
    if (session.port == port && lives(session, now)) return session.inside;
  return std::nullopt;
}

}  // namespace kith::simnet
