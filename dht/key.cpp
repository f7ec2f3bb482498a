#include "dht/key.hpp"

#include "schema/base/sha256.hpp"

namespace kith::dht {

Key Key::of(ByteView raw) {
  const Sha256Digest digest = sha256(raw);
  Key key;
  for (std::size_t i = 0; i < digest.size(); ++i)
    key.words[i / 8] = key.words[i / 8] << 8 | digest[i];
  return key;
}

}  // namespace kith::dht
