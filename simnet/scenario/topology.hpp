// Topology: who starts when, and who dials whom at first.
#pragma once

#include "simnet/scenario/town.hpp"

namespace kith::simnet {

class TopologyDriver final : public EventHandler {
 public:
  explicit TopologyDriver(Town& town);
  void begin();
  // Dials its first neighbours, where the graph says so; again after each restart.
  void on_ready(NodeIndex node);
  void on_event(const Event& event) override;

 private:
  enum Kind : std::uint16_t { kStart, kConnect };
  void connect(NodeIndex node);
  void dial(NodeIndex from, NodeIndex to);

  Town& town_;
  std::uint16_t handler_;
  Duration all_started_{};
};

}  // namespace kith::simnet
