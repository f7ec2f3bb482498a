#include <cstdio>

#include "simnet/scenario/run.hpp"
#include "simnet/scenario/scenario_toml.hpp"

int main(int argc, char** argv) {
  std::FILE* f = std::fopen(argv[argc - 1], "r");
  std::string text(1 << 20, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), f));
  auto scenario = kith::simnet::read_scenario(text, argv[argc - 1]);
  if (!scenario) {
    std::fprintf(stderr, "%s\n", kith::describe(scenario.error()).c_str());
    return 2;
  }
  auto result = kith::simnet::run_scenario(*scenario);
  for (auto& [k, v] : result->metrics) std::printf("%-30s %g\n", k.c_str(), v);
  for (auto& v : result->verdicts)
    std::printf("%s %s: %s\n", v.ok ? "ok  " : "FAIL", v.what.c_str(), v.found.c_str());
  std::printf("hash %016llx events %llu cpu %.2f rss %.0f\n", (unsigned long long)result->hash,
              (unsigned long long)result->events, result->cpu_s, result->rss_mib);
}
