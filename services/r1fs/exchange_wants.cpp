// How wants are asked: sessions, candidates, timeouts.
#include "net/base/check.hpp"
#include "services/r1fs/exchange_core.hpp"

namespace kith::r1fs {

SessionSlot ExchangeCore::open(host::Priority priority) {
  Session session;
  session.priority = priority;
  return sessions_.insert(std::move(session));
}

void ExchangeCore::add_peer(Now now, SessionSlot slot, host::PeerSlot peer, Effects& out) {
  Session* session = sessions_.find(slot);
  if (session == nullptr || peers_.count(peer) == 0) return;
  if (std::find(session->peers.begin(), session->peers.end(), peer) == session->peers.end())
    session->peers.push_back(peer);
  // Whoever is added is asked again, also for what it was passed over for.
  for (const Multihash& hash : session->wants) {
    Want& want = wants_.at(hash);
    want.tried.erase(peer);
    want.told.erase(slot);
  }
  Outbox outbox;
  schedule(now, slot, outbox, out);
  flush(outbox, out);
}

void ExchangeCore::ask_everyone(Now now, SessionSlot slot, Effects& out) {
  Session* session = sessions_.find(slot);
  if (session == nullptr) return;
  session->everyone = true;
  // Asking again is asking anew: who said no may have it by now.
  for (const Multihash& hash : session->wants) {
    Want& want = wants_.at(hash);
    if (!want.asked) want.tried.clear();
    want.told.erase(slot);
  }
  Outbox outbox;
  schedule(now, slot, outbox, out);
  flush(outbox, out);
}

void ExchangeCore::want(Now now, SessionSlot slot, const Cid& cid, std::size_t bytes,
                        Effects& out) {
  Session* session = sessions_.find(slot);
  if (session == nullptr || session->wants.count(cid.hash()) != 0) return;
  CHECK(session->wants.size() < kSessionWantsMax);
  session->wants.insert(cid.hash());
  const auto [at, is_new] = wants_.try_emplace(cid.hash());
  Want& want = at->second;
  if (is_new) {
    want.cid = cid;
    want.bytes = bytes;
  }
  want.sessions.insert(slot);
  session->unasked.push_back(cid.hash());
  Outbox outbox;
  schedule(now, slot, outbox, out);
  flush(outbox, out);
}

// Asks for as many of the session's wants as its peers have room for.
void ExchangeCore::schedule(Now now, SessionSlot slot, Outbox& outbox, Effects& out) {
  Session& session = sessions_.at(slot);
  for (std::size_t left = session.unasked.size(); left > 0; --left) {
    const Multihash hash = session.unasked.front();
    session.unasked.pop_front();
    Want& want = wants_.at(hash);
    if (want.asked) continue;  // by another session: it is asked of one peer at a time
    bool any_candidate = false;
    if (ask(now, want, session, outbox, any_candidate)) continue;
    session.unasked.push_back(hash);
    if (any_candidate) {
      // All who may have it are busy. Keep the order: rotate the rest back.
      for (std::size_t i = 1; i < left; ++i) {
        session.unasked.push_back(session.unasked.front());
        session.unasked.pop_front();
      }
      return;
    }
    if (session.everyone) probe(slot, want, outbox);
    settle_unavailable(want, slot, out);
  }
}

void ExchangeCore::schedule_waiting(Now now, host::PeerSlot slot, Outbox& outbox, Effects& out) {
  std::vector<SessionSlot> waiting;
  sessions_.for_each([&](SessionSlot session, Session& one) {
    if (one.unasked.empty()) return;
    if (std::find(one.peers.begin(), one.peers.end(), slot) != one.peers.end())
      waiting.push_back(session);
  });
  for (const SessionSlot session : waiting) schedule(now, session, outbox, out);
}

bool ExchangeCore::ask(Now now, Want& want, Session& session, Outbox& outbox, bool& any_candidate) {
  Peer* best = nullptr;
  host::PeerSlot best_slot;
  for (const host::PeerSlot slot : session.peers) {
    if (want.tried.count(slot) != 0) continue;
    Peer& peer = peers_.at(slot);
    if (peer.strikes >= kStrikesMax) continue;
    any_candidate = true;
    if (!peer.room()) continue;
    if (best == nullptr || peer.in_flight_bytes < best->in_flight_bytes) {
      best = &peer;
      best_slot = slot;
    }
  }
  if (best == nullptr) return false;
  want.asked = best_slot;
  want.asked_at = now.mono;
  best->in_flight.insert(want.cid.hash());
  best->in_flight_bytes += want.bytes;
  set_deadline(want, now.mono + kWantTimeout);
  outbox[best_slot].wants.push_back({want.cid, 1, false, libp2p::BitswapWant::Type::block, true});
  return true;
}

// Asks everybody who is not in the session yet whether they have it.
void ExchangeCore::probe(SessionSlot slot, Want& want, Outbox& outbox) {
  const Session& session = sessions_.at(slot);
  for (auto& [peer_slot, peer] : peers_) {
    if (want.probed.size() >= kProbesMax) return;
    const bool member =
        std::find(session.peers.begin(), session.peers.end(), peer_slot) != session.peers.end();
    if (member || peer.strikes >= kStrikesMax || want.tried.count(peer_slot) != 0) continue;
    if (!want.probed.insert(peer_slot).second) continue;
    ++peer.probes;
    outbox[peer_slot].wants.push_back({want.cid, 1, false, libp2p::BitswapWant::Type::have, true});
  }
}

bool ExchangeCore::unprobe(Want& want, host::PeerSlot slot) {
  if (want.probed.erase(slot) == 0) return false;
  if (const auto peer = peers_.find(slot); peer != peers_.end()) --peer->second.probes;
  return true;
}

void ExchangeCore::unprobe_all(Want& want, host::PeerSlot but, Outbox& outbox) {
  while (!want.probed.empty()) {
    const host::PeerSlot slot = *want.probed.begin();
    if (slot != but) outbox[slot].wants.push_back({want.cid, 1, true});
    unprobe(want, slot);
  }
}

void ExchangeCore::settle_unavailable(Want& want, SessionSlot session, Effects& out) {
  if (want.asked || !want.probed.empty()) return;
  if (want.told.insert(session).second) out.push_back(TellUnavailable{session, want.cid});
}

void ExchangeCore::on_presence(Now now, host::PeerSlot slot,
                               const libp2p::BitswapPresence& presence, Outbox& outbox,
                               Effects& out) {
  const auto at = wants_.find(presence.cid.hash());
  if (at == wants_.end()) return;
  Want& want = at->second;
  unprobe(want, slot);
  if (!presence.have) return pass_over(now, want, slot, outbox, out);
  want.tried.erase(slot);
  const std::set<SessionSlot> sessions = want.sessions;
  for (const SessionSlot session : sessions) {
    Session& one = sessions_.at(session);
    if (one.everyone && std::find(one.peers.begin(), one.peers.end(), slot) == one.peers.end())
      one.peers.push_back(slot);
    want.told.erase(session);
    schedule(now, session, outbox, out);
  }
}

// Nobody is asked for it any more; it waits in its sessions.
void ExchangeCore::unask(Want& want) {
  if (!want.asked) return;
  if (const auto peer = peers_.find(want.asked); peer != peers_.end()) {
    if (peer->second.in_flight.erase(want.cid.hash()) != 0)
      peer->second.in_flight_bytes -= want.bytes;
  }
  want.asked = {};
  set_deadline(want, kNever);
}

void ExchangeCore::pass_over(Now now, Want& want, host::PeerSlot slot, Outbox& outbox,
                             Effects& out) {
  want.tried.insert(slot);
  if (want.asked == slot) {
    unask(want);
    for (const SessionSlot session : want.sessions)
      sessions_.at(session).unasked.push_front(want.cid.hash());
  }
  const std::set<SessionSlot> sessions = want.sessions;
  for (const SessionSlot session : sessions) schedule(now, session, outbox, out);
}

void ExchangeCore::set_deadline(Want& want, Mono at) {
  if (want.deadline != kNever) deadlines_.erase({want.deadline, want.cid.hash()});
  want.deadline = at;
  if (at != kNever) deadlines_.insert({at, want.cid.hash()});
}

void ExchangeCore::on_tick(Now now, Effects& out) {
  Outbox outbox;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now.mono) {
    Want& want = wants_.at(deadlines_.begin()->second);
    const host::PeerSlot slot = want.asked;
    const Mono heard = peers_.at(slot).heard;
    const Mono total = want.asked_at + kWantTimeoutTotal;
    const Mono next = std::min(std::max(heard, want.asked_at) + kWantTimeout, total);
    if (next > now.mono) {
      set_deadline(want, next);
      continue;
    }
    outbox[slot].wants.push_back({want.cid, 1, true});
    pass_over(now, want, slot, outbox, out);
    schedule_waiting(now, slot, outbox, out);
  }
  flush(outbox, out);
}

