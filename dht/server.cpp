#include "dht/server.hpp"

#include <algorithm>

namespace kith::dht {

using libp2p::KadMessage;
using libp2p::KadPeer;
using libp2p::KadType;

bool RequestRate::take(Mono now) {
  constexpr Duration kOne = Duration(1s) / kRequestRate;
  if (filled_ == Mono{}) filled_ = now;
  const auto grown = static_cast<std::uint64_t>(std::max(now - filled_, Duration{}) / kOne);
  if (grown >= kRequestBurst - tokens_) {
    tokens_ = kRequestBurst;
    filled_ = now;
  } else {
    tokens_ += static_cast<std::uint32_t>(grown);
    filled_ += kOne * static_cast<std::int64_t>(grown);
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

Result<void> Server::on_request(Now now, host::StreamSlot stream, const Requester& from,
                                const KadMessage& request, Effects& out) {
  Reply reply;
  reply.stream = stream;
  reply.type = request.type;
  reply.key = request.key;
  if (request.type == KadType::ping) {
    out.push_back(std::move(reply));
    return {};
  }
  if (request.key.empty()) return fail(Errc::malformed, "a Kademlia request without a key");
  switch (request.type) {
    case KadType::find_node:
      add_closer(from, request.key, reply);
      out.push_back(std::move(reply));
      return {};
    case KadType::get_providers:
      return get_providers(now, from, std::move(reply), out);
    case KadType::add_provider:
      return add_provider(now, from, request, out);
    case KadType::put_value:
      return put_value(now, from, request, std::move(reply), out);
    case KadType::get_value:
      return get_value(now, from, std::move(reply), out);
    case KadType::ping:
      break;
  }
  return fail(Errc::unsupported, "an unknown type of Kademlia message");
}

void Server::add_closer(const Requester& from, ByteView raw_key, Reply& reply) const {
  know_.table->closest(Key::of(raw_key), kReplication, from.peer, true, reply.closer);
  const Result<PeerId> wanted = PeerId::decode(raw_key);
  if (!wanted || wanted->empty() || *wanted == from.peer.id()) return;
  PeerRef peer;
  if (*wanted == self_.id()) {
    peer = self_;
  } else if (const auto found = know_.connected->find(*wanted); found != know_.connected->end()) {
    peer = found->second.peer;
  }
  // Clients are in nobody's table: only who is connected to one can say where it is.
  if (peer && std::find(reply.closer.begin(), reply.closer.end(), peer) == reply.closer.end())
    reply.closer.insert(reply.closer.begin(), peer);
}

Result<void> Server::get_providers(Now now, const Requester& from, Reply reply, Effects& out) {
  KITH_TRY(const Multihash key, Multihash::decode(reply.key));
  reply.providers = know_.providers->find(now.wall, key);
  std::erase(reply.providers, from.peer);
  if (know_.provided->contains(key)) reply.providers.insert(reply.providers.begin(), self_);
  add_closer(from, reply.key, reply);
  out.push_back(std::move(reply));
  return {};
}

Result<void> Server::add_provider(Now now, const Requester& from, const KadMessage& request,
                                  Effects& out) {
  KITH_TRY(const Multihash key, Multihash::decode(request.key));
  const auto named = std::find_if(request.providers.begin(), request.providers.end(),
                                  [&](const KadPeer& peer) { return peer.id == from.peer.id(); });
  if (named == request.providers.end())
    return fail(Errc::refused, "a provider record that does not name its sender");
  const Source source = source_of(from.peer, from.group);
  if (!know_.providers->add(now.wall, key, from.peer, source, named->addrs, out))
    return fail(Errc::exhausted, "no room for a provider record of this source");
  out.push_back(LearnAddrs{named->id, named->addrs, kProviderAddrsLifetime});
  return {};
}

Result<void> Server::put_value(Now now, const Requester& from, const KadMessage& request,
                               Reply reply, Effects& out) {
  if (!request.record || request.record->key != request.key)
    return fail(Errc::malformed, "PUT_VALUE without a record of its key");
  KITH_TRY_VOID(know_.values->put(now.wall, request.key, request.record->value,
                                  source_of(from.peer, from.group), out));
  reply.record = request.record;
  out.push_back(std::move(reply));
  return {};
}

Result<void> Server::get_value(Now now, const Requester& from, Reply reply, Effects& out) {
  if (const ValueRecords::Held* held = know_.values->find(now.wall, reply.key))
    reply.record = libp2p::KadRecord{reply.key, held->value, rfc3339(held->received)};
  add_closer(from, reply.key, reply);
  out.push_back(std::move(reply));
  return {};
}

}  // namespace kith::dht
