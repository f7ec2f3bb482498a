// SipHash-2-4 under a secret of this node: the hash for every table whose keys peers choose, so
// that nobody can craft keys that fall into one bucket.
#pragma once

#include <cstdint>

#include "net/base/rng.hpp"
#include "net/crypto/secret.hpp"

namespace kith::crypto {

class SipHash {
 public:
  static constexpr std::size_t kKeyBytes = 16;

  explicit SipHash(Rng& rng);
  explicit SipHash(const Wiped<kKeyBytes>& key) : key_(key) {}
  std::uint64_t operator()(ByteView bytes) const;

 private:
  Wiped<kKeyBytes> key_;
};

}  // namespace kith::crypto
