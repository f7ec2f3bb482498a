// PeerId: the multihash of a peer's public key (libp2p/specs peer-ids). Keys of at most 42 bytes,
// Ed25519 among them, are inlined by the identity hash, so the key can be read back from the id.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "schema/base/multihash.hpp"

namespace kith {

class PeerId {
 public:
  PeerId() = default;  // empty: nobody
  static Result<PeerId> decode(ByteView multihash);
  // From the protobuf encoding of a public key (libp2p PublicKey message).
  static PeerId of_public_key(ByteView encoded_key);
  static Result<PeerId> parse(
      std::string_view text);  // base58btc (12D3..., Qm...) or CIDv1 libp2p-key

  const Bytes& bytes() const { return hash_.bytes(); }
  std::string text() const;      // base58btc
  std::string text_cid() const;  // CIDv1, base36
  // The encoded public key when the id inlines it.
  std::optional<Bytes> inlined_key() const;
  bool empty() const { return hash_.empty(); }
  friend bool operator==(const PeerId&, const PeerId&) = default;
  friend auto operator<=>(const PeerId&, const PeerId&) = default;

 private:
  Multihash hash_;
};

}  // namespace kith
