// Reality: the simulator beside real sockets. One scenario is played on both, some seeds each, and
// the means must agree; one stream must be as fast as its closed form. Prints what it found; exits
// with 1 when something is farther apart than it may be.
//
//   reality [SEEDS]     10: all is checked. Fewer: means of a random graph say too little, so only
//                       delivery and throughput are.
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "net/base/check.hpp"
#include "tests/reality/scenario.hpp"
#include "tests/reality/throughput.hpp"

namespace kith::reality {
namespace {

constexpr std::size_t kSeedsFull = 10;
constexpr double kMeansApartMax = 0.05;
constexpr double kSimApartMax = 0.02;  // from the closed form
constexpr double kSocketsApartMax = 0.05;
constexpr Duration kLagMax = 1ms;  // a hundredth of the town's latency
constexpr std::size_t kTriesMax = 3;
constexpr std::size_t kSockets = static_cast<std::size_t>(Kind::sockets);
// Of one run in real time, which takes some 8 s: then something hangs.
constexpr unsigned kRunSecondsMax = 60;

// One number a seed.
using Sample = std::vector<double>;
using Samples = std::array<Sample, kKinds>;

double mean(const Sample& sample) {
  double sum = 0;
  for (const double value : sample) sum += value;
  return sum / static_cast<double>(sample.size());
}

double deviation(const Sample& sample) {
  if (sample.size() < 2) return 0;
  const double middle = mean(sample);
  double squares = 0;
  for (const double value : sample) squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(sample.size() - 1));
}

class Report {
 public:
  explicit Report(std::size_t seeds) : full_(seeds >= kSeedsFull) {
    std::printf("%-28s %17s %17s %17s %9s\n", "", "simnet bytes", "simnet messages", "sockets",
                "apart");
  }
  void title(const char* text) { std::printf("%s\n", text); }
  // Means of the simulator's two fidelities beside that of sockets, and their spread over seeds.
  void means(const char* name, const Samples& samples, bool few_seeds_do) {
    const double real = mean(samples[kSockets]);
    double apart = 0;
    bool good = true;
    std::printf("  %-26s", name);
    for (const Sample& sample : samples) {
      std::printf(" %9.4f +-%6.4f", mean(sample), deviation(sample));
      const double off = std::abs(mean(sample) / real - 1);
      apart = std::max(apart, off);
      good = good && off <= kMeansApartMax;
    }
    judge(apart, good, full_ || few_seeds_do);
  }
  // None: this kind does not know what binds.
  void rates(const char* name, const Stretch& stretch,
             const std::array<std::optional<double>, kKinds>& rates) {
    std::printf("  %-26s", name);
    double apart = 0;
    bool good = true;
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      if (!rates[kind]) {
        std::printf(" %17s", "-");
        continue;
      }
      const double off = std::abs(*rates[kind] / stretch.closed_form() - 1);
      std::printf(" %12.3f MB/s", *rates[kind] / 1e6);
      apart = std::max(apart, off);
      good = good && off <= (kind == kSockets ? kSocketsApartMax : kSimApartMax);
    }
    judge(apart, good, true);
  }
  void fail(const char* what) {
    std::printf("  %s\n", what);
    failed_ = true;
  }
  bool full() const { return full_; }
  bool failed() const { return failed_; }

 private:
  // `good` was asked of every number alone: one that is not a number is not good.
  void judge(double apart, bool good, bool checked) {
    const char* note = !checked ? "  (not checked: few seeds)" : good ? "" : "  TOO FAR APART";
    std::printf(" %8.2f%%%s\n", 100 * apart, note);
    failed_ = failed_ || (checked && !good);
  }

  bool full_;
  bool failed_ = false;
};

// A machine that is busy with other things holds the sockets up, and what is compared is no longer
// the same link: such a run is played again.
Tally play_in_time(const Script& script, Kind kind, std::size_t& again) {
  for (std::size_t tries = 1;; ++tries) {
    ::alarm(kRunSecondsMax);
    Tally tally = play(script, kind);
    ::alarm(0);
    if (tally.lag <= kLagMax || tries == kTriesMax) return tally;
    ++again;
  }
}

void compare_towns(Report& report, const char* title, std::uint32_t serving, std::size_t seeds) {
  report.title(title);
  Samples delivery, copies, requests;
  std::size_t again = 0;
  Duration lag{};
  bool counted_alike = true;
  for (std::size_t seed = 1; seed <= seeds; ++seed) {
    const Script script = draw_script(seed, serving);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      const Tally tally = play_in_time(script, static_cast<Kind>(kind), again);
      delivery[kind].push_back(tally.delivery());
      copies[kind].push_back(tally.copies_per_delivery());
      requests[kind].push_back(tally.requests_per_search());
      lag = std::max(lag, tally.lag);
      counted_alike = counted_alike && tally.heard == tally.delivered;
    }
  }
  report.means("delivery", delivery, true);
  report.means("copies per delivery", copies, false);
  report.means("requests per look-up", requests, false);
  std::printf("  sockets were held up by at most %.2f ms in the mean; runs played again: %zu\n",
              std::chrono::duration<double, std::milli>(lag).count(), again);
  if (lag > kLagMax && report.full())
    report.fail("this machine is too busy, or too slow, to compare on it");
  if (!counted_alike) report.fail("other messages than the town's were delivered");
}

void compare_stream(Report& report, const char* name, const Stretch& stretch) {
  std::array<std::optional<double>, kKinds> rates;
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    if (stretch.window_binds() && static_cast<Kind>(kind) == Kind::sim_messages) continue;
    ::alarm(kRunSecondsMax);
    rates[kind] = throughput(stretch, static_cast<Kind>(kind));
    ::alarm(0);
  }
  report.rates(name, stretch, rates);
}

int run(std::size_t seeds) {
  Report report(seeds);
  report.title("one stream, 32 MiB, and how far it is from min(bandwidth, window / round trip)");
  compare_stream(report, "bandwidth of 8 MB/s binds", {20ms, 8'000'000, 4u << 20});
  compare_stream(report, "512 KiB in 80 ms bind", {40ms, 0, 512u << 10});
  compare_towns(report, "a town of 20, of which 8 serve the DHT", 8, seeds);
  compare_towns(report, "a town of 20, all serve the DHT", kTownNodes, seeds);
  return report.failed() ? 1 : 0;
}

}  // namespace
}  // namespace kith::reality

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const long seeds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 10;
  if (seeds < 1) {
    std::fprintf(stderr, "usage: reality [SEEDS]\n");
    return 2;
  }
  return kith::reality::run(static_cast<std::size_t>(seeds));
}
