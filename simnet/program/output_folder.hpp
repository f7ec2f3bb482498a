// OutputFolder: the files that a run leaves behind (run --out), and how they are read again.
//
//   scenario.toml  every value of what ran       manifest.json  what ran, when, by which program
//   metrics.csv    second,metric,value           events.jsonl   the journal, a line an event
//   hashes.csv     second,hash                   data.json      what report.html is made from
//
// manifest.json is written last: a folder without one holds a run that did not end. Every write is
// checked; a full disk is an error, not a short file.
#pragma once

#include <string>
#include <vector>

#include "simnet/program/report_data.hpp"

namespace kith::simnet {

class OutputFolder {
 public:
  // Makes the folder, refuses one that holds a run (unless `overwrite`: then that run's files are
  // removed), and writes scenario.toml, so that what cannot be written fails before the run.
  static Result<OutputFolder> open(const std::string& path, bool overwrite,
                                   const std::string& scenario);
  Result<void> write(const ReportData& data, const RunResult& result) const;
  std::string report_path() const { return path_ + "/report.html"; }

 private:
  OutputFolder(std::string path, std::string scenario)
      : path_(std::move(path)), scenario_(std::move(scenario)) {}
  std::string path_, scenario_;
};

// Errors: disk_full, io.
Result<void> write_file(const std::string& path, std::string_view content);

std::string metrics_csv(const ReportData& data);
std::string hashes_csv(const std::vector<World::SecondHash>& hashes);
std::string events_jsonl(const std::vector<JournalLine>& journal);

// Of a folder of run --out. Errors: usage (it holds no run), corrupt, io.
struct Manifest {
  std::string name, command, scenario_sha256;
  std::uint64_t seed = 0, hash = 0;
};
Result<Manifest> read_manifest(const std::string& folder);
Result<ReportData> read_data(const std::string& folder);
Result<std::vector<World::SecondHash>> read_hashes(const std::string& folder);

// Whether scenario.toml is still what ran.
Result<bool> scenario_is_unchanged(const std::string& folder, const Manifest& manifest);

// The first second that two runs do not have in common; nothing when they are the same.
std::optional<std::int64_t> first_difference(const std::vector<World::SecondHash>& left,
                                             const std::vector<World::SecondHash>& right);

}  // namespace kith::simnet
