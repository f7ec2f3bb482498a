// SharedSignatures: signature checks of all nodes of a simulation, each done once. A message that
// reaches ten thousand nodes is checked ten thousand times on as many machines; here they are one.
// What is remembered is the result of the real check, by a hash (XXH3, 128 bits) of all that went
// into it, so runs are equal to runs without: a simulation forges signatures, but no collisions.
// Bound: kSharedSignaturesMax results; then it starts anew.
#pragma once

#include <unordered_map>
#include <utility>

#include "net/crypto/signatures.hpp"

namespace kith::simnet {

inline constexpr std::size_t kSharedSignaturesMax = 1u << 20;

class SharedSignatures final : public crypto::Signatures {
 public:
  bool verify(const crypto::PublicKey& key, ByteView content, ByteView signature) override;
  std::uint64_t checked() const { return checked_; }  // not remembered, but computed

 private:
  using Question = std::pair<std::uint64_t, std::uint64_t>;
  struct First {
    std::size_t operator()(const Question& question) const { return question.first; }
  };
  std::unordered_map<Question, bool, First> known_;  // looked up only, never iterated
  std::uint64_t checked_ = 0;
};

}  // namespace kith::simnet
