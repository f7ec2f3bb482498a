// Signing domains: what is signed is uvarint length and bytes of the domain, then of each part, as
// RFC 0002 of libp2p/specs lays out its envelopes. Lengths in front make the list of parts
// recoverable, so that no two lists give the same bytes, and a signature made for one purpose is
// good for no other.
//
// Kith's own domains are "kith/<network id>/<service>/<what>/<version>".
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "net/crypto/identity.hpp"

namespace kith::crypto {

// The domain must not be empty.
Signature sign_in_domain(const Identity& identity, std::string_view domain,
                         std::span<const ByteView> parts);
[[nodiscard]] bool verify_in_domain(const PublicKey& key, std::string_view domain,
                                    std::span<const ByteView> parts, ByteView signature);

inline Signature sign_in_domain(const Identity& identity, std::string_view domain,
                                std::initializer_list<ByteView> parts) {
  return sign_in_domain(identity, domain, std::span(parts.begin(), parts.size()));
}
[[nodiscard]] inline bool verify_in_domain(const PublicKey& key, std::string_view domain,
                                           std::initializer_list<ByteView> parts,
                                           ByteView signature) {
  return verify_in_domain(key, domain, std::span(parts.begin(), parts.size()), signature);
}

}  // namespace kith::crypto
