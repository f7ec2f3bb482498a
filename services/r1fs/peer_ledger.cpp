#include "services/r1fs/peer_ledger.hpp"

namespace kith::r1fs {

void PeerLedger::cancel(const Cid& cid) {
  waiting_.erase(cid.hash());
  if (const auto place = places_.find(cid.hash()); place != places_.end()) {
    queue_.erase(place->second);
    places_.erase(place);
  }
}

void PeerLedger::enqueue(const libp2p::BitswapWant& want, std::size_t bytes) {
  if (places_.count(want.cid.hash()) != 0 || reading_.count(want.cid.hash()) != 0) return;
  const Place place{-static_cast<std::int64_t>(want.priority), orders_++};
  queue_[place] = {want.cid, bytes, want.send_dont_have};
  places_[want.cid.hash()] = place;
}

void PeerLedger::on_wants(const libp2p::BitswapMessage& message, const HeldBlocks& held,
                          libp2p::BitswapMessage& reply) {
  if (message.full) {
    queue_.clear();
    places_.clear();
    waiting_.clear();
  }
  for (const libp2p::BitswapWant& want : message.wants) {
    if (want.cancel) {
      cancel(want.cid);
      continue;
    }
    const std::optional<std::size_t> bytes = held.size(want.cid);
    const bool full = size() >= kLedgerEntriesMax;
    if (bytes && want.type == libp2p::BitswapWant::Type::have) {
      reply.presences.push_back({want.cid, true});
    } else if (bytes && !full) {
      enqueue(want, *bytes);
    } else if (want.send_dont_have) {
      reply.presences.push_back({want.cid, false});
    } else if (!full) {
      waiting_[want.cid.hash()] = want;
    }
  }
}

bool PeerLedger::on_held(const Cid& cid, std::size_t bytes, libp2p::BitswapMessage& reply) {
  const auto at = waiting_.find(cid.hash());
  if (at == waiting_.end()) return false;
  const libp2p::BitswapWant want = at->second;
  waiting_.erase(at);
  if (want.type == libp2p::BitswapWant::Type::have)
    reply.presences.push_back({want.cid, true});
  else
    enqueue(want, bytes);
  return true;
}

std::optional<Cid> PeerLedger::next_read() {
  if (blocked_ || queue_.empty()) return std::nullopt;
  const auto at = queue_.begin();
  if (reading_bytes_ > 0 && reading_bytes_ + at->second.bytes > kReadAheadBytes)
    return std::nullopt;
  const Cid cid = at->second.cid;
  reading_bytes_ += at->second.bytes;
  places_.erase(cid.hash());
  reading_[cid.hash()] = std::move(at->second);
  queue_.erase(at);
  return cid;
}

std::vector<libp2p::BitswapBlock> PeerLedger::on_read(const Cid& cid, std::optional<Bytes> data,
                                                      libp2p::BitswapMessage& reply) {
  const auto at = reading_.find(cid.hash());
  if (at == reading_.end()) return {};
  reading_bytes_ -= at->second.bytes;
  if (data) {
    ready_bytes_ += data->size();
    ready_.push_back(libp2p::block_of(at->second.cid, std::move(*data)));
  } else if (at->second.send_dont_have) {
    reply.presences.push_back({at->second.cid, false});
  }
  reading_.erase(at);
  if (ready_bytes_ < kReplyBytes && !reading_.empty()) return {};
  ready_bytes_ = 0;
  return std::exchange(ready_, {});
}

}  // namespace kith::r1fs
