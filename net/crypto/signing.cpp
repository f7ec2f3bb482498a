#include "net/crypto/signing.hpp"

#include <vector>

#include "net/base/check.hpp"
#include "schema/base/varint.hpp"

namespace kith::crypto {

namespace {

std::vector<std::uint8_t> lay_out(std::string_view domain, std::span<const ByteView> parts) {
  CHECK(!domain.empty());
  std::size_t total = varint_size(domain.size()) + domain.size();
  for (const ByteView part : parts) total += varint_size(part.size()) + part.size();
  std::vector<std::uint8_t> buffer;
  buffer.reserve(total);
  const auto append = [&](ByteView part) {
    append_varint(buffer, part.size());
    buffer.insert(buffer.end(), part.begin(), part.end());
  };
  append(as_bytes(domain));
  for (const ByteView part : parts) append(part);
  return buffer;
}

}  // namespace

Signature sign_in_domain(const Identity& identity, std::string_view domain,
                         std::span<const ByteView> parts) {
  return identity.sign(lay_out(domain, parts));
}

bool verify_in_domain(const PublicKey& key, std::string_view domain,
                      std::span<const ByteView> parts, ByteView signature) {
  return key.verify(lay_out(domain, parts), signature);
}

}  // namespace kith::crypto
