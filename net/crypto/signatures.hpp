// Signatures: who checks the signatures of others. A node uses direct_signatures(); a simulation of
// many nodes in one process, in which thousands check the same message, may give them one that
// remembers (simnet/shared_signatures.hpp). The answer is the same.
#pragma once

#include "net/crypto/public_key.hpp"

namespace kith::crypto {

class Signatures {
 public:
  [[nodiscard]] virtual bool verify(const PublicKey& key, ByteView content, ByteView signature) = 0;

 protected:
  ~Signatures() = default;
};

Signatures& direct_signatures();

}  // namespace kith::crypto
