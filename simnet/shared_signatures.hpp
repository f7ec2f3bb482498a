// SharedSignatures: signature checks of all nodes of a simulation, each done once. A message that
// reaches ten thousand nodes is checked ten thousand times on as many machines; here they are one.
// What is remembered is the result of the real check, by a hash of all that went into it, so runs
// are equal to runs without.
// Bound: kSharedSignaturesMax results; then it starts anew.
#pragma once

#include <unordered_map>

#include "net/crypto/signatures.hpp"
#include "schema/base/sha256.hpp"

namespace kith::simnet {

inline constexpr std::size_t kSharedSignaturesMax = 1u << 20;

class SharedSignatures final : public crypto::Signatures {
 public:
  bool verify(const crypto::PublicKey& key, ByteView content, ByteView signature) override;
  std::uint64_t checked() const { return checked_; }  // not remembered, but computed

 private:
  struct First8 {
    std::size_t operator()(const Sha256Digest& digest) const;
  };
  std::unordered_map<Sha256Digest, bool, First8> known_;  // looked up only, never iterated
  Sha256 hash_;
  std::uint64_t checked_ = 0;
};

}  // namespace kith::simnet
