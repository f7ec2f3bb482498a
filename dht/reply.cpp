#include "dht/reply.hpp"

namespace kith::dht {

using libp2p::KadMessage;
using libp2p::KadPeer;

namespace {

void add_peers(const std::vector<PeerRef>& from, const AddrSource& addrs, bool keep_private,
               std::size_t& room, std::vector<KadPeer>& to) {
  to.reserve(from.size());
  for (const PeerRef& peer : from) {
    KadPeer entry{peer.id(), addrs.addrs_of(peer.id()), false};
    if (!keep_private)
      std::erase_if(entry.addrs, [](const Multiaddr& a) { return a.is_private(); });
    if (entry.addrs.size() > kReplyAddrsMax) entry.addrs.resize(kReplyAddrsMax);
    if (entry.addrs.empty()) continue;
    const std::size_t size = libp2p::encoded_size_kad(entry);
    if (size > room) return;
    room -= size;
    to.push_back(std::move(entry));
  }
}

}  // namespace

Bytes encode_reply(Reply reply, const AddrSource& addrs, bool keep_private) {
  constexpr std::size_t kHead = 64;  // type, and the heads of key and record
  KadMessage message;
  message.type = reply.type;
  message.key = std::move(reply.key);
  message.record = std::move(reply.record);
  std::size_t used = kHead + message.key.size();
  if (message.record)
    used += message.record->key.size() + message.record->value.size() +
            message.record->time_received.size();
  std::size_t room = libp2p::kKadMessageOutMax - used;
  add_peers(reply.providers, addrs, keep_private, room, message.providers);
  add_peers(reply.closer, addrs, keep_private, room, message.closer);
  return libp2p::encode_kad(message);
}

}  // namespace kith::dht
