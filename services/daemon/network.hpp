// Network: which overlay a node belongs to. A definition is a small TOML file; its id is its name
// and the first 8 hex digits of the SHA-256 of its canonical text, so two networks of one name
// never merge. Everything of Kith's own on the wire carries the id.
//
//   name = "home"                    # 1 to 32 of a-z 0-9 -, a letter first
//   epoch_seconds = 86400            # 60 to 604800
//   beat_seconds = 10                # 1 to 60; divides epoch_seconds into 6 to 60480 slots
//   bootstrap = ["/dns4/.../tcp/4700/p2p/12D3..."]   # not part of the id
//
// The bootstrap addresses are where to start, not what the network is: they are outside the hash,
// so that a changed one does not found another network. Canonical text: `kith network 1`, then each
// other key in the order above as `key=value`, a line each; beat_seconds only when it is not 10.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schema/base/multiaddr.hpp"

namespace kith::daemon {

inline constexpr std::size_t kNetworkFileMax = 16u << 10;
inline constexpr std::size_t kNetworkNameMax = 32;
inline constexpr std::size_t kBootstrapMax = 64;
inline constexpr std::uint32_t kBeatUsual = 10;

struct Network {
  std::string name;
  std::uint32_t epoch_seconds = 86'400;
  std::uint32_t beat_seconds = kBeatUsual;
  std::vector<Multiaddr> bootstrap;

  std::string canonical() const;
  std::string id() const;  // "home-1a2b3c4d"
};

Network home_network();  // the built-in one
// `source` is named in errors. Errors: configuration, with line and column.
Result<Network> parse_network(std::string_view text, const std::string& source);
// A built-in name, or a path to a definition (it has a '/' or ends in .toml).
Result<Network> find_network(const std::string& name_or_path);

}  // namespace kith::daemon
