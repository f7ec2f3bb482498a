#include "schema/base/multihash.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "schema/base/sha256.hpp"
#include "schema/base/varint.hpp"

namespace kith {
namespace {

Result<std::uint64_t> take_varint(ByteView& rest) {
  const VarintRead read = read_varint(rest);
  if (read.state == VarintRead::State::more)
    return fail(Errc::truncated, "a multihash that ends within its head");
  if (read.state == VarintRead::State::malformed)
    return fail(Errc::malformed, "a multihash with a malformed varint");
  rest = rest.subspan(read.length);
  return read.value;
}

// Our own callers only; what peers send goes through decode.
void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "Multihash: %s\n", what);
  std::abort();
}

Bytes pack(std::uint64_t function, ByteView digest) {
  const std::size_t head = varint_size(function) + varint_size(digest.size());
  return Bytes::make(head + digest.size(), [&](std::span<std::uint8_t> to) {
    std::size_t at = write_varint(to.data(), function);
    at += write_varint(to.data() + at, digest.size());
    std::copy(digest.begin(), digest.end(), to.begin() + static_cast<std::ptrdiff_t>(at));
  });
}

}  // namespace

Result<Multihash> Multihash::decode(ByteView bytes) {
  std::size_t used = 0;
  KITH_TRY(Multihash hash, decode_front(bytes, used));
  if (used != bytes.size()) return fail(Errc::malformed, "bytes after the end of a multihash");
  return hash;
}

Result<Multihash> Multihash::decode_front(ByteView bytes, std::size_t& used) {
  ByteView rest = bytes;
  KITH_TRY(const std::uint64_t function, take_varint(rest));
  KITH_TRY(const std::uint64_t size, take_varint(rest));
  if (size > kMultihashDigestMax) return fail(Errc::oversized, "a digest of more than 128 bytes");
  // A shortened SHA-256 is easier to collide with and names nothing that we make or fetch.
  if (function == kMultihashSha256 && size != kSha256Size)
    return fail(Errc::malformed, "a SHA-256 digest that is not of 32 bytes");
  if (size > rest.size()) return fail(Errc::truncated, "a multihash that ends within its digest");
  used = bytes.size() - rest.size() + static_cast<std::size_t>(size);
  Multihash hash;
  hash.bytes_ = Bytes::copy(bytes.first(used));
  return hash;
}

Multihash Multihash::identity(ByteView content) {
  require(content.size() <= kMultihashDigestMax, "too long to be its own digest");
  Multihash hash;
  hash.bytes_ = pack(kMultihashIdentity, content);
  return hash;
}

Multihash Multihash::sha256(ByteView digest) {
  require(digest.size() == kSha256Size, "not a SHA-256 digest");
  Multihash hash;
  hash.bytes_ = pack(kMultihashSha256, digest);
  return hash;
}

Multihash Multihash::of_sha256(ByteView content) { return sha256(kith::sha256(content)); }

std::uint64_t Multihash::function() const { return read_varint(bytes_).value; }

ByteView Multihash::digest() const {
  const ByteView all = bytes_;
  if (all.empty()) return all;
  const ByteView sized = all.subspan(read_varint(all).length);
  return sized.subspan(read_varint(sized).length);
}

}  // namespace kith
