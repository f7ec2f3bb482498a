#include "simnet/scenario/run.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

#include "schema/base/nearest.hpp"
#include "simnet/scenario/checks.hpp"
#include "simnet/scenario/deliveries.hpp"
#include "simnet/scenario/faults.hpp"
#include "simnet/scenario/fields.hpp"
#include "simnet/scenario/topology.hpp"
#include "simnet/scenario/units.hpp"
#include "simnet/scenario/workload.hpp"

namespace kith::simnet {
namespace {

double clock_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A field of /proc/<file> in KiB; 0 when it cannot be read.
std::uint64_t proc_kib(const char* file, const char* field) {
  std::FILE* in = std::fopen(file, "re");
  if (in == nullptr) return 0;
  char line[256];
  unsigned long long found = 0;
  const std::string wanted = std::string(field) + ": %llu";
  while (std::fgets(line, sizeof line, in) != nullptr)
    if (std::sscanf(line, wanted.c_str(), &found) == 1) break;
  std::fclose(in);
  return found;
}

// What a node takes after some minutes with twenty neighbours, rounded up; bench/README.md.
constexpr std::uint64_t kNodeBytesMessages = 256u << 10;
constexpr std::uint64_t kNodeBytesWire = 2u << 20;

class Run final : private HomeListener, private EventObserver {
 public:
  Run(const Scenario& scenario, const RunHooks& hooks)
      : scenario_(scenario),
        hooks_(hooks),
        town_(scenario, *this),
        deliveries_(town_),
        topology_(town_),
        workload_(town_, deliveries_),
        faults_(town_, {[this](NodeIndex node) { workload_.on_crash(node); },
                        [this](Mono from, Mono to) { deliveries_.cut(from, to); }}),
        checks_(town_, workload_, deliveries_) {}

  RunResult run() {
    const double wall = clock_seconds(CLOCK_MONOTONIC);
    const double cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (hooks_.record_second && hooks_.recorded != nullptr)
      town_.world().observe(*this, Mono(*hooks_.record_second * Duration(1s)),
                            Mono((*hooks_.record_second + 1) * Duration(1s)));
    topology_.begin();
    workload_.begin();
    faults_.begin();
    const Duration settle = scenario_.until - scenario_.settle;
    pass(settle, wall);
    checks_.before_heal();
    faults_.heal_all();
    pass(scenario_.until, wall);
    RunResult result;
    checks_.run(result);
    work_figures(result);
    expectations(result);
    result.name = scenario_.name;
    result.seed = scenario_.seed;
    result.nodes = scenario_.nodes;
    result.hash = town_.world().trace_hash();
    result.second_hashes = town_.world().second_hashes();
    result.simulated_s = static_cast<double>(town_.world().now().time_since_epoch().count()) * 1e-9;
    result.events = town_.world().events();
    result.metrics["world.events"] = static_cast<double>(result.events);
    result.metrics["faults.crashes"] = static_cast<double>(faults_.crashes());
    result.seconds = std::move(seconds_);
    result.journal = town_.journal().lines();  // told node by node where they took turns
    std::stable_sort(result.journal.begin(), result.journal.end(),
                     [](const JournalLine& a, const JournalLine& b) { return a.at < b.at; });
    if (const std::uint64_t dropped = town_.journal().dropped(); dropped > 0)
      result.metrics["journal.dropped"] = static_cast<double>(dropped);
    result.handlers = town_.world().handler_names();
    picture(result.picture);
    result.ok = std::all_of(result.verdicts.begin(), result.verdicts.end(),
                            [](const Verdict& verdict) { return verdict.ok; });
    result.wall_s = clock_seconds(CLOCK_MONOTONIC) - wall;
    result.cpu_s = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    result.rss_mib = static_cast<double>(proc_kib("/proc/self/status", "VmHWM")) / 1024;
    return result;
  }

