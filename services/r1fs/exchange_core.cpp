// Peers, messages, sessions: what comes in. The rules of asking are in exchange_wants.cpp.
#include "services/r1fs/exchange_core.hpp"

namespace kith::r1fs {

void ExchangeCore::flush(Outbox& outbox, Effects& out) {
  for (auto& [peer, message] : outbox) {
    if (message.wants.empty() && message.presences.empty()) continue;
    out.push_back(SendMessage{peer, libp2p::encode_bitswap(message), host::Priority::normal});
  }
}

void ExchangeCore::on_peer_ready(Now now, host::PeerSlot slot, const PeerId& id, Effects& out) {
  if (!peers_.try_emplace(slot).second) return;
  peers_[slot].id = id;
  Outbox outbox;
  sessions_.for_each([&](SessionSlot session, Session& one) {
    if (!one.everyone || one.wants.empty()) return;
    probe(session, wants_.at(*one.wants.begin()), outbox);
  });
  (void)now;
  flush(outbox, out);
}

void ExchangeCore::on_peer_gone(Now now, host::PeerSlot slot, Effects& out) {
  const auto at = peers_.find(slot);
  if (at == peers_.end()) return;
  const std::set<Multihash> lost = std::move(at->second.in_flight);
  peers_.erase(at);
  for (auto reading = reading_.begin(); reading != reading_.end();)
    reading = reading->second.peer == slot ? reading_.erase(reading) : std::next(reading);
  sessions_.for_each([&](SessionSlot, Session& one) { std::erase(one.peers, slot); });
  Outbox outbox;
  std::vector<Multihash> touched(lost.begin(), lost.end());
  for (auto& [hash, want] : wants_)
    if (unprobe(want, slot) && lost.count(hash) == 0) touched.push_back(hash);
  for (const Multihash& hash : touched) {
    const auto want = wants_.find(hash);
    if (want != wants_.end()) pass_over(now, want->second, slot, outbox, out);
  }
  flush(outbox, out);
}

void ExchangeCore::on_message(Now now, host::PeerSlot slot, const Bytes& bytes,
                              const HeldBlocks& held, Effects& out) {
  const auto at = peers_.find(slot);
  if (at == peers_.end()) return;
  at->second.heard = now.mono;
  Outbox outbox;
  auto message = libp2p::decode_bitswap(bytes);
  if (!message) {
    ++counters_.rubbish_in;
    strike(now, slot, outbox, out);
    return flush(outbox, out);
  }
  std::unique_ptr<PeerLedger>& ledger = at->second.ledger;
  if (!ledger && !message->wants.empty()) ledger = std::make_unique<PeerLedger>();
  if (ledger) ledger->on_wants(*message, held, outbox[slot]);
  for (libp2p::BitswapBlock& block : message->blocks)
    on_data(now, slot, std::move(block), outbox, out);
  for (const libp2p::BitswapPresence& presence : message->presences)
    on_presence(now, slot, presence, outbox, out);
  if (!message->presences.empty()) schedule_waiting(now, slot, outbox, out);
  if (const auto peer = peers_.find(slot); peer != peers_.end()) read_more(slot, peer->second, out);
  flush(outbox, out);
}

void ExchangeCore::on_data(Now now, host::PeerSlot slot, libp2p::BitswapBlock block, Outbox& outbox,
                           Effects& out) {
  Peer& peer = peers_.at(slot);
  // Nothing was asked of this peer: it is not worth a hash. Who is asked whether it has a small
  // block may answer with the block.
  const bool asked = !peer.in_flight.empty() || peer.probes > 0;
  if (!asked || peer.strikes >= kStrikesMax) {
    ++counters_.duplicates_in;
    return;
  }
  if (block.data.size() <= kInlineHashBytes) {
    Result<Cid> cid = libp2p::cid_of(block);
    return take(now, slot, cid, std::move(block.data), outbox, out);
  }
  if (unverified_bytes_ + block.data.size() > kUnverifiedBytesMax) return;  // asked again later
  unverified_bytes_ += block.data.size();
  out.push_back(VerifyBlock{slot, std::move(block)});
}

void ExchangeCore::on_verified(Now now, host::PeerSlot slot, Result<Cid> cid, Bytes data,
                               Effects& out) {
  unverified_bytes_ -= data.size();
  Outbox outbox;
  take(now, slot, cid, std::move(data), outbox, out);
  flush(outbox, out);
}

void ExchangeCore::take(Now now, host::PeerSlot slot, const Result<Cid>& cid, Bytes data,
                        Outbox& outbox, Effects& out) {
  const auto peer = peers_.find(slot);
  const auto at = cid ? wants_.find(cid->hash()) : wants_.end();
  if (at == wants_.end()) {
    if (cid && recent_set_.count(cid->hash()) != 0) {
      ++counters_.duplicates_in;
    } else {
      ++counters_.rubbish_in;
      strike(now, slot, outbox, out);
    }
    return;
  }
  ++counters_.blocks_in;
  counters_.bytes_in += data.size();
  const PeerId from = peer == peers_.end() ? PeerId() : peer->second.id;
  Want& want = at->second;
  // Whoever else was asked need not send it any more.
  if (want.asked && want.asked != slot) outbox[want.asked].wants.push_back({want.cid, 1, true});
  unprobe_all(want, slot, outbox);
  unask(want);
  const std::set<SessionSlot> sessions = want.sessions;
  const Cid wanted = want.cid;
  set_deadline(want, kNever);
  const Multihash hash = at->first;
  wants_.erase(at);
  recent_.push_back(hash);
  recent_set_.insert(hash);
  if (recent_.size() > kRecentBlocksMax) {
    recent_set_.erase(recent_.front());
    recent_.pop_front();
  }
  for (const SessionSlot session : sessions) {
    Session& one = sessions_.at(session);
    one.wants.erase(hash);
    std::erase(one.unasked, hash);
    if (peer != peers_.end() &&
        std::find(one.peers.begin(), one.peers.end(), slot) == one.peers.end())
      one.peers.push_back(slot);
    out.push_back(GiveBlock{session, wanted, data, from});
    schedule(now, session, outbox, out);
  }
  schedule_waiting(now, slot, outbox, out);
}

void ExchangeCore::strike(Now now, host::PeerSlot slot, Outbox& outbox, Effects& out) {
  const auto peer = peers_.find(slot);
  if (peer == peers_.end() || ++peer->second.strikes < kStrikesMax) return;
  sessions_.for_each([&](SessionSlot, Session& one) { std::erase(one.peers, slot); });
  const std::set<Multihash> in_flight = peer->second.in_flight;
  for (const Multihash& hash : in_flight)
    if (const auto want = wants_.find(hash); want != wants_.end())
      pass_over(now, want->second, slot, outbox, out);
}

void ExchangeCore::on_block_read(Now, std::uint64_t tag, Result<Bytes> data, Effects& out) {
  const auto at = reading_.find(tag);
  if (at == reading_.end()) return;
  const Reading reading = std::move(at->second);
  reading_.erase(at);
  const auto peer = peers_.find(reading.peer);
  if (peer == peers_.end()) return;
  libp2p::BitswapMessage reply;
  std::optional<Bytes> found;
  if (data) found = std::move(*data);
  reply.blocks = peer->second.ledger->on_read(reading.cid, std::move(found), reply);
  for (const libp2p::BitswapBlock& block : reply.blocks) {
    ++counters_.blocks_out;
    counters_.bytes_out += block.data.size();
  }
  if (!reply.blocks.empty() || !reply.presences.empty())
    out.push_back(SendMessage{reading.peer, libp2p::encode_bitswap(reply), host::Priority::bulk});
  read_more(reading.peer, peer->second, out);
}

void ExchangeCore::on_send_room(Now, host::PeerSlot slot, bool room, Effects& out) {
  const auto peer = peers_.find(slot);
  if (peer == peers_.end()) return;
  std::unique_ptr<PeerLedger>& ledger = peer->second.ledger;
  if (!ledger && !room) ledger = std::make_unique<PeerLedger>();
  if (ledger) ledger->set_blocked(!room);
  if (room) read_more(slot, peer->second, out);
}

void ExchangeCore::on_held(Now, const Cid& cid, std::size_t bytes, Effects& out) {
  Outbox outbox;
  for (auto& [slot, peer] : peers_)
    if (peer.ledger && peer.ledger->on_held(cid, bytes, outbox[slot])) read_more(slot, peer, out);
  flush(outbox, out);
}

void ExchangeCore::read_more(host::PeerSlot slot, Peer& peer, Effects& out) {
  if (!peer.ledger) return;
  while (auto cid = peer.ledger->next_read()) {
    const std::uint64_t tag = ++read_tags_;
    reading_[tag] = {slot, *cid};
    out.push_back(ReadBlock{tag, std::move(*cid)});
  }
}

std::size_t ExchangeCore::served_wants(host::PeerSlot slot) const {
  const auto peer = peers_.find(slot);
  return peer == peers_.end() || !peer->second.ledger ? 0 : peer->second.ledger->size();
}

}  // namespace kith::r1fs
