#include "simnet/program/summary.hpp"

#include <algorithm>
#include <cmath>

#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

std::uint64_t whole(const double* value) {
  return value == nullptr || *value < 0 ? 0 : static_cast<std::uint64_t>(*value + 0.5);
}

std::string homes(const ReportData& data) {
  const std::uint64_t up = whole(data.metric("nodes.up"));
  const std::uint64_t ready = whole(data.metric("nodes.ready"));
  const double* delivery = data.metric("gossip.delivery");
  const double* found = data.metric("find.true");
  const std::string all = counted(data.nodes, "home", "homes");
  if (up == data.nodes && ready == data.nodes) {
    const bool heard = whole(data.metric("gossip.due")) > 0;
    const bool proven = (heard && delivery && *delivery >= 1) || (found && *found >= 1);
    return all + (proven && data.nodes > 1 ? " found each other" : " ran");
  }
  std::string text = all + " ran, " + grouped(up) + " of them up at the end";
  if (ready < up) text += ", " + grouped(up - ready) + " of those not ready";
  return text;
}

std::string gossip(const ReportData& data) {
  const std::uint64_t published = whole(data.metric("gossip.published"));
  if (published == 0) return {};
  const double* delivery = data.metric("gossip.delivery");
  const std::uint64_t due = whole(data.metric("gossip.due"));
  if (due == 0)  // nobody was there long enough before, or after
    return counted(published, "message was", "messages were") +
           " published while nobody was sure to hear them";
  std::string text;
  const bool all = delivery != nullptr && *delivery >= 1;
  if (all && due == published * (data.nodes - 1))
    text = (published == 1 ? "its one message" : "each of " + grouped(published) + " messages") +
           std::string(" reached all ") + grouped(data.nodes - 1) + " others";
  else
    text = counted(published, "message", "messages") + " reached " +
           (all ? std::string("all") : percent_text(delivery == nullptr ? 0 : *delivery)) +
           " of those who should have heard (" + counted(due, "delivery", "deliveries") + " due)";
  if (const double* half = data.metric("gossip.latency_ms_p50"))
    text += ", half of them within " + figure_text(*half >= 10 ? std::round(*half) : *half) + " ms";
  if (const double* hops = data.metric("gossip.hops_p50"))
    text += " over " + counted(whole(hops), "hop", "hops");
  if (const double* copies = data.metric("gossip.copies")) {
    char each[32];
    std::snprintf(each, sizeof each, ", %.1f copies each", *copies);
    text += each;
  }
  return text;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string state(const ReportData& data) {
  std::uint64_t kept = 0, lost = 0;
  for (const auto& [key, value] : data.metrics) {
    if (!key.starts_with("kv.")) continue;
    if (ends_with(key, ".acknowledged")) kept += whole(&value);
    if (ends_with(key, ".lost")) lost += whole(&value);
  }
  if (kept == 0) return {};
  return counted(kept, "key was", "keys were") + " acknowledged, " +
         (lost == 0 ? "none lost" : grouped(lost) + " not found again");
}

std::string files(const ReportData& data) {
  const std::uint64_t kept = whole(data.metric("files.acknowledged"));
  if (kept == 0) return {};
  const std::uint64_t lost = whole(data.metric("files.lost"));
  return counted(kept, "file was", "files were") + " acknowledged, " +
         (lost == 0 ? "none lost" : grouped(lost) + " not found again");
}

std::string lookups(const ReportData& data) {
  for (const char* kind : {"lookup", "find"}) {
    const double* right = data.metric(std::string(kind) + ".true");
    const std::uint64_t done = whole(data.metric(std::string(kind) + ".done"));
    if (right == nullptr || done == 0) continue;
    std::string text =
        counted(done, "look-up", "look-ups") + " found " + percent_text(*right) +
        (std::string_view(kind) == "find" ? " of the peers asked for" : " of the nearest peers");
    if (const double* half = data.metric(std::string(kind) + ".ms_p50"))
      text += ", half of them within " + figure_text(std::round(*half)) + " ms";
    return text;
  }
  return {};
}

std::string lessons(const ReportData& data) {
  const std::uint64_t tasks = whole(data.metric("learn.tasks"));
  if (tasks == 0) return {};
  const double* through = data.metric("learn.through");
  return counted(tasks, "task was", "tasks were") + " learnt by " +
         percent_text(through == nullptr ? 0 : *through) + " of the learners";
}

}  // namespace

std::string opening_sentence(const ReportData& data) {
  std::string text = homes(data);
  std::string heard = gossip(data);
  // With gossip told, look-ups are left to the figures.
  for (const std::string& part :
       {heard, state(data), files(data), lessons(data), heard.empty() ? lookups(data) : ""})
    if (!part.empty()) text += "; " + part;
  if (const std::uint64_t crashes = whole(data.metric("faults.crashes")))
    text += "; " + counted(crashes, "crash", "crashes") + " on the way";
  return text + ".";
}

std::string summary_text(const ReportData& data) {
  std::string text = opening_sentence(data) + "\n";
  const auto failed = static_cast<std::uint64_t>(
      std::count_if(data.verdicts.begin(), data.verdicts.end(), [](auto& v) { return !v.ok; }));
  for (const Verdict& verdict : data.verdicts)
    if (!verdict.ok) text += "  FAILED  " + verdict.what + ": found " + verdict.found + "\n";
  text += failed == 0 ? "all " + counted(data.verdicts.size(), "check", "checks") + " passed"
                      : grouped(failed) + " of " +
                            counted(data.verdicts.size(), "check", "checks") + " failed";
  text += "; " + seconds_text(data.simulated_s) + " simulated in " + seconds_text(data.wall_s) +
          ", " + grouped(data.events) + " events\nhash " + hash_text(data.hash) + ", seed " +
          std::to_string(data.seed) + "\n";
  if (failed != 0) text += "repeat it: " + data.command + "\n";
  return text;
}

}  // namespace kith::simnet
