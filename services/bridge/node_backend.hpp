// NodeBackend: a Node behind the API.
#pragma once

#include <functional>

#include "services/bridge/backend.hpp"

namespace kith::bridge {

class NodeBackend final : public Backend {
 public:
  // All outlive it. `shut_down` is called from the loop, at most once for each request to stop.
  NodeBackend(node::Node& node, Loop& loop, std::function<void()> shut_down)
      : node_(node), loop_(loop), shut_down_(std::move(shut_down)) {}

  Now now() const override;
  node::Status status() const override;
  std::vector<host::PeerStatus> peers() const override;
  void start(node::Request request, Duration deadline, node::RequestSink& sink) override;
  void drop_sink(node::RequestSink& sink) override;
  void shut_down() override;

 private:
  node::Node& node_;
  Loop& loop_;
  std::function<void()> shut_down_;
};

}  // namespace kith::bridge