 private:
  // Runs to `end`, with a sample at each whole second.
  void pass(Duration end, double wall) {
    while (town_.world().now() < Mono(end)) {
      const std::int64_t second = town_.world().now().time_since_epoch() / 1s;
      const Mono next = std::min(Mono(end), Mono((second + 1) * Duration(1s)));
      town_.world().run_for(next - town_.world().now());
      sample(second);
      checks_.sample();
      tell(wall);
    }
  }
  void sample(std::int64_t second) {
    Second now;
    now.second = second;
    const std::uint64_t events = town_.world().events();
    now.events = events - std::exchange(events_, events);
    std::uint64_t bytes = 0;
    for (NodeIndex node = 0; node < town_.started(); ++node) {
      bytes += town_.net().traffic(node).bytes_out;
      now.up += town_.up(node) ? 1 : 0;
    }
    now.bytes = bytes - std::exchange(bytes_, bytes);
    now.heard = std::exchange(heard_, 0);
    now.published = deliveries_.count() - std::exchange(published_, deliveries_.count());
    seconds_.push_back(now);
  }
  void tell(double wall) {
    if (!hooks_.progress) return;
    const double now = clock_seconds(CLOCK_MONOTONIC);
    if (now - told_ < 0.1) return;
    told_ = now;
    hooks_.progress({town_.world().now(), scenario_.until, town_.world().events(), now - wall});
  }