void ExchangeCore::forget_want(const Multihash& hash, SessionSlot session, Outbox& outbox) {
  const auto at = wants_.find(hash);
  if (at == wants_.end()) return;
  Want& want = at->second;
  want.sessions.erase(session);
  want.told.erase(session);
  if (!want.sessions.empty()) {
    // Others want it still; whether they reach who was asked is for them to find out.
    return;
  }
  if (want.asked) outbox[want.asked].wants.push_back({want.cid, 1, true});
  unprobe_all(want, {}, outbox);
  unask(want);
  set_deadline(want, kNever);
  wants_.erase(at);
}

void ExchangeCore::cancel(Now now, SessionSlot slot, const Cid& cid, Effects& out) {
  Session* session = sessions_.find(slot);
  if (session == nullptr || session->wants.erase(cid.hash()) == 0) return;
  std::erase(session->unasked, cid.hash());
  Outbox outbox;
  const std::vector<host::PeerSlot> peers = session->peers;
  forget_want(cid.hash(), slot, outbox);
  for (const host::PeerSlot peer : peers) schedule_waiting(now, peer, outbox, out);
  flush(outbox, out);
}

void ExchangeCore::close(Now now, SessionSlot slot, Effects& out) {
  Session* session = sessions_.find(slot);
  if (session == nullptr) return;
  const std::set<Multihash> wants = std::move(session->wants);
  const std::vector<host::PeerSlot> peers = std::move(session->peers);
  Outbox outbox;
  for (const Multihash& hash : wants) forget_want(hash, slot, outbox);
  sessions_.erase(slot);
  for (const host::PeerSlot peer : peers) schedule_waiting(now, peer, outbox, out);
  flush(outbox, out);
}

}  // namespace kith::r1fs
