// protoc's decoders as the oracle of ours. For a message of ours, agrees() checks on any bytes:
//   * what we accept, protoc accepts, with the same content;
//   * what we write, protoc reads, with the same content;
//   * what protoc accepts and would write itself, we accept, if it keeps our bounds.
// Not required is that we accept all that protoc does: groups and overlong tags are refused.
#pragma once

#include <algorithm>

#include "libp2p_oracle/envelope.pb.h"
#include "libp2p_oracle/identify.pb.h"
#include "libp2p_oracle/keys.pb.h"
#include "libp2p_oracle/noise.pb.h"
#include "libp2p_oracle/peer_record.pb.h"
#include "schema/libp2p/envelope.hpp"
#include "schema/libp2p/identify.hpp"
#include "schema/libp2p/keys.hpp"
#include "schema/libp2p/noise_payload.hpp"
#include "schema/libp2p/peer_record.hpp"

namespace kith::libp2p::oracle {

inline Bytes bytes_of(const std::string& text) { return Bytes::copy(text); }

template <class Repeated>
std::vector<Bytes> list_of(const Repeated& values) {
  std::vector<Bytes> list;
  for (const std::string& value : values) list.push_back(bytes_of(value));
  return list;
}

struct PublicKeys {
  using Theirs = pb::PublicKey;
  using Ours = PublicKey;
  static Result<Ours> decode(const Bytes& message) { return decode_public_key(message); }
  static Bytes encode(const Ours& key) { return encode_public_key(key.type, key.data); }
  static Ours from(const Theirs& key) {
    return {static_cast<KeyType>(key.type()), bytes_of(key.data())};
  }
  static bool in_bounds(const Theirs& key) {
    switch (key.type()) {
      case pb::RSA:
        return key.data().size() <= kRsaPublicMax;
      case pb::Ed25519:
        return key.data().size() == kEd25519PublicSize;
      case pb::Secp256k1:
        return key.data().size() == kSecp256k1PublicSize;
      case pb::ECDSA:
        return key.data().size() <= kEcdsaPublicMax;
    }
    return false;
  }
};

struct NoisePayloads {
  using Theirs = pb::NoisePayload;
  using Ours = NoisePayload;
  static Result<Ours> decode(const Bytes& message) { return decode_noise_payload(message); }
  static Bytes encode(const Ours& payload) { return encode_noise_payload(payload); }
  static Ours from(const Theirs& payload) {
    return {bytes_of(payload.identity_key()), bytes_of(payload.identity_sig()),
            list_of(payload.extensions().stream_muxers()),
            list_of(payload.extensions().webtransport_certhashes())};
  }
  static bool in_bounds(const Theirs& payload) {
    const pb::NoiseExtensions& lists = payload.extensions();
    return static_cast<std::size_t>(lists.stream_muxers_size()) <= kNoiseMuxersMax &&
           static_cast<std::size_t>(lists.webtransport_certhashes_size()) <= kNoiseCerthashesMax;
  }
};

struct Identifies {
  using Theirs = pb::Identify;
  using Ours = Identify;
  static Result<Ours> decode(const Bytes& message) { return decode_identify(message); }
  static Bytes encode(const Ours& identify) { return encode_identify(identify); }
  static std::optional<Bytes> optional(bool has, const std::string& value) {
    return has ? std::optional(bytes_of(value)) : std::nullopt;
  }
  static Ours from(const Theirs& i) {
    return {optional(i.has_public_key(), i.public_key()),
            list_of(i.listen_addrs()),
            list_of(i.protocols()),
            optional(i.has_observed_addr(), i.observed_addr()),
            optional(i.has_protocol_version(), i.protocol_version()),
            optional(i.has_agent_version(), i.agent_version()),
            optional(i.has_signed_peer_record(), i.signed_peer_record())};
  }
  static bool in_bounds(const Theirs& i) {
    return i.ByteSizeLong() <= kIdentifyPartMax &&
           static_cast<std::size_t>(i.listen_addrs_size()) <= kIdentifyAddrsMax &&
           static_cast<std::size_t>(i.protocols_size()) <= kIdentifyProtocolsMax;
  }
};

struct Envelopes {
  using Theirs = pb::Envelope;
  using Ours = Envelope;
  static Result<Ours> decode(const Bytes& message) { return decode_envelope(message); }
  static Bytes encode(const Ours& envelope) { return encode_envelope(envelope); }
  static Ours from(const Theirs& e) {
    return {bytes_of(e.public_key()), bytes_of(e.payload_type()), bytes_of(e.payload()),
            bytes_of(e.signature())};
  }
  static bool in_bounds(const Theirs& e) { return e.ByteSizeLong() <= kEnvelopeMax; }
};

struct PeerRecords {
  using Theirs = pb::PeerRecord;
  using Ours = PeerRecord;
  static Result<Ours> decode(const Bytes& message) { return decode_peer_record(message); }
  static Bytes encode(const Ours& record) { return encode_peer_record(record); }
  static Ours from(const Theirs& record) {
    const Result<PeerId> id = PeerId::decode(as_bytes(record.peer_id()));
    Ours ours{id ? *id : PeerId(), record.seq(), {}};
    for (const auto& info : record.addresses())
      ours.addresses.push_back(bytes_of(info.multiaddr()));
    return ours;
  }
  static bool in_bounds(const Theirs& record) {
    return static_cast<std::size_t>(record.addresses_size()) <= kPeerRecordAddrsMax &&
           PeerId::decode(as_bytes(record.peer_id()));
  }
};

template <class Message>
bool agrees(ByteView bytes) {
  typename Message::Theirs theirs;
  // Partial, as the other one logs what is missing.
  const bool accepted =
      theirs.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
      theirs.IsInitialized();
  const auto ours = Message::decode(Bytes::copy(bytes));
  if (ours) {
    if (!accepted || !(Message::from(theirs) == *ours)) return false;
    const Bytes written = Message::encode(*ours);
    typename Message::Theirs again;
    if (!again.ParseFromArray(written.data(), static_cast<int>(written.size()))) return false;
    if (!(Message::from(again) == *ours)) return false;
  }
  if (!accepted) return true;
  theirs.DiscardUnknownFields();
  const auto canonical = Message::decode(bytes_of(theirs.SerializeAsString()));
  if (!Message::in_bounds(theirs)) return canonical.has_error();
  return canonical && *canonical == Message::from(theirs);
}

}  // namespace kith::libp2p::oracle
