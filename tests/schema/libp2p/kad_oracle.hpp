// protoc's decoder of kad.proto as the oracle of ours, for oracle::agrees().
#pragma once

#include "libp2p_oracle/kad.pb.h"
#include "schema/libp2p/kad_message.hpp"
#include "tests/schema/libp2p/oracle.hpp"

namespace kith::libp2p::oracle {

struct KadMessages {
  using Theirs = pb::KadMessage;
  using Ours = KadMessage;
  static Result<Ours> decode(const Bytes& message) { return decode_kad(message); }
  static Bytes encode(const Ours& message) { return encode_kad(message); }

  // What is left out follows from the header of kad_message.hpp, word by word.
  static std::vector<Multiaddr> addrs_of(const PeerId& id, const pb::KadMessage::Peer& peer) {
    std::vector<Multiaddr> kept;
    for (int i = 0; i < peer.addrs_size() && i < static_cast<int>(kKadAddrsMax); ++i) {
      const Result<Multiaddr> addr = Multiaddr::decode(as_bytes(peer.addrs(i)));
      if (!addr || addr->empty()) continue;
      const std::vector<MultiaddrPart> parts = addr->parts();
      if (parts.back().code != proto::p2p)
        kept.push_back(*addr);
      else if (equal(parts.back().value, id.bytes()) && parts.size() > 1)
        kept.push_back(addr->without_peer_id());
    }
    return kept;
  }
  template <class Peers>
  static std::vector<KadPeer> peers_of(const Peers& peers) {
    std::vector<KadPeer> kept;
    for (const pb::KadMessage::Peer& peer : peers) {
      const Result<PeerId> id = PeerId::decode(as_bytes(peer.id()));
      if (kept.size() < kKadPeersMax && id && !id->empty())
        kept.push_back({*id, addrs_of(*id, peer), peer.connection() == pb::KadMessage::CONNECTED});
    }
    return kept;
  }
  static Ours from(const Theirs& theirs) {
    Ours ours;
    ours.type = static_cast<KadType>(theirs.type());
    ours.key = bytes_of(theirs.key());
    if (theirs.has_record())
      ours.record = KadRecord{bytes_of(theirs.record().key()), bytes_of(theirs.record().value()),
                              theirs.record().time_received()};
    ours.closer = peers_of(theirs.closer_peers());
    ours.providers = peers_of(theirs.provider_peers());
    return ours;
  }
  static bool in_bounds(const Theirs& theirs) {
    const auto fits = [](int size) { return static_cast<std::size_t>(size) <= kKadListEntriesMax; };
    return theirs.ByteSizeLong() <= kKadMessageInMax && theirs.key().size() <= kKadKeyMax &&
           theirs.record().key().size() <= kKadKeyMax &&
           theirs.record().value().size() <= kKadValueMax &&
           theirs.record().time_received().size() <= kKadTimeMax &&
           fits(theirs.closer_peers_size()) && fits(theirs.provider_peers_size());
  }
};

}  // namespace kith::libp2p::oracle
