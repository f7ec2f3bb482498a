// Faults: what goes wrong in a scenario, and when it is put right again. Every fault is healed at
// its `until`, and all of them when the run begins to settle.
//
// Where faults overlap on one node, a later one of the same kind replaces the earlier; a node that
// is down is left alone by kills and pauses.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "simnet/scenario/town.hpp"

namespace kith::simnet {

class Faults final : public EventHandler {
 public:
  // What the scenario's other parts must hear of.
  struct Hooks {
    std::function<void(NodeIndex)> before_crash;
    std::function<void(Mono from, Mono to)> on_cut;
  };
  Faults(Town& town, Hooks hooks);
  void begin();
  void heal_all();  // and whoever is down comes back
  std::uint64_t crashes() const { return crashes_; }

  void on_event(const Event& event) override;

 private:
  enum Kind : std::uint16_t { kStrike, kHeal, kBack, kSession };
  struct Live {                  // of one [[fault]]
    std::set<NodeIndex> struck;  // by any of its draws
    bool healed = false;
  };

  std::vector<NodeIndex> choose(const Fault& fault);
  Duration end_of(const Fault& fault) const;
  void strike(std::uint32_t index);
  void strike_node(std::uint32_t index, const Fault& fault, NodeIndex node);
  void heal(std::uint32_t index);
  void down(NodeIndex node, CrashKind kind, Duration time);
  void back(NodeIndex node);
  void session_over(std::uint32_t index, NodeIndex node);
  void tell(std::uint32_t index, const std::string& text);

  Town& town_;
  Hooks hooks_;
  std::uint16_t handler_;
  Rng rng_;
  std::vector<Live> live_;
  std::vector<std::uint32_t> down_life_;  // by node: counts downs, so that a late "back" is stale
  std::uint64_t crashes_ = 0;
  std::uint32_t moves_ = 0;
  bool over_ = false;
};

}  // namespace kith::simnet
