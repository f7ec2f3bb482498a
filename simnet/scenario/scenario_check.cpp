#include <set>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"
#include "simnet/scenario/fields.hpp"
#include "simnet/scenario/scenario_toml.hpp"
#include "simnet/scenario/units.hpp"

namespace kith::simnet {
namespace {

class Checker {
 public:
  Checker(const Scenario& scenario, const std::string& name) : scenario_(scenario), name_(name) {}

  Result<void> run() {
    KITH_TRY_VOID(whole());
    KITH_TRY_VOID(groups());
    for (std::size_t i = 0; i < scenario_.work.size(); ++i) KITH_TRY_VOID(work(i));
    for (std::size_t i = 0; i < scenario_.faults.size(); ++i) KITH_TRY_VOID(fault(i));
    for (const Expect& expect : scenario_.expects) {
      if (expect.metric.empty()) return wrong("an [[expect]] has no `metric`", "name one");
      if (!expect.has_min && !expect.has_max)
        return wrong("the [[expect]] of '" + expect.metric + "' expects nothing",
                     "give it `min`, `max` or both");
    }
    return {};
  }

 private:
  Error wrong(const std::string& what, const std::string& fix) {
    return fail(Errc::configuration, name_ + ": " + what, {}, fix);
  }
  Result<void> whole() {
    if (scenario_.name.empty()) return wrong("it has no `name`", "name = \"hello\"");
    if (scenario_.nodes == 0) return wrong("it has no `nodes`", "nodes = 100");
    if (scenario_.until <= Duration{}) return wrong("it has no `until`", "until = \"60s\"");
    if (scenario_.settle >= scenario_.until)
      return wrong("`settle` takes all of the run",
                   "make `until` longer than " + duration_text(scenario_.settle));
    if (!scenario_.regions.empty() && scenario_.latency_ms.size() != scenario_.regions.size())
      return wrong("`regions` have no `latency_ms`", "give it a row for each of them");
    KITH_TRY_VOID(link("link", scenario_.link));
    return node(scenario_.node);
  }
  Result<void> link(const std::string& where, const LinkOptions& link) {
    if (!scenario_.regions.empty() && link.region >= scenario_.regions.size())
      return wrong(where + ": there is no region " + std::to_string(link.region),
                   "regions count from 0 to " + std::to_string(scenario_.regions.size() - 1));
    return {};
  }
  Result<void> node(const NodeSpec& spec) {
    if (spec.degree_low > spec.degree || spec.degree > spec.degree_high)
      return wrong("the degrees of gossip are out of order", "degree_low <= degree <= degree_high");
    if (spec.keep_low > spec.keep_high)
      return wrong("keep_low is above keep_high", "keep_low <= keep_high");
    if (spec.epoch % spec.beat != Duration{})
      return wrong("an epoch is not a whole number of beats",
                   "make `epoch` a multiple of " + duration_text(spec.beat));
    return {};
  }
  Result<void> groups() {
    std::uint64_t sum = 0;
    for (const Group& group : scenario_.groups) {
      if (group.name.empty() || group.name == "all" || group.name == "rest")
        return wrong("a [[group]] needs a `name` other than \"all\" and \"rest\"",
                     "name = \"publishers\"");
      if (!names_.insert(group.name).second)
        return wrong("two groups are named '" + group.name + "'", "rename one");
      if (group.count == 0 && group.share_ppm == 0)
        return wrong("the group '" + group.name + "' has no nodes",
                     "count = 10, or share = \"5%\"");
      sum += group.count != 0 ? group.count
                              : std::uint64_t{scenario_.nodes} * group.share_ppm / 1'000'000;
      KITH_TRY_VOID(node(group.node));
      KITH_TRY_VOID(link("the group '" + group.name + "'", group.link));
    }
    if (sum > scenario_.nodes)
      return wrong(
          "the groups want " + std::to_string(sum) + " nodes of " + std::to_string(scenario_.nodes),
          "raise `nodes`, or make the groups smaller");
    names_.insert("all");
    names_.insert("rest");
    return {};
  }
  Result<void> who(const std::string& where, const std::string& name) {
    if (names_.count(name) != 0) return {};
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    return wrong(where + ": there is no group " + quote_text(name), suggest_name(name, known));
  }
  Result<void> times(const std::string& where, Duration at, Duration until) {
    if (at >= scenario_.until)
      return wrong(where + " begins after the end of the run",
                   "let it begin before " + duration_text(scenario_.until));
    if (until != Duration{} && until <= at)
      return wrong(where + " ends before it begins", "make `until` later than `at`");
    return {};
  }
  Result<void> work(std::size_t index) {
    const Work& work = scenario_.work[index];
    const std::string where = "work " + std::to_string(index) + " (" +
                              std::string(kWorkNames[static_cast<std::size_t>(work.kind)]) + ")";
    KITH_TRY_VOID(who(where, work.who));
    KITH_TRY_VOID(times(where, work.at, work.until));
    if (work.kind == WorkKind::publish && work.size > (60u << 10))
      return wrong(where + ": a message has at most 60KiB", "lower `size`");
    if (work.kind == WorkKind::put && work.size > (32u << 10))
      return wrong(where + ": a value has at most 32KiB", "lower `size`");
    if (work.every != Duration{} && work.every < 1us)
      return wrong(where + ": more than a million a second", "raise `every`");
    return {};
  }
  Result<void> fault(std::size_t index) {
    const Fault& fault = scenario_.faults[index];
    const std::string where = "fault " + std::to_string(index) + " (" +
                              std::string(kFaultNames[static_cast<std::size_t>(fault.kind)]) + ")";
    KITH_TRY_VOID(who(where, fault.who));
    KITH_TRY_VOID(times(where, fault.at, fault.until));
    if (fault.every != Duration{} && fault.every < 1ms)
      return wrong(where + ": more than a thousand a second", "raise `every`");
    if (fault.kind == FaultKind::clock && fault.by == Duration{})
      return wrong(where + " moves no clock", "by = \"1h\"");
    return {};
  }

  const Scenario& scenario_;
  const std::string& name_;
  std::set<std::string> names_;
};

}  // namespace

Result<void> check_scenario(const Scenario& scenario, const std::string& name) {
  return Checker(scenario, name).run();
}

}  // namespace kith::simnet
