// The API's token: 256 random bits as 64 hex digits in `api.token` of the home folder, mode 0600.
// Whoever can read the file may drive the node. Made at first start, kept at later ones, so that a
// client's copy stays good.
#pragma once

#include <string>

#include "net/base/rng.hpp"
#include "schema/base/result.hpp"

namespace kith::bridge {

inline constexpr std::size_t kTokenDigits = 64;

// Errors: permission (others can read it), corrupt, io, not_found (load only).
Result<std::string> load_token(const std::string& path);
Result<std::string> load_or_make_token(const std::string& path, Rng& rng);

}  // namespace kith::bridge
