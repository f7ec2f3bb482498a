#include "services/daemon/network.hpp"

#include <array>

#include "schema/base/base_encoding.hpp"
#include "schema/base/sha256.hpp"
#include "schema/kith/poa_messages.hpp"
#include "services/daemon/toml_reader.hpp"

namespace kith::daemon {
namespace {

constexpr std::array<std::string_view, 4> kKeys{"name", "epoch_seconds", "beat_seconds",
                                                "bootstrap"};
constexpr std::int64_t kEpochMin = 60;
constexpr std::int64_t kEpochMax = 7 * 86'400;
constexpr std::int64_t kBeatMax = 60;
constexpr std::uint32_t kSlotsMin = 6;

bool good_name(std::string_view name) {
  if (name.empty() || name.size() > kNetworkNameMax) return false;
  if (name.front() < 'a' || name.front() > 'z') return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return true;
}

Result<void> read_bootstrap(const Entry& entry, Network& network) {
  const auto* texts = std::get_if<std::vector<std::string>>(&entry.value);
  if (texts == nullptr || texts->size() > kBootstrapMax)
    return wrong_value(entry.key, entry.at.text(), "a list of at most 64 multiaddrs");
  for (const std::string& text : *texts) {
    auto addr = Multiaddr::parse(text);
    if (!addr) return wrong_value(entry.key, entry.at.text(), "multiaddrs; " + addr.error().what);
    network.bootstrap.push_back(std::move(*addr));
  }
  return {};
}

Result<void> read_entry(const Entry& entry, Network& network) {
  if (entry.key == "name") {
    const auto* name = std::get_if<std::string>(&entry.value);
    if (name == nullptr || !good_name(*name))
      return wrong_value(entry.key, entry.at.text(), "1 to 32 of a-z, 0-9 and -, a letter first");
    network.name = *name;
    return {};
  }
  if (entry.key == "epoch_seconds") {
    const auto* seconds = std::get_if<std::int64_t>(&entry.value);
    if (seconds == nullptr || *seconds < kEpochMin || *seconds > kEpochMax)
      return wrong_value(entry.key, entry.at.text(), "a whole number from 60 to 604800");
    network.epoch_seconds = static_cast<std::uint32_t>(*seconds);
    return {};
  }
  if (entry.key == "beat_seconds") {
    const auto* seconds = std::get_if<std::int64_t>(&entry.value);
    if (seconds == nullptr || *seconds < 1 || *seconds > kBeatMax)
      return wrong_value(entry.key, entry.at.text(), "a whole number from 1 to 60");
    network.beat_seconds = static_cast<std::uint32_t>(*seconds);
    return {};
  }
  if (entry.key == "bootstrap") return read_bootstrap(entry, network);
  return unknown_key(entry, kKeys);
}

// An epoch is a whole number of slots, and their bitmaps stay small.
Result<void> check_slots(const Network& network, const std::string& source) {
  const std::uint32_t slots = network.epoch_seconds / network.beat_seconds;
  if (network.epoch_seconds % network.beat_seconds == 0 && slots >= kSlotsMin &&
      slots <= schema::kSlotsPerEpochMax)
    return {};
  return fail(Errc::configuration, source + ": beat_seconds does not fit epoch_seconds",
              std::to_string(network.epoch_seconds) + " s in steps of " +
                  std::to_string(network.beat_seconds) + " s",
              "choose beat_seconds so that it divides epoch_seconds into 6 to 60480 slots");
}

}  // namespace

std::string Network::canonical() const {
  return "kith network 1\nname=" + name + "\nepoch_seconds=" + std::to_string(epoch_seconds) +
         "\n" +
         (beat_seconds == kBeatUsual ? "" : "beat_seconds=" + std::to_string(beat_seconds) + "\n");
}

std::string Network::id() const {
  return name + "-" + to_base16(sha256(as_bytes(canonical()))).substr(0, 8);
}

Network home_network() {
  Network home;
  home.name = "home";
  return home;
}

Result<Network> parse_network(std::string_view text, const std::string& source) {
  KITH_TRY(const std::vector<Entry> entries, read_toml(text, source));
  Network network;
  for (const Entry& entry : entries) KITH_TRY_VOID(read_entry(entry, network));
  if (network.name.empty())
    return fail(Errc::configuration, source + ": the network has no name", {},
                "add a line: name = \"...\"");
  KITH_TRY_VOID(check_slots(network, source));
  return network;
}

Result<Network> find_network(const std::string& name_or_path) {
  const std::string_view text = name_or_path;
  if (text == "home") return home_network();
  if (text.find('/') == std::string_view::npos && !text.ends_with(".toml"))
    return fail(Errc::configuration, "the network " + quote_text(text) + " is not known",
                "only 'home' is built in", "give the path of its definition file");
  KITH_TRY(const std::string definition, read_file(name_or_path, kNetworkFileMax));
  return parse_network(definition, name_or_path);
}

}  // namespace kith::daemon
