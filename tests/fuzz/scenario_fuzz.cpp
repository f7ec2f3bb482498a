// Links: kith_simnet_scenario
// A scenario from a stranger: read or refused, never worse; and what is read writes and reads back.
#include "simnet/scenario/scenario_toml.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith::simnet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto scenario = read_scenario(text, "fuzz.toml");
  if (!scenario) {
    FUZZ_CHECK(!scenario.error().what.empty());
    return 0;
  }
  const std::string written = scenario_text(*scenario);
  const auto again = read_scenario(written, "again.toml");
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(scenario_text(*again) == written);
  return 0;
}
