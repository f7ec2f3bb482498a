#include <algorithm>

#include "simnet/program/commands.hpp"
#include "simnet/program/comparison.hpp"
#include "simnet/program/output_folder.hpp"
#include "simnet/program/progress_line.hpp"
#include "simnet/program/shrink.hpp"
#include "simnet/program/source.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

// What is wrong with a run, in a way that a smaller scenario can have in common with it.
struct Failure {
  std::string key;   // empty: nothing is wrong
  std::string text;  // for people
};

Failure failure_of(const ChildRun& run) {
  if (!run.died.empty()) return {"died", "it was " + run.died + "\n" + run.said};
  if (run.failed.empty()) return {};
  return {run.failed.front().what, run.failed.front().what + ": found " + run.failed.front().found};
}

bool has_failure(const ChildRun& run, const std::string& key) {
  if (!run.died.empty()) return key == "died";
  return std::any_of(run.failed.begin(), run.failed.end(),
                     [&](const Verdict& verdict) { return verdict.what == key; });
}

constexpr const char* kDiffers = "two runs differ";

std::string death_text(const ChildRun& run, const char* which) {
  return std::string(which) + " run was " + run.died + "\n" + run.said;
}

class Sweep {
 public:
  Sweep(const SweepCommand& command, Scenario scenario)
      : command_(command), scenario_(std::move(scenario)), line_(command.quiet) {}

  Result<Exit> run() {
    KITH_TRY_VOID(try_seeds());
    line_.clear();
    if (!failed_) {
      KITH_TRY_VOID(print(counted(command_.seeds, "seed", "seeds") + " from " +
                          std::to_string(command_.first) + ": all passed\n"));
      return kExitOk;
    }
    KITH_TRY_VOID(print("seed " + std::to_string(*failed_) + " fails: " + failure_.text + "\n"));
    return make_small();
  }

 private:
  std::string text_of(std::uint64_t seed) const {
    Scenario one = scenario_;
    one.seed = seed;
    return scenario_text(one);
  }

  // A child's id is the place of its run: one a seed, or two with --verify.
  Result<void> try_seeds() {
    Children children(command_.jobs);
    const std::uint64_t each = command_.verify ? 2 : 1;
    std::uint64_t next = 0;
    while (next < command_.seeds * each || !children.empty()) {
      while (!failed_ && next < command_.seeds * each && !children.full()) {
        KITH_TRY_VOID(children.start(next, text_of(command_.first + next / each)));
        ++next;
      }
      if (failed_ && children.empty()) return {};
      if (auto ended = children.wait(std::chrono::seconds(1)))
        KITH_TRY_VOID(on_ended(ended->first / each, ended->second));
      if (failed_) children.kill_above((*failed_ - command_.first) * each + each - 1);
      line_.on_text(grouped(passed_ / each) + " of " + counted(command_.seeds, "seed", "seeds") +
                    " passed");
    }
    return {};
  }

  Result<void> on_ended(std::uint64_t place, const ChildRun& run) {
    if (run.error) return *run.error;
    const std::uint64_t seed = command_.first + place;
    Failure failure = failure_of(run);
    if (failure.key.empty() && command_.verify) {
      const auto [known, fresh] = hashes_.emplace(seed, run.hash);
      if (!fresh && known->second != run.hash)
        failure = {kDiffers, "two runs have the hashes " + hash_text(known->second) + " and " +
                                 hash_text(run.hash) + "; kith-sim verify names the event"};
      if (!fresh) hashes_.erase(known);
    }
    if (failure.key.empty()) {
      ++passed_;
    } else if (!failed_ || seed < *failed_) {
      failed_ = seed;
      failure_ = failure;
    }
    return {};
  }

