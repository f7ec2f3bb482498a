// Runs in processes of their own, for verify and sweep: another process is other addresses, and its
// death is a result. A child is this program again (`kith-sim child`): the scenario's text comes on
// its stdin, a ChildRun goes to its stdout; both are files in memory, so nothing is left behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simnet/program/report_data.hpp"

namespace kith::simnet {

struct ChildRun {
  bool ended = false;          // it ran to its end
  std::string died;            // "killed by signal 6 (Aborted)"; empty when it did not
  std::string said;            // the end of its stderr, when it died
  std::optional<Error> error;  // it could not run at all
  bool ok = false;
  std::uint64_t hash = 0;
  double simulated_s = 0;
  std::vector<Verdict> failed;
  std::vector<World::SecondHash> seconds;
  std::vector<std::string> handlers;
  std::vector<RecordedEvent> recorded;
};

// The child's side: reads stdin, runs, writes stdout. Returns the process's exit code.
int run_as_child(std::optional<std::int64_t> record_second);

std::string child_text(const ChildRun& run);
ChildRun read_child_text(std::string_view text);

// At most `jobs` children at once.
class Children {
 public:
  explicit Children(std::size_t jobs) : jobs_(jobs) {}
  ~Children() { kill_all(); }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  bool full() const { return live_.size() >= jobs_; }
  bool empty() const { return live_.empty(); }
  Result<void> start(std::uint64_t id, const std::string& scenario,
                     std::optional<std::int64_t> record_second = std::nullopt);
  // Waits until one has ended, for at most `patience`; nothing when none has.
  std::optional<std::pair<std::uint64_t, ChildRun>> wait(std::chrono::milliseconds patience);
  void kill_above(std::uint64_t id);
  void kill_all();

 private:
  struct Live {
    std::uint64_t id;
    int pid, out, err;
  };
  ChildRun collect(const Live& live, int status);
  std::size_t jobs_;
  std::vector<Live> live_;
};

// One after the other, or two at once.
Result<std::pair<ChildRun, ChildRun>> run_two(const std::string& left, const std::string& right,
                                              std::size_t jobs,
                                              std::optional<std::int64_t> record_second = {});

}  // namespace kith::simnet
