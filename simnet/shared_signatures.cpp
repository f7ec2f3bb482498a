#include "simnet/shared_signatures.hpp"

#include <cstring>

namespace kith::simnet {

std::size_t SharedSignatures::First8::operator()(const Sha256Digest& digest) const {
  std::size_t first = 0;
  std::memcpy(&first, digest.data(), sizeof first);
  return first;
}

bool SharedSignatures::verify(const crypto::PublicKey& key, ByteView content, ByteView signature) {
  // Sizes in front, so that no two questions have one hash.
  const std::uint64_t sizes[] = {key.encoded().size(), content.size(), signature.size()};
  hash_.update(ByteView(reinterpret_cast<const std::uint8_t*>(sizes), sizeof sizes));
  hash_.update(key.encoded());
  hash_.update(content);
  hash_.update(signature);
  const Sha256Digest question = hash_.finish();
  if (const auto found = known_.find(question); found != known_.end()) return found->second;
  if (known_.size() >= kSharedSignaturesMax) known_.clear();
  ++checked_;
  const bool valid = key.verify(content, signature);
  known_.emplace(question, valid);
  return valid;
}

}  // namespace kith::simnet
