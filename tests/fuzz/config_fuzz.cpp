// Law: a configuration or network definition is taken within its bounds, or refused with its place.
// Links: kith_services_daemon
#include "services/daemon/config.hpp"
#include "services/daemon/network.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {
const char* no_environment(const char*) { return nullptr; }
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  using namespace kith::daemon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = parse_config(text, "c", {}, no_environment);
  if (config) {
    FUZZ_CHECK(config->listen.size() <= kListenMax && !config->network.empty());
    FUZZ_CHECK(config->store_quota >= kQuotaMin && config->keep_quota <= config->store_quota);
  } else {
    FUZZ_CHECK(config.error().code == Errc::configuration);
    FUZZ_CHECK(config.error().what.starts_with("c"));
  }
  const auto network = parse_network(text, "n");
  if (network) {
    FUZZ_CHECK(network->id().size() == network->name.size() + 9);
    FUZZ_CHECK(parse_network("name=\"" + network->name +
                                 "\"\nepoch_seconds=" + std::to_string(network->epoch_seconds),
                             "again")
                   ->id() == network->id());
  } else {
    FUZZ_CHECK(network.error().code == Errc::configuration);
  }
  return 0;
}
