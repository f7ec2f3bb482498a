#include "services/daemon/config.hpp"

#include <charconv>

namespace kith::daemon {
namespace {

constexpr std::string_view kDefaultListen[] = {"/ip4/0.0.0.0/tcp/4700", "/ip6/::/tcp/4700"};

// One key: its name, what a good value is, and how it is taken; false: the value is no good.
struct Key {
  std::string_view name;
  std::string_view expected;
  bool (*take)(const Value&, Config&);
};

bool take_addrs(const Value& value, std::size_t count_max, std::vector<Multiaddr>& out) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  if (texts == nullptr || texts->size() > count_max) return false;
  out.clear();
  for (const std::string& text : *texts) {
    auto addr = Multiaddr::parse(text);
    if (!addr) return false;
    out.push_back(std::move(*addr));
  }
  return true;
}

bool take_size(const Value& value, std::uint64_t min, std::uint64_t& out) {
  std::uint64_t size = 0;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number < 0) return false;
    size = static_cast<std::uint64_t>(*number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    auto parsed = parse_size(*text);
    if (!parsed) return false;
    size = *parsed;
  } else {
    return false;
  }
  if (size < min) return false;
  out = size;
  return true;
}

template <class T, std::size_t N>
bool take_name(const Value& value, const std::pair<std::string_view, T> (&names)[N], T& out) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return false;
  for (const auto& [name, meaning] : names) {
    if (*text != name) continue;
    out = meaning;
    return true;
  }
  return false;
}

constexpr std::pair<std::string_view, dht::Mode> kModes[] = {{"server", dht::Mode::server},
                                                             {"client", dht::Mode::client}};
constexpr std::pair<std::string_view, Level> kLevels[] = {{"trace", Level::trace},
                                                          {"debug", Level::debug},
                                                          {"info", Level::info},
                                                          {"warn", Level::warn},
                                                          {"error", Level::error}};

constexpr Key kKeyTable[] = {
    {"network", "a network's name, or the path of its definition",
     [](const Value& value, Config& config) {
       const auto* text = std::get_if<std::string>(&value);
       if (text == nullptr || text->empty()) return false;
       config.network = *text;
       return true;
     }},
    {"listen", "a list of at most 16 multiaddrs, as [\"/ip4/0.0.0.0/tcp/4700\"]",
     [](const Value& value, Config& config) {
       return take_addrs(value, kListenMax, config.listen);
     }},
    {"bootstrap",
     "a list of at most 64 multiaddrs, as [\"/dns4/example.org/tcp/4700/p2p/12D3...\"]",
     [](const Value& value, Config& config) {
       return take_addrs(value, kConfigBootstrapMax, config.bootstrap);
     }},
    {"store.quota", "a size of at least 16 MiB, as \"10GiB\"",
     [](const Value& value, Config& config) {
       return take_size(value, kQuotaMin, config.store_quota);
     }},
    {"store.free_floor", "a size, as \"256MiB\"",
     [](const Value& value, Config& config) {
       return take_size(value, 0, config.store_free_floor);
     }},
    {"keep.enabled", "true or false",
     [](const Value& value, Config& config) {
       const auto* flag = std::get_if<bool>(&value);
       if (flag != nullptr) config.keep_enabled = *flag;
       return flag != nullptr;
     }},
    {"keep.quota", "a size, as \"5GiB\"",
     [](const Value& value, Config& config) { return take_size(value, 0, config.keep_quota); }},
    {"dht.mode", "\"server\" or \"client\"",
     [](const Value& value, Config& config) { return take_name(value, kModes, config.dht_mode); }},
    {"log.level", "\"trace\", \"debug\", \"info\", \"warn\" or \"error\"",
     [](const Value& value, Config& config) {
       return take_name(value, kLevels, config.log_level);
     }},
};

bool is_list(std::string_view key) { return key == "listen" || key == "bootstrap"; }
bool is_flag(std::string_view key) { return key == "keep.enabled"; }

Result<void> apply(const Entry& entry, Config& config) {
  std::vector<std::string_view> known;
  for (const Key& key : kKeyTable) {
    if (key.name != entry.key) {
      known.push_back(key.name);
      continue;
    }
    if (key.take(entry.value, config)) return {};
    return wrong_value(entry.key, entry.at.text(), key.expected);
  }
  return unknown_key(entry, known);
}

// "store.quota" is KITH_STORE__QUOTA.
std::string variable_of(std::string_view key) {
  std::string name = "KITH_";
  for (const char c : key) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (comma != 0) out.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out;
}

Value value_of_text(std::string_view key, std::string_view text) {
  if (is_list(key)) return split(text);
  if (is_flag(key) && (text == "true" || text == "1")) return true;
  if (is_flag(key) && (text == "false" || text == "0")) return false;
  return std::string(text);
}

Result<void> apply_environment(Getenv env, Config& config) {
  for (const Key& key : kKeyTable) {
    const std::string variable = variable_of(key.name);
    const char* text = env(variable.c_str());
    if (text == nullptr) continue;
    const Entry entry{std::string(key.name), value_of_text(key.name, text), {variable, 0, 0}};
    KITH_TRY_VOID(apply(entry, config));
  }
  return {};
}

Result<void> apply_flags(const ConfigFlags& flags, Config& config) {
  if (!flags.network.empty())
    KITH_TRY_VOID(apply({"network", flags.network, {"--network", 0, 0}}, config));
  if (!flags.listen.empty())
    KITH_TRY_VOID(apply({"listen", flags.listen, {"--listen", 0, 0}}, config));
  if (!flags.bootstrap.empty())
    KITH_TRY_VOID(apply({"bootstrap", flags.bootstrap, {"--bootstrap", 0, 0}}, config));
  return {};
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {{"", 1},
                                                                   {"B", 1},
                                                                   {"kB", 1000},
                                                                   {"KB", 1000},
                                                                   {"KiB", 1u << 10},
                                                                   {"MB", 1'000'000},
                                                                   {"MiB", 1u << 20},
                                                                   {"GB", 1'000'000'000},
                                                                   {"GiB", 1u << 30},
                                                                   {"TB", 1'000'000'000'000},
                                                                   {"TiB", 1ull << 40}};
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc()) return fail(Errc::malformed, "this is not a size");
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    if (number > UINT64_MAX / factor) return fail(Errc::malformed, "this size is too large");
    return number * factor;
  }
  return fail(Errc::malformed, "this is not a unit of size");
}

Result<Config> parse_config(std::string_view toml, const std::string& name,
                            const ConfigFlags& flags, Getenv env) {
  Config config;
  for (const std::string_view text : kDefaultListen)
    config.listen.push_back(Multiaddr::parse(text).value());
  KITH_TRY(const std::vector<Entry> entries, read_toml(toml, name));
  for (const Entry& entry : entries) KITH_TRY_VOID(apply(entry, config));
  KITH_TRY_VOID(apply_environment(env, config));
  KITH_TRY_VOID(apply_flags(flags, config));
  config.keep_quota = std::min(config.keep_quota, config.store_quota);
  return config;
}

Result<Config> load_config(const Home& home, const ConfigFlags& flags, Getenv env) {
  auto text = read_file(home.config_file(), kConfigFileMax);
  if (!text && text.error().code != Errc::not_found) return text.error();
  return parse_config(text ? *text : std::string(), home.config_file(), flags, env);
}

}  // namespace kith::daemon