  bool fails(const Scenario& scenario) {
    line_.on_text("making it smaller: " + counted(scenario.nodes, "node", "nodes") + ", try " +
                  std::to_string(++tried_) + " of " + std::to_string(command_.tries));
    const std::string text = scenario_text(scenario);
    if (failure_.key == kDiffers) {
      const auto both = run_two(text, text, command_.jobs);
      return both && both->first.ended && both->second.ended &&
             both->first.hash != both->second.hash;
    }
    Children child(1);
    if (!child.start(0, text)) return false;
    for (;;)
      if (const auto ended = child.wait(std::chrono::seconds(60)))
        return !ended->second.error && has_failure(ended->second, failure_.key);
  }

  Result<Exit> make_small() {
    Scenario failing = scenario_;
    failing.seed = *failed_;
    const Shrunk shrunk =
        shrink(std::move(failing), command_.tries, [this](const Scenario& s) { return fails(s); });
    line_.clear();
    const Scenario& small = shrunk.scenario;
    std::string name = scenario_.name;  // of a file, so without what a path would mind
    for (char& c : name)
      if (c == '/' || static_cast<unsigned char>(c) <= ' ') c = '-';
    const std::string path = command_.out.empty()
                                 ? "./" + name + "-" + std::to_string(*failed_) + "-small.toml"
                                 : command_.out;
    KITH_TRY_VOID(write_file(path, scenario_text(small)));
    KITH_TRY_VOID(print(
        "the smallest that still fails, of " + counted(shrunk.tries, "try", "tries") + ": " +
        counted(small.nodes, "node", "nodes") + ", " + counted(small.work.size(), "work", "works") +
        ", " + counted(small.faults.size(), "fault", "faults") + ", " +
        seconds_text(static_cast<double>(small.until.count()) * 1e-9) + "\nrepeat it: kith-sim " +
        (failure_.key == kDiffers ? "verify " : "run ") + shell_word(path) + "\n"));
    return kExitFailed;
  }

  const SweepCommand& command_;
  Scenario scenario_;
  ProgressLine line_;
  std::map<std::uint64_t, std::uint64_t> hashes_;  // of the first of two runs
  std::uint64_t passed_ = 0;
  std::uint32_t tried_ = 0;
  std::optional<std::uint64_t> failed_;
  Failure failure_;
};

}  // namespace

Result<Exit> execute(const VerifyCommand& command) {
  KITH_TRY(const Scenario scenario, load_scenario(command.source));
  const std::string left = scenario_text(scenario);
  std::string right = left;
  if (!command.against.empty()) {
    KITH_TRY(const Scenario other, load_scenario({command.against, command.source.overrides}));
    right = scenario_text(other);
  }
  KITH_TRY(const auto both, run_two(left, right, command.jobs));
  for (const ChildRun* run : {&both.first, &both.second}) {
    if (run->error) return *run->error;
    if (run->died.empty()) continue;
    KITH_TRY_VOID(print(death_text(*run, run == &both.first ? "the first" : "the second") +
                        "\nrepeat it: " + repeat_command(command.source) + "\n"));
    return kExitFailed;
  }
  const auto second = differing_second(both.first, both.second);
  if (!second) {
    KITH_TRY_VOID(print("two runs are the same, event by event: hash " +
                        hash_text(both.first.hash) + ", " +
                        counted(both.first.seconds.size(), "second", "seconds") + " compared\n" +
                        (both.first.ok ? "" : "(checks failed in both: kith-sim run tells)\n")));
    return kExitOk;
  }
  KITH_TRY_VOID(print("two runs differ in second " + grouped(static_cast<std::uint64_t>(*second)) +
                      ": hashes " + hash_text(both.first.hash) + " and " +
                      hash_text(both.second.hash) + "\n"));
  KITH_TRY(const auto recorded, run_two(left, right, command.jobs, *second));
  KITH_TRY_VOID(print(first_differing_event(recorded.first, recorded.second)));
  return kExitFailed;
}

Result<Exit> execute(const SweepCommand& command) {
  KITH_TRY(Scenario scenario, load_scenario(command.source));
  return Sweep(command, std::move(scenario)).run();
}

}  // namespace kith::simnet
