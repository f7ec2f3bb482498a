#include "schema/base/cid.hpp"

#include <algorithm>

#include "schema/base/base_encoding.hpp"
#include "schema/base/sha256.hpp"
#include "schema/base/varint.hpp"

namespace kith {
namespace {

constexpr std::size_t kVersion0Text = 46;  // Qm...

bool starts_as_version0(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == kMultihashSha256 && bytes[1] == kSha256Size;
}

Result<std::uint64_t> take_varint(ByteView& rest) {
  const VarintRead read = read_varint(rest);
  if (read.state == VarintRead::State::more)
    return fail(Errc::truncated, "a CID that ends within its head");
  if (read.state == VarintRead::State::malformed)
    return fail(Errc::malformed, "a CID with a malformed varint");
  rest = rest.subspan(read.length);
  return read.value;
}

Error bad_text(std::string_view text, const Error& error) {
  return fail(error.code, "not a CID: " + quote_text(text),
              error.why.empty() ? error.what : error.what + ", " + error.why,
              "give a CID as `kith file add` prints it, such as bafkrei...");
}

}  // namespace

Cid Cid::v1(std::uint64_t codec, Multihash hash) {
  Cid cid;
  cid.codec_ = codec;
  cid.hash_ = std::move(hash);
  return cid;
}

Result<Cid> Cid::decode(ByteView bytes) {
  std::size_t used = 0;
  KITH_TRY(Cid cid, decode_front(bytes, used));
  if (used != bytes.size()) return fail(Errc::malformed, "bytes after the end of a CID");
  return cid;
}

Result<Cid> Cid::decode_front(ByteView bytes, std::size_t& used) {
  Cid cid;
  if (starts_as_version0(bytes)) {
    KITH_TRY(cid.hash_, Multihash::decode_front(bytes, used));
    cid.version_ = 0;
    cid.codec_ = kCodecDagPb;
    return cid;
  }
  ByteView rest = bytes;
  KITH_TRY(const std::uint64_t version, take_varint(rest));
  if (version != 1) return fail(Errc::unsupported, "a CID of another version than 0 and 1");
  KITH_TRY(cid.codec_, take_varint(rest));
  std::size_t hash_size = 0;
  KITH_TRY(cid.hash_, Multihash::decode_front(rest, hash_size));
  used = bytes.size() - rest.size() + hash_size;
  return cid;
}

Result<Cid> Cid::parse(std::string_view text) {
  std::string_view name = text;
  for (const std::string_view prefix : {"/ipfs/", "ipfs://"}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    break;
  }
  const bool version0 = name.size() == kVersion0Text && name.starts_with("Qm");
  const Decoded bytes = version0 ? from_base58(name) : from_multibase(name);
  if (!bytes) return bad_text(text, bytes.error());
  // Version 0 has no multibase form (multiformats/cid, "Decoding Algorithm").
  if (!version0 && starts_as_version0(*bytes))
    return bad_text(text, fail(Errc::malformed, "version 0 with a multibase prefix"));
  Result<Cid> cid = decode(*bytes);
  if (!cid) return bad_text(text, cid.error());
  return cid;
}

Bytes Cid::bytes() const {
  if (version_ == 0 || hash_.empty()) return hash_.bytes();
  const ByteView hash = hash_.bytes();
  return Bytes::make(1 + varint_size(codec_) + hash.size(), [&](std::span<std::uint8_t> to) {
    to[0] = 1;
    const std::size_t head = 1 + write_varint(to.data() + 1, codec_);
    std::copy(hash.begin(), hash.end(), to.begin() + static_cast<std::ptrdiff_t>(head));
  });
}

std::string Cid::text() const {
  if (hash_.empty()) return {};
  return version_ == 0 ? to_base58(hash_.bytes()) : "b" + to_base32(bytes());
}

}  // namespace kith
