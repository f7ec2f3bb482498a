// ReportData: all that a run's summary and report are made from, and data.json holds. Plain: a
// report can be written anew from it, without the run.
//
// Bounds, so that a report of any run stays small: kMarksMax marks a lane, kJournalShown lines,
// kPictureNodesMax nodes.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "schema/base/result.hpp"
#include "simnet/scenario/run.hpp"

namespace kith::simnet {

inline constexpr std::size_t kMarksMax = 500;
inline constexpr std::size_t kJournalShown = 100;
inline constexpr std::size_t kPictureNodesMax = 20'000;
inline constexpr std::size_t kDataBytesMax = 256u << 20;

struct ReportHistogram {
  std::string name, unit;
  std::uint64_t count = 0;
  double mean = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets;  // upper end, how many
};

// What the journal tells of one kind: a fault's strikes and how long they lasted, or log lines.
struct ReportLane {
  std::string kind;
  std::uint64_t count = 0;                       // of marks, also of those not kept
  std::vector<std::pair<double, double>> spans;  // seconds; faults that were healed
  std::vector<double> marks;                     // seconds
};

struct ReportData {
  std::string name, about;
  std::uint64_t seed = 0, hash = 0, nodes = 0, events = 0;
  double simulated_s = 0, wall_s = 0, cpu_s = 0, rss_mib = 0;
  bool ok = true;
  std::map<std::string, double> metrics;
  std::vector<Verdict> verdicts;
  std::string commit, version, started, command;
  std::vector<Second> seconds;
  std::vector<ReportHistogram> histograms;
  std::vector<ReportLane> lanes;
  std::vector<std::string> journal;  // the first lines, as text
  std::vector<std::string> groups;   // names; the last is the rest
  Picture picture;
  std::string scenario;  // TOML, every value

  const double* metric(const std::string& key) const {
    const auto found = metrics.find(key);
    return found == metrics.end() ? nullptr : &found->second;
  }
};

// `command` repeats the run; `started` is a wall time (UTC).
ReportData make_report_data(const Scenario& scenario, const RunResult& result, std::string command,
                            std::string started);

// {schema:1, name, seed, hash, ...}: one run in one object.
boost::json::object summary_json(const ReportData& data);
boost::json::object data_json(const ReportData& data);
// Errors: corrupt. `name`: the file's.
Result<ReportData> read_data_json(std::string_view text, const std::string& name);

}  // namespace kith::simnet
