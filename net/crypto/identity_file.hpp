// The identity on disk: made at first start, read at every other. The only file that net/crypto
// touches.
//
// Format: the libp2p PrivateKey message, 68 bytes, as other implementations keep it.
//
// Rules: the folder is made with mode 0700 and the file with 0600 (O_EXCL: an existing file is
// never written over); a file that others can read, that belongs to another user, that is a link,
// or that is not exactly one Ed25519 key is refused with what to do about it, never repaired and
// never replaced: a new key would be a new peer. The new file is written under a temporary name,
// synced, linked to its place and the folder synced, so that a crash leaves a whole key or none.
#pragma once

#include <string>

#include "net/base/rng.hpp"
#include "net/crypto/identity.hpp"

namespace kith::crypto {

// Errors: permission (modes, owner, a link), corrupt (size, content), io.
Result<Identity> load_identity(const std::string& path);
Result<Identity> load_or_make_identity(const std::string& path, Rng& rng);

}  // namespace kith::crypto
