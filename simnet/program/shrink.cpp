#include "simnet/program/shrink.hpp"

#include <algorithm>

#include "simnet/scenario/scenario_toml.hpp"

namespace kith::simnet {
namespace {

class Shrinker {
 public:
  Shrinker(Scenario& best, std::uint32_t tries_max,
           const std::function<bool(const Scenario&)>& fails)
      : best_(best), tries_max_(tries_max), fails_(fails) {}

  std::uint32_t run() {
    bool smaller = true;
    while (smaller && tries_ < tries_max_) {
      smaller = drop(&Scenario::faults);
      smaller |= drop(&Scenario::work);
      smaller |= drop_groups();
      smaller |= halve_nodes();
      smaller |= shorten();
    }
    return tries_;
  }

 private:
  bool attempt(Scenario candidate) {
    if (tries_ == tries_max_ || !check_scenario(candidate, "smaller")) return false;
    ++tries_;
    if (!fails_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  // Pieces of the list, from all of it down to single ones.
  template <class T>
  bool drop(std::vector<T> Scenario::*list) {
    bool smaller = false;
    for (std::size_t piece = (best_.*list).size(); piece > 0; piece /= 2) {
      for (std::size_t at = 0; at < (best_.*list).size();) {
        Scenario candidate = best_;
        auto& from = candidate.*list;
        const std::size_t end = std::min(at + piece, from.size());
        from.erase(from.begin() + static_cast<std::ptrdiff_t>(at),
                   from.begin() + static_cast<std::ptrdiff_t>(end));
        if (attempt(std::move(candidate)))
          smaller = true;
        else
          at = end;
      }
    }
    return smaller;
  }

  // What named the group then names the rest of the homes.
  bool drop_groups() {
    bool smaller = false;
    for (std::size_t g = best_.groups.size(); g-- > 0;) {
      Scenario candidate = best_;
      const std::string name = candidate.groups[g].name;
      candidate.groups.erase(candidate.groups.begin() + static_cast<std::ptrdiff_t>(g));
      for (Work& work : candidate.work)
        if (work.who == name) work.who = "all";
      for (Fault& fault : candidate.faults)
        if (fault.who == name) fault.who = "all";
      smaller |= attempt(std::move(candidate));
    }
    return smaller;
  }

  bool halve_nodes() {
    bool smaller = false;
    while (best_.nodes > 1) {
      Scenario candidate = best_;
      candidate.nodes = best_.nodes / 2;
      for (Group& group : candidate.groups) group.count = (group.count + 1) / 2;
      if (!attempt(std::move(candidate))) break;
      smaller = true;
    }
    return smaller;
  }

  // A quarter off what comes before `settle`; what began later is gone with it.
  bool shorten() {
    bool smaller = false;
    for (;;) {
      const Duration active = best_.until - best_.settle;
      const Duration shorter = (active * 3 / 4) / 1s * Duration(1s);
      if (shorter < 1s || shorter >= active) return smaller;
      Scenario candidate = best_;
      candidate.until = shorter + candidate.settle;
      const auto cut = [&](auto& list) {
        std::erase_if(list, [&](const auto& one) { return one.at >= shorter; });
        for (auto& one : list) one.until = std::min(one.until, shorter);
      };
      cut(candidate.work);
      cut(candidate.faults);
      candidate.topology.join = std::min(candidate.topology.join, shorter);
      if (!attempt(std::move(candidate))) return smaller;
      smaller = true;
    }
  }

  Scenario& best_;
  std::uint32_t tries_max_;
  const std::function<bool(const Scenario&)>& fails_;
  std::uint32_t tries_ = 0;
};

}  // namespace

Shrunk shrink(Scenario failing, std::uint32_t tries_max,
              const std::function<bool(const Scenario&)>& fails) {
  Shrunk shrunk{std::move(failing), 0};
  shrunk.tries = Shrinker(shrunk.scenario, tries_max, fails).run();
  return shrunk;
}

}  // namespace kith::simnet
