#include "net/crypto/signatures.hpp"

namespace kith::crypto {
namespace {

struct Direct final : Signatures {
  bool verify(const PublicKey& key, ByteView content, ByteView signature) override {
    return key.verify(content, signature);
  }
};

}  // namespace

Signatures& direct_signatures() {
  static Direct direct;
  return direct;
}

}  // namespace kith::crypto
