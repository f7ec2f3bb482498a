// Checks: after the last event, the nodes are asked what they hold, and it is compared with what
// was acknowledged while the run lasted. Nobody's own account is taken on trust twice: what one
// node says it holds is read back whole.
#pragma once

#include <functional>
#include <map>

#include "simnet/scenario/run.hpp"
#include "simnet/scenario/workload.hpp"

namespace kith::simnet {

inline constexpr Duration kAnswerIn = 60s;
inline constexpr std::size_t kQueuedEventsMax = 1u << 16;  // of one node, at a second's end
inline constexpr std::size_t kReadersChecked = 5;  // nodes that a namespace is read from, whole

class Checks {
 public:
  Checks(Town& town, Workload& workload, Deliveries& deliveries)
      : town_(town), workload_(workload), deliveries_(deliveries) {}

  // Each second: how far what nodes hold for others grows.
  void sample();
  // What only shows while nodes are missing. Asks nobody.
  void before_heal();
  // Asks, and lets the world run until all have answered.
  void run(RunResult& result);
  bool on_done(NodeIndex node, RequestId id, Result<node::Answer>& answer);  // true: was ours

 private:
  using Then = std::function<void(Result<node::Answer>&)>;
  void ask(NodeIndex node, node::Request request, Then then);
  void settle(RunResult& result, const std::string& what);

  void delivery(RunResult& result);
  void spaces(RunResult& result);
  void space(RunResult& result, const std::string& name, const AckedSpace& acked);
  void files(RunResult& result);
  void lessons(RunResult& result);
  void beats(RunResult& result);
  void tables(RunResult& result);
  void nodes(RunResult& result);

  Town& town_;
  Workload& workload_;
  Deliveries& deliveries_;
  std::map<std::pair<NodeIndex, std::uint64_t>, Then> asked_;
  std::uint64_t meshes_ = 0, thin_meshes_ = 0;
  host::HostUsage most_;  // of any node at any second
};

}  // namespace kith::simnet
