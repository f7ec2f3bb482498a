#include "simnet/program/report_data.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "simnet/program/json_text.hpp"
#include "simnet/program/shipped.hpp"
#include "simnet/program/text.hpp"
#include "simnet/scenario/fields.hpp"
#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

double seconds_of(Mono at) { return static_cast<double>(at.time_since_epoch().count()) * 1e-9; }

bool is_fault(const std::string& kind) {
  return std::find(kFaultNames.begin(), kFaultNames.end(), kind) != kFaultNames.end();
}

class Lanes {
 public:
  void add(const JournalLine& line) {
    ReportLane& lane = lane_of(line.kind);
    const double at = seconds_of(line.at);
    if (is_fault(line.kind) && line.text == "healed") {
      if (open_.count(line.kind) != 0) lane.spans.emplace_back(open_[line.kind], at);
      open_.erase(line.kind);
      return;
    }
    if (is_fault(line.kind)) open_.emplace(line.kind, at);
    ++lane.count;
    if (lane.marks.size() < kMarksMax) lane.marks.push_back(at);
  }
  std::vector<ReportLane> take() { return std::move(lanes_); }

 private:
  ReportLane& lane_of(const std::string& kind) {
    for (ReportLane& lane : lanes_)
      if (lane.kind == kind) return lane;
    lanes_.emplace_back();
    lanes_.back().kind = kind;
    return lanes_.back();
  }
  std::vector<ReportLane> lanes_;
  std::map<std::string, double> open_;
};

std::string line_text(const JournalLine& line) {
  char at[32];
  std::snprintf(at, sizeof at, "%10.3f s  ", seconds_of(line.at));
  return at + line.kind + (line.node ? " node " + std::to_string(*line.node) : "") + ": " +
         line.text.substr(0, 500);
}

// Every k-th node where there are too many to draw.
Picture thinned(const Picture& whole) {
  const std::size_t step = (whole.group.size() + kPictureNodesMax - 1) / kPictureNodesMax;
  if (step <= 1) return whole;
  Picture few;
  for (std::size_t i = 0; i < whole.group.size(); i += step) {
    few.group.push_back(whole.group[i]);
    few.up.push_back(whole.up[i]);
  }
  for (const auto& [a, b] : whole.edges)
    if (a % step == 0 && b % step == 0)
      few.edges.emplace_back(static_cast<NodeIndex>(a / step), static_cast<NodeIndex>(b / step));
  return few;
}

}  // namespace

ReportData make_report_data(const Scenario& scenario, const RunResult& result, std::string command,
                            std::string started) {
  ReportData data;
  data.name = result.name;
  data.about = scenario.about;
  data.scenario = scenario_text(scenario);
  data.seed = result.seed;
  data.hash = result.hash;
  data.nodes = result.nodes;
  data.events = result.events;
  data.simulated_s = result.simulated_s;
  data.wall_s = result.wall_s;
  data.cpu_s = result.cpu_s;
  data.rss_mib = result.rss_mib;
  data.ok = result.ok;
  data.metrics = result.metrics;
  data.verdicts = result.verdicts;
  data.commit = program_commit();
  data.version = program_version();
  data.started = std::move(started);
  data.command = std::move(command);
  data.seconds = result.seconds;
  for (const NamedHistogram& histogram : result.histograms)
    data.histograms.push_back({histogram.name, histogram.unit, histogram.values.count(),
                               histogram.values.mean(), histogram.values.buckets()});
  Lanes lanes;
  for (const JournalLine& line : result.journal) {
    lanes.add(line);
    if (data.journal.size() < kJournalShown) data.journal.push_back(line_text(line));
  }
  data.lanes = lanes.take();
  for (const Group& group : scenario.groups) data.groups.push_back(group.name);
  data.groups.emplace_back(scenario.groups.empty() ? "homes" : "rest");
  data.picture = thinned(result.picture);
  return data;
}

boost::json::object summary_json(const ReportData& data) {
  boost::json::object metrics;
  for (const auto& [key, value] : data.metrics) metrics[key] = json_number(value);
  boost::json::array failed;
  for (const Verdict& verdict : data.verdicts)
    if (!verdict.ok) failed.push_back({{"what", verdict.what}, {"found", verdict.found}});
  return {{"schema", 1},
          {"name", data.name},
          {"seed", data.seed},
          {"hash", hash_text(data.hash)},
          {"nodes", data.nodes},
          {"simulated_s", json_number(data.simulated_s)},
          {"wall_s", json_number(data.wall_s)},
          {"cpu_s", json_number(data.cpu_s)},
          {"events", data.events},
          {"events_per_cpu_s",
           json_number(data.cpu_s > 0 ? static_cast<double>(data.events) / data.cpu_s : 0)},
          {"rss_mib", json_number(data.rss_mib)},
          {"ok", data.ok},
          {"metrics", std::move(metrics)},
          {"failed", std::move(failed)}};
}

