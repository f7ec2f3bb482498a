#include "simnet/program/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "simnet/program/output_folder.hpp"
#include "simnet/program/text.hpp"

namespace kith::simnet {
namespace {

std::string change_text(double left, double right) {
  if (left == right) return "=";
  if (left == 0) return "from 0";
  char text[40];
  std::snprintf(text, sizeof text, "%+.1f %%", (right - left) / std::fabs(left) * 100);
  return text;
}

std::string event_text(const Event& event, const std::vector<std::string>& handlers) {
  char text[200];
  std::snprintf(text, sizeof text, "at %lld.%09lld s, node %u, handler %s, kind %u, data 0x%llx",
                static_cast<long long>(event.at / 1'000'000'000),
                static_cast<long long>(event.at % 1'000'000'000), event.node,
                event.handler < handlers.size() ? handlers[event.handler].c_str() : "?",
                unsigned{event.kind}, static_cast<unsigned long long>(event.data));
  return text;
}

bool same(const Event& a, const Event& b) {
  return a.at == b.at && a.node == b.node && a.handler == b.handler && a.kind == b.kind &&
         a.data == b.data;
}

}  // namespace

std::string metrics_side_by_side(const std::map<std::string, double>& left,
                                 const std::map<std::string, double>& right) {
  std::set<std::string> keys;
  std::size_t width = 6;
  for (const auto* side : {&left, &right})
    for (const auto& [key, value] : *side) {
      keys.insert(key);
      width = std::max(width, key.size());
    }
  std::string out;
  const auto line = [&](const std::string& key, const std::string& a, const std::string& b,
                        const std::string& change) {
    const auto padded = [](const std::string& text, std::size_t to) {
      return std::string(to > text.size() ? to - text.size() : 0, ' ') + text;
    };
    out += key + std::string(width - key.size(), ' ') + padded(a, 18) + padded(b, 18) + "  " +
           change + "\n";
  };
  line("metric", "left", "right", "change");
  for (const std::string& key : keys) {
    const auto a = left.find(key), b = right.find(key);
    const bool both = a != left.end() && b != right.end();
    line(key, a == left.end() ? "-" : figure_text(a->second),
         b == right.end() ? "-" : figure_text(b->second),
         both ? change_text(a->second, b->second) : "only one has it");
  }
  return out;
}

std::string first_differing_event(const ChildRun& left, const ChildRun& right) {
  const std::size_t most = std::max(left.recorded.size(), right.recorded.size());
  for (std::size_t i = 0; i < most; ++i) {
    const bool has_left = i < left.recorded.size(), has_right = i < right.recorded.size();
    if (has_left && has_right && left.recorded[i].trace == right.recorded[i].trace) continue;
    std::string text = "event " + grouped(i + 1) + " of that second is the first that differs\n";
    const auto side = [&](const char* name, const ChildRun& run, bool has) {
      text += std::string("  ") + name +
              (has ? event_text(run.recorded[i].event, run.handlers) : "has no more events") + "\n";
    };
    side("left:  ", left, has_left);
    side("right: ", right, has_right);
    if (has_left && has_right && same(left.recorded[i].event, right.recorded[i].event))
      text += "  the event is the same; what its handler read or sent is not\n";
    return text;
  }
  if (most == kRecordedMax)
    return "the first " + grouped(kRecordedMax) + " events of that second are the same\n";
  return "run again, the two did not differ in that second: the difference comes and goes\n";
}

std::optional<std::int64_t> differing_second(const ChildRun& left, const ChildRun& right) {
  if (const auto second = first_difference(left.seconds, right.seconds)) return second;
  if (left.hash == right.hash) return std::nullopt;
  return static_cast<std::int64_t>(std::min(left.simulated_s, right.simulated_s));
}

}  // namespace kith::simnet