  void work_figures(RunResult& result) {
    for (std::size_t i = 0; i < scenario_.work.size(); ++i) {
      const WorkFigures& figures = workload_.figures()[i];
      const Work& work = scenario_.work[i];
      const std::string name = work.label.empty()
                                   ? std::string(kWorkNames[static_cast<std::size_t>(work.kind)])
                                   : work.label;
      const auto put = [&](const char* metric, double value) {
        result.metrics[name + "." + metric] += value;
      };
      put("asked", static_cast<double>(figures.asked));
      put("done", static_cast<double>(figures.done));
      put("failed", static_cast<double>(figures.failed));
      put("unanswered", static_cast<double>(figures.unanswered));
      if (figures.took_us.count() > 0) {
        result.metrics[name + ".ms_p50"] =
            static_cast<double>(figures.took_us.quantile(500'000)) / 1e3;
        result.metrics[name + ".ms_p99"] =
            static_cast<double>(figures.took_us.quantile(990'000)) / 1e3;
        result.histograms.push_back({name + " time", "us", figures.took_us});
      }
      if (figures.messages.count() > 0) {
        result.metrics[name + ".messages_mean"] = figures.messages.mean();
        result.metrics[name + ".dead_ends_mean"] = figures.dead_ends.mean();
      }
      if (figures.hops.count() > 0) {
        result.metrics[name + ".hops_mean"] = figures.hops.mean();
        result.metrics[name + ".hops_max"] = static_cast<double>(figures.hops.most());
      }
      if (figures.true_due > 0)
        result.metrics[name + ".true"] =
            static_cast<double>(figures.true_found) / static_cast<double>(figures.true_due);
      if (work.readers > 0 && (work.kind == WorkKind::file || work.kind == WorkKind::provide)) {
        put("read", static_cast<double>(figures.read));
        put("read_failed", static_cast<double>(figures.read_failed));
        put("read_wrong", static_cast<double>(figures.read_wrong));
        if (figures.read_us.count() > 0)
          result.metrics[name + ".read_ms_p50"] =
              static_cast<double>(figures.read_us.quantile(500'000)) / 1e3;
      }
    }
  }

  void expectations(RunResult& result) {
    for (const Expect& expect : scenario_.expects) {
      const auto found = result.metrics.find(expect.metric);
      Verdict verdict;
      verdict.what = "expect " + expect.metric;
      if (expect.has_min) verdict.what += " >= " + number_text(expect.min);
      if (expect.has_max)
        verdict.what +=
            std::string(expect.has_min ? " and" : "") + " <= " + number_text(expect.max);
      verdict.ok = found != result.metrics.end() &&
                   (!expect.has_min || found->second >= expect.min) &&
                   (!expect.has_max || found->second <= expect.max);
      verdict.found = found == result.metrics.end() ? no_such_metric(expect.metric, result)
                                                    : number_text(found->second);
      result.verdicts.push_back(std::move(verdict));
    }
  }

  static std::string no_such_metric(const std::string& name, const RunResult& result) {
    std::vector<std::string_view> known;
    for (const auto& [metric, value] : result.metrics) known.push_back(metric);
    const std::string_view near = nearest_name(name, known);
    return "this run has no such metric" +
           (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?");
  }

  void picture(Picture& picture) {
    picture.group.resize(scenario_.nodes);
    picture.up.resize(scenario_.nodes);
    constexpr std::size_t kEdgesMax = 4000;
    std::vector<std::pair<NodeIndex, NodeIndex>> edges;
    for (NodeIndex node = 0; node < town_.started(); ++node) {
      picture.up[node] = town_.up(node);
      const auto& groups = scenario_.groups;
      picture.group[node] = static_cast<std::uint8_t>(groups.size());
      for (std::size_t g = 0; g < groups.size(); ++g)
        if (groups[g].name == town_.group_of(node).name)
          picture.group[node] = static_cast<std::uint8_t>(g);
      if (!town_.up(node)) continue;
      for (const host::PeerStatus& peer : town_.home(node).host().peers())
        if (const auto other = town_.node_of(peer.facts.id); other && *other > node)
          edges.emplace_back(node, *other);
    }
    // Of many, as many from everywhere.
    const std::size_t step = edges.size() / kEdgesMax + 1;
    for (std::size_t i = 0; i < edges.size(); i += step) picture.edges.push_back(edges[i]);
  }

  void after_event(const Event& event, std::uint64_t trace) override {
    if (hooks_.recorded->size() < kRecordedMax) hooks_.recorded->push_back({event, trace});
  }
  void on_home_ready(NodeIndex node, Result<void> result) override {
    if (!result) {
      town_.journal().tell("not-ready", node, result.error().what);
      return;
    }
    workload_.on_ready(node);
    topology_.on_ready(node);
  }
  void on_home_done(NodeIndex node, RequestId id, Result<node::Answer> answer) override {
    if (!checks_.on_done(node, id, answer)) workload_.on_done(node, id, std::move(answer));
  }
  void on_home_routed(NodeIndex node, RequestId id, Result<dht::RoutingAnswer> answer) override {
    workload_.on_routed(node, id, std::move(answer));
  }
  void on_home_heard(NodeIndex node, std::size_t, const gossip::GossipMessage& message) override {
    ++heard_;
    deliveries_.heard(node, message);
  }

  const Scenario& scenario_;
  const RunHooks& hooks_;
  Town town_;
  Deliveries deliveries_;
  TopologyDriver topology_;
  Workload workload_;
  Faults faults_;
  Checks checks_;
  std::vector<Second> seconds_;
  std::uint64_t events_ = 0, bytes_ = 0, heard_ = 0, published_ = 0;
  double told_ = 0;
};

}  // namespace

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

Result<void> check_memory(const Scenario& scenario) {
  const std::uint64_t have =
      scenario.memory != 0 ? scenario.memory : proc_kib("/proc/meminfo", "MemAvailable") << 10;
  const bool bytes = scenario.fidelity == Fidelity::bytes;
  const std::uint64_t each = bytes ? kNodeBytesWire : kNodeBytesMessages;
  const std::uint64_t wanted = scenario.nodes * each;
  if (have == 0 || wanted <= have) return {};
  const auto rounded = [](std::uint64_t size) {
    return size_text(size < 1u << 20 ? size : size >> 20 << 20);
  };
  std::string fix = scenario.memory != 0 ? "raise `memory`" : "a larger machine";
  if (bytes) fix = "--set fidelity=messages, which takes an eighth, or " + fix;
  if (have >= each) fix = "--nodes " + std::to_string(have / each) + ", or " + fix;
  return fail(Errc::exhausted,
              std::to_string(scenario.nodes) + " nodes want about " + rounded(wanted) +
                  " of memory, and there are " + rounded(have),
              {}, std::move(fix));
}

Result<RunResult> run_scenario(const Scenario& scenario, const RunHooks& hooks) {
  KITH_TRY_VOID(check_memory(scenario));
  return Run(scenario, hooks).run();
}

}  // namespace kith::simnet
