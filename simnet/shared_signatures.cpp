#include "simnet/shared_signatures.hpp"

#include <xxhash.h>

namespace kith::simnet {
namespace {

// Each part's hash is the seed of the next, so that no two questions that differ in where a part
// ends are one.
XXH128_hash_t mix(XXH128_hash_t before, ByteView part) {
  XXH128_hash_t mixed = XXH3_128bits_withSeed(part.data(), part.size(), before.low64);
  mixed.high64 ^= before.high64 * 3;
  return mixed;
}

}  // namespace

bool SharedSignatures::verify(const crypto::PublicKey& key, ByteView content, ByteView signature) {
  const XXH128_hash_t hash = mix(mix(mix({}, key.encoded()), content), signature);
  const Question question{hash.low64, hash.high64};
  if (const auto found = known_.find(question); found != known_.end()) return found->second;
  if (known_.size() >= kSharedSignaturesMax) known_.clear();
  ++checked_;
  const bool valid = key.verify(content, signature);
  known_.emplace(question, valid);
  return valid;
}

}  // namespace kith::simnet
