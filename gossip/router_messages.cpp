// The way of a message: refused, verified, judged, delivered and sent on; and of our own.
#include <algorithm>

#include "gossip/router.hpp"
#include "net/base/planted.hpp"

namespace kith::gossip {

// Checks in the order of their cost. What is refused here without blame, an honest peer may send.
void Router::on_published(Now now, Peer& peer, const Bytes& rpc, ByteView encoded, Effects& out) {
  const Result<libp2p::GossipMessageFields> fields = libp2p::decode_gossip_message(encoded);
  const Refusal refusal = fields ? refusal_of(*fields) : Refusal::malformed;
  if (refusal == Refusal::oversized) {
    ++counters_.oversized;
    return;
  }
  if (refusal == Refusal::malformed) {
    ++counters_.malformed;
    blame(now, peer, kBlameMalformed);
    return;
  }
  // Most are copies of what was seen: nothing is allocated for them.
  std::array<std::uint8_t, kFromBytesMax + kSeqnoBytes> id{};
  const auto seqno_at = std::copy(fields->from->begin(), fields->from->end(), id.begin());
  const auto id_end = std::copy(fields->seqno->begin(), fields->seqno->end(), seqno_at);
  const std::uint64_t key = key_of({id.data(), static_cast<std::size_t>(id_end - id.begin())});
  const auto topic = [&] { return joined(key_of(as_bytes(*fields->topic))); };
  SignedPart part;
  const auto received = [&] {
    Received read = receive(rpc, encoded, *fields, message_id(*fields->from, *fields->seqno),
                            outlines_ != nullptr);
    read.message.key = key;
    read.message.author = key_of(*fields->from);
    part = std::move(read.part);
    return std::move(read.message);
  };
  const std::optional<JudgeSlot> slot = consider(peer, *fields->from, key, topic, received);
  if (slot) out.push_back(Verify{*slot, std::move(part)});
}

void Router::on_outline(Now now, const Peer& peer, const MessageOutline& outline, Effects& out) {
  const auto topic = [&] { return joined(outline.topic); };
  const auto received = [&] { return outline.message; };
  const std::optional<JudgeSlot> slot =
      consider(peer, outline.from, outline.message.key, topic, received);
  if (slot) on_verified(now, *slot, outline.valid, out);
}

template <class Topic, class Receive>
std::optional<JudgeSlot> Router::consider(const Peer& peer, ByteView from, std::uint64_t key,
                                          Topic&& topic, Receive&& receive) {
  if (is_own(from)) {
    ++counters_.echoes;
    return std::nullopt;
  }
  if (is_duplicate(peer.slot, key)) return std::nullopt;
  const TopicIndex index = topic();
  if (!index) {
    ++counters_.unknown_topic;
    return std::nullopt;
  }
  Message message = receive();
  if (ValidationQueue::Entry* same = queue_.find_same(key, message.rpc)) {
    ++counters_.duplicates;
    queue_.note(*same, peer.slot);
    return std::nullopt;
  }
  message.topic = index;
  message.via = peer.slot;
  const std::optional<JudgeSlot> slot = queue_.admit(std::move(message));
  if (!slot) ++counters_.queue_full;
  return slot;
}

bool Router::is_own(ByteView from) const {
  return tail_of(from) == self_tail_ && equal(from, config_.self.bytes());
}

bool Router::is_duplicate(host::PeerSlot from, std::uint64_t key) {
  if (!seen_.has(key)) return false;
  ++counters_.duplicates;
  if (ValidationQueue::Entry* entry = queue_.find_verified(key)) queue_.note(*entry, from);
  return true;
}

void Router::on_verified(Now now, JudgeSlot slot, bool valid, Effects& out) {
  ValidationQueue::Entry* entry = queue_.find(slot);
  if (entry == nullptr || entry->stage != ValidationQueue::Stage::verifying) return;
  if (!valid) {
    ++counters_.bad_signature;
    const host::PeerSlot via = queue_.take(slot).message.via;
    if (Peer* peer = peers_.find(via)) blame(now, *peer, kBlameSignature);
    batch_.flush(out);
    return;
  }
  // A copy in other bytes may have been verified meanwhile.
  if (!seen_.add(now.mono, entry->message.key)) {
    ++counters_.duplicates;
    queue_.take(slot);
    return;
  }
  queue_.start_judging(now.mono, slot);
  wake(now);
  out.push_back(Judge{slot, entry->message.topic});
}

void Router::settle(Now now, JudgeSlot slot, Verdict verdict, Effects& out) {
  ValidationQueue::Entry* entry = queue_.find(slot);
  if (entry == nullptr || entry->stage == ValidationQueue::Stage::verifying) return;
  if (verdict == Verdict::pending) {
    if (queue_.keep_pending(slot)) return;
    ++counters_.pending_full;
    queue_.take(slot);
    return;
  }
  ValidationQueue::Entry settled = queue_.take(slot);
  switch (verdict) {
    case Verdict::accept:
      accept(now, std::move(settled), out);
      break;
    case Verdict::reject:
      ++counters_.rejected;
      if (Peer* peer = peers_.find(settled.message.via)) blame(now, *peer, kBlameRejected);
      batch_.flush(out);
      break;
    case Verdict::ignore:
    case Verdict::pending:
      ++counters_.ignored;
      break;
  }
}

void Router::accept(Now now, ValidationQueue::Entry entry, Effects& out) {
  const Topic* topic = topics_.find(entry.message.topic);
  if (topic == nullptr || !topic->joined) return;
  cache_.put(entry.message);
  forward(now, entry, *topic, out);
  ++counters_.delivered;
  out.push_back(Deliver{std::move(entry.message)});
}

void Router::forward(Now now, const ValidationQueue::Entry& entry, const Topic& topic,
                     Effects& out) {
  const std::uint64_t author = entry.message.author;
  const auto send = [&](const Peer& peer) {
    const bool sender = peer.slot == entry.message.via && !planted(Planted::forwarded_to_sender);
    if (!peer.usable(now.mono) || sender || peer.key == author) return;
    if (std::find(entry.also.begin(), entry.also.end(), peer.slot) != entry.also.end()) return;
    ++counters_.forwarded;
    out.push_back(SendRpc{peer.slot, entry.message.rpc});
  };
  for (const Mesh::Member& member : topic.mesh.members()) peers_.prefetch(member.peer);
  for (const Mesh::Member& member : topic.mesh.members()) {
    if (planted(Planted::last_member_skipped) && &member == &topic.mesh.members().back()) break;
    send(*peers_.find(member.peer));
  }
  if (floodsub_peers_ == 0) return;
  for (const host::PeerSlot slot : topic.subscribers)
    if (const Peer& peer = *peers_.find(slot); !peer.gossips()) send(peer);
}

void Router::publish(Now now, std::string_view name, Message message, Effects& out) {
  const TopicIndex index = topics_.intern(name);
  message.key = key_of(message.id);
  message.author = key_of(message.from.bytes());
  message.topic = index;
  seen_.add(now.mono, message.key);
  cache_.put(message);
  wake(now);
  ++counters_.published;
  for (const host::PeerSlot slot : audience(now, index, message.rpc.size()))
    out.push_back(SendRpc{slot, message.rpc});
  const Topic& topic = topics_.at(index);
  if (topic.joined && topic.loopback) out.push_back(Deliver{std::move(message)});
  topics_.release(index);
}

// To whom our own messages of this size go: flood, or else the mesh or fanout, and always the
// floodsub peers.
std::vector<host::PeerSlot> Router::audience(Now now, TopicIndex index, std::size_t bytes) {
  Topic& topic = topics_.at(index);
  const bool flood = bytes <= kFloodPublishBytesMax;
  if (!topic.joined) start_fanout(now, topic);
  std::vector<host::PeerSlot> to;
  std::vector<host::PeerSlot> others;
  for (const host::PeerSlot slot : topic.subscribers) {
    const Peer& peer = *peers_.find(slot);
    if (!peer.usable(now.mono)) continue;
    const bool always = topic.mesh.has(slot) || set_has(topic.fanout, slot) || !peer.gossips();
    (flood || always ? to : others).push_back(slot);
  }
  // A mesh that is not there yet must not lose the message.
  if (!flood && to.size() < config_.degree) {
    choose(others, config_.degree - to.size());
    to.insert(to.end(), others.begin(), others.end());
  }
  return to;
}

// Keeps degree peers in the fanout of a topic that is not ours, as far as there are so many.
void Router::fill_fanout(Now now, Topic& topic) {
  if (topic.fanout.size() >= config_.degree) return;
  std::vector<host::PeerSlot> others;
  for (const host::PeerSlot slot : topic.subscribers) {
    const Peer& peer = *peers_.find(slot);
    if (peer.gossips() && peer.usable(now.mono) && !set_has(topic.fanout, slot))
      others.push_back(slot);
  }
  choose(others, config_.degree - topic.fanout.size());
  for (const host::PeerSlot slot : others) set_add(topic.fanout, slot);
}

// Also without subscribers: whoever subscribes within the gossip windows still hears of the
// message.
void Router::start_fanout(Now now, Topic& topic) {
  if (!topic.fanning) {
    if (fanouts_ >= kFanoutsMax) return;
    ++fanouts_;
    topic.fanning = true;
  }
  topic.fanout_until = later(now.mono, kFanoutLifetime);
  fill_fanout(now, topic);
}

void Router::end_fanout(Topic& topic) {
  if (!topic.fanning) return;
  --fanouts_;
  topic.fanning = false;
  topic.fanout.clear();
}

}  // namespace kith::gossip
