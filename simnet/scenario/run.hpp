// A run: a scenario from its start to its verdict. The same scenario and seed give the same
// RunResult but for wall_s, cpu_s and rss_mib, on every machine and compiler.
//
// Phases: nodes start and work, faults strike; `settle` before the end everything is healed and
// nothing new is asked; then the checks ask the nodes what they hold.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/base/result.hpp"
#include "simnet/scenario/histogram.hpp"
#include "simnet/scenario/journal.hpp"
#include "simnet/scenario/scenario.hpp"

namespace kith::simnet {

// One simulated second, over all nodes.
struct Second {
  std::int64_t second = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // sent
  std::uint64_t up = 0;     // nodes
  std::uint64_t published = 0;
  std::uint64_t heard = 0;
};

struct Verdict {
  std::string what;  // "expect gossip.delivery >= 1"
  bool ok = true;
  std::string found;
};

struct NamedHistogram {
  std::string name;
  std::string unit;
  Histogram values;
};

// For the picture: where nodes are connected, at the end.
struct Picture {
  std::vector<std::uint8_t> group;  // by node
  std::vector<bool> up;
  std::vector<std::pair<NodeIndex, NodeIndex>> edges;
};

struct RunResult {
  std::string name;
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;
  std::uint32_t nodes = 0;
  double simulated_s = 0;
  double wall_s = 0;
  double cpu_s = 0;
  std::uint64_t events = 0;
  double rss_mib = 0;
  bool ok = true;
  std::map<std::string, double> metrics;
  std::vector<Verdict> verdicts;
  std::vector<Second> seconds;
  std::vector<World::SecondHash> second_hashes;
  std::vector<JournalLine> journal;
  std::vector<NamedHistogram> histograms;
  Picture picture;
  std::vector<std::string> handlers;  // names, by Event::handler
};

struct RunProgress {
  Mono now{};
  Duration until{};
  std::uint64_t events = 0;
  double wall_s = 0;
};

inline constexpr std::size_t kRecordedMax = 2'000'000;  // events

struct RecordedEvent {
  Event event;
  std::uint64_t trace = 0;  // the hash of the run up to the end of this event
};

struct RunHooks {
  std::function<void(const RunProgress&)> progress;  // about ten times a second
  // The events of one simulated second, in order; the first kRecordedMax of them.
  std::optional<std::int64_t> record_second;
  std::vector<RecordedEvent>* recorded = nullptr;
};

std::string number_text(double value);

// Error: exhausted, when `memory` or the machine is too small for it. run_scenario asks it first.
Result<void> check_memory(const Scenario& scenario);

// Errors: those of check_memory.
Result<RunResult> run_scenario(const Scenario& scenario, const RunHooks& hooks = {});

}  // namespace kith::simnet