boost::json::object data_json(const ReportData& data) {
  using boost::json::array;
  array verdicts, seconds, histograms, lanes, groups, ups, edges, names, journal;
  for (const Verdict& v : data.verdicts)
    verdicts.push_back({{"what", v.what}, {"ok", v.ok}, {"found", v.found}});
  for (const Second& s : data.seconds)
    seconds.push_back(array{s.second, s.events, s.bytes, s.up, s.published, s.heard});
  for (const ReportHistogram& h : data.histograms) {
    array buckets;
    for (const auto& [end, count] : h.buckets) buckets.push_back(array{end, count});
    histograms.push_back({{"name", h.name},
                          {"unit", h.unit},
                          {"count", h.count},
                          {"mean", json_number(h.mean)},
                          {"buckets", std::move(buckets)}});
  }
  for (const ReportLane& lane : data.lanes) {
    array spans, marks;
    for (const auto& [from, to] : lane.spans)
      spans.push_back(array{json_number(from), json_number(to)});
    for (const double mark : lane.marks) marks.push_back(json_number(mark));
    lanes.push_back({{"kind", lane.kind},
                     {"count", lane.count},
                     {"spans", std::move(spans)},
                     {"marks", std::move(marks)}});
  }
  for (const std::uint8_t group : data.picture.group) groups.push_back(group);
  for (const bool up : data.picture.up) ups.push_back(up ? 1 : 0);
  for (const auto& [a, b] : data.picture.edges) edges.push_back(array{a, b});
  for (const std::string& name : data.groups) names.emplace_back(name);
  for (const std::string& line : data.journal) journal.emplace_back(line);
  return {{"schema", 1},
          {"about", data.about},
          {"scenario", data.scenario},
          {"commit", data.commit},
          {"version", data.version},
          {"started", data.started},
          {"command", data.command},
          {"summary", summary_json(data)},
          {"verdicts", std::move(verdicts)},
          {"seconds", std::move(seconds)},
          {"histograms", std::move(histograms)},
          {"lanes", std::move(lanes)},
          {"journal", std::move(journal)},
          {"groups", std::move(names)},
          {"picture",
           {{"group", std::move(groups)}, {"up", std::move(ups)}, {"edges", std::move(edges)}}}};
}

namespace {

std::string text_of(const boost::json::object& from, const char* key) {
  return std::string(from.at(key).as_string());
}
double real_of(const boost::json::value& from) { return from.to_number<double>(); }
std::uint64_t whole_of(const boost::json::value& from) { return from.to_number<std::uint64_t>(); }

void read_summary(const boost::json::object& from, ReportData& data) {
  data.name = text_of(from, "name");
  data.seed = whole_of(from.at("seed"));
  data.hash = std::stoull(text_of(from, "hash"), nullptr, 16);
  data.nodes = whole_of(from.at("nodes"));
  data.simulated_s = real_of(from.at("simulated_s"));
  data.wall_s = real_of(from.at("wall_s"));
  data.cpu_s = real_of(from.at("cpu_s"));
  data.events = whole_of(from.at("events"));
  data.rss_mib = real_of(from.at("rss_mib"));
  data.ok = from.at("ok").as_bool();
  for (const auto& [key, value] : from.at("metrics").as_object())
    data.metrics[std::string(key)] = value.is_null() ? 0 : real_of(value);
}

void read_picture(const boost::json::object& from, ReportData& data) {
  for (const auto& group : from.at("group").as_array())
    data.picture.group.push_back(group.to_number<std::uint8_t>());
  for (const auto& up : from.at("up").as_array()) data.picture.up.push_back(whole_of(up) != 0);
  data.picture.up.resize(data.picture.group.size());
  for (const auto& edge : from.at("edges").as_array()) {
    const auto a = edge.at(0).to_number<NodeIndex>(), b = edge.at(1).to_number<NodeIndex>();
    if (std::max(a, b) < data.picture.group.size()) data.picture.edges.emplace_back(a, b);
  }
}

ReportData read_all(const boost::json::object& from) {
  ReportData data;
  read_summary(from.at("summary").as_object(), data);
  for (const auto& [to, key] : {std::pair{&data.about, "about"},
                                {&data.scenario, "scenario"},
                                {&data.commit, "commit"},
                                {&data.version, "version"},
                                {&data.started, "started"},
                                {&data.command, "command"}})
    *to = text_of(from, key);
  for (const auto& item : from.at("verdicts").as_array()) {
    const auto& v = item.as_object();
    data.verdicts.push_back({text_of(v, "what"), v.at("ok").as_bool(), text_of(v, "found")});
  }
  for (const auto& s : from.at("seconds").as_array())
    data.seconds.push_back({s.at(0).to_number<std::int64_t>(), whole_of(s.at(1)), whole_of(s.at(2)),
                            whole_of(s.at(3)), whole_of(s.at(4)), whole_of(s.at(5))});
  for (const auto& item : from.at("histograms").as_array()) {
    const auto& h = item.as_object();
    ReportHistogram histogram{
        text_of(h, "name"), text_of(h, "unit"), whole_of(h.at("count")), real_of(h.at("mean")), {}};
    for (const auto& b : h.at("buckets").as_array())
      histogram.buckets.emplace_back(whole_of(b.at(0)), whole_of(b.at(1)));
    data.histograms.push_back(std::move(histogram));
  }
  for (const auto& item : from.at("lanes").as_array()) {
    const auto& l = item.as_object();
    ReportLane lane{text_of(l, "kind"), whole_of(l.at("count")), {}, {}};
    for (const auto& s : l.at("spans").as_array())
      lane.spans.emplace_back(real_of(s.at(0)), real_of(s.at(1)));
    for (const auto& m : l.at("marks").as_array()) lane.marks.push_back(real_of(m));
    data.lanes.push_back(std::move(lane));
  }
  for (const auto& line : from.at("journal").as_array())
    data.journal.emplace_back(line.as_string());
  for (const auto& name : from.at("groups").as_array()) data.groups.emplace_back(name.as_string());
  read_picture(from.at("picture").as_object(), data);
  return data;
}

}  // namespace

Result<ReportData> read_data_json(std::string_view text, const std::string& name) {
  KITH_TRY(const boost::json::value value, read_json(text, name));
  try {  // what is not as we wrote it: one answer for all of it
    return read_all(value.as_object());
  } catch (const std::exception& thrown) {
    return fail(Errc::corrupt, name + " is not the data of a run", thrown.what(),
                "run the scenario again with --out");
  }
}

}  // namespace kith::simnet
