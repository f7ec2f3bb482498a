// Config: what a daemon can be told. Precedence: flag > environment > config.toml > default; the
// table of keys in config.cpp is the list. A key `store.quota` is KITH_STORE__QUOTA in the
// environment, where lists are separated by commas.
//
// Sizes are whole numbers of bytes or texts such as "10GiB", "500MB".
#pragma once

#include <string>
#include <vector>

#include "dht/routing.hpp"
#include "net/base/log.hpp"
#include "services/daemon/home.hpp"
#include "services/daemon/toml_reader.hpp"

namespace kith::daemon {

inline constexpr std::size_t kConfigFileMax = 64u << 10;
inline constexpr std::size_t kListenMax = 16;
inline constexpr std::size_t kConfigBootstrapMax = 64;
inline constexpr std::uint64_t kQuotaMin = 16u << 20;

struct Config {
  std::string network = "home";  // a name, or a definition's path
  std::vector<Multiaddr> listen;
  std::vector<Multiaddr> bootstrap;
  std::uint64_t store_quota = 10ull << 30;
  std::uint64_t store_free_floor = 256ull << 20;
  bool keep_enabled = true;
  std::uint64_t keep_quota = 5ull << 30;
  dht::Mode dht_mode = dht::Mode::server;
  Level log_level = Level::info;
};

// What flags said; they replace what the file and the environment say.
struct ConfigFlags {
  std::string network;
  std::vector<std::string> listen;
  std::vector<std::string> bootstrap;
};

// Errors: configuration, naming the file's line and column, the variable or the flag.
Result<Config> load_config(const Home& home, const ConfigFlags& flags, Getenv env);
// Pure: `toml` is the file's text, `name` what errors call it.
Result<Config> parse_config(std::string_view toml, const std::string& name,
                            const ConfigFlags& flags, Getenv env);

// "10GiB", "500 MB", "4096"; binary and decimal units. Errors: malformed.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace kith::daemon
