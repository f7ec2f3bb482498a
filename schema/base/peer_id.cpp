#include "schema/base/peer_id.hpp"

#include "schema/base/base_encoding.hpp"
#include "schema/base/cid.hpp"

namespace kith {
namespace {

constexpr std::size_t kInlinedKeyMax = 42;  // bytes; libp2p/specs peer-ids, "Peer Ids"

Error bad_text(std::string_view text, const Error& error) {
  return fail(error.code, "not a peer id: " + quote_text(text),
              error.why.empty() ? error.what : error.what + ", " + error.why,
              "give a peer id as `kith id` prints it, such as 12D3KooW...");
}

}  // namespace

Result<PeerId> PeerId::decode(ByteView multihash) {
  PeerId id;
  KITH_TRY(id.hash_, Multihash::decode(multihash));
  const std::size_t size = id.hash_.digest().size();
  switch (id.hash_.function()) {
    case kMultihashSha256:
      return id;
    case kMultihashIdentity:
      if (size == 0) return fail(Errc::malformed, "a peer id that inlines an empty key");
      if (size > kInlinedKeyMax)
        return fail(Errc::oversized, "a peer id that inlines more than 42 bytes");
      return id;
    default:
      return fail(Errc::unsupported, "a peer id is an identity or SHA-256 multihash");
  }
}

PeerId PeerId::of_public_key(ByteView encoded_key) {
  PeerId id;
  id.hash_ = encoded_key.size() <= kInlinedKeyMax ? Multihash::identity(encoded_key)
                                                  : Multihash::of_sha256(encoded_key);
  return id;
}

Result<PeerId> PeerId::parse(std::string_view text) {
  if (text.starts_with('1') || text.starts_with("Qm")) {
    const Decoded multihash = from_base58(text);
    if (!multihash) return bad_text(text, multihash.error());
    Result<PeerId> id = decode(*multihash);
    if (!id) return bad_text(text, id.error());
    return id;
  }
  const Decoded bytes = from_multibase(text);
  if (!bytes) return bad_text(text, bytes.error());
  const Result<Cid> cid = Cid::decode(*bytes);
  if (!cid) return bad_text(text, cid.error());
  if (cid->version() != 1 || cid->codec() != kCodecLibp2pKey)
    return bad_text(text, fail(Errc::malformed, "a CID, but not of a libp2p key"));
  Result<PeerId> id = decode(cid->hash().bytes());
  if (!id) return bad_text(text, id.error());
  return id;
}

std::string PeerId::text() const { return to_base58(hash_.bytes()); }

std::string PeerId::text_cid() const {
  if (empty()) return {};
  return "k" + to_base36(Cid::v1(kCodecLibp2pKey, hash_).bytes());
}

std::optional<Bytes> PeerId::inlined_key() const {
  if (empty() || hash_.function() != kMultihashIdentity) return std::nullopt;
  const std::size_t head = hash_.bytes().size() - hash_.digest().size();
  return hash_.bytes().slice(head);
}

}  // namespace kith
