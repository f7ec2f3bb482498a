// SHA-256 by libcrypto (SHA-NI where the processor has it). The algorithm is fetched once for the
// process and each thread keeps one context, because fetching and allocating cost more than hashing
// a small input: a dht key, a peer id, a message id.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "schema/base/bytes.hpp"

namespace kith {

inline constexpr std::size_t kSha256Size = 32;
using Sha256Digest = std::array<std::uint8_t, kSha256Size>;

Sha256Digest sha256(ByteView content);

// For content that comes in pieces. finish() leaves it ready for the next content.
class Sha256 {
 public:
  Sha256();
  void update(ByteView piece);
  Sha256Digest finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;  // EVP_MD_CTX: its header stays out of everybody's build
};

}  // namespace kith
