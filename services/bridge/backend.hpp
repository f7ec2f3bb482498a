// Backend: what the API asks of a node. NodeBackend gives it a Node; tests give it a script.
#pragma once

#include <vector>

#include "services/node/node.hpp"

namespace kith::bridge {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Now now() const = 0;
  virtual node::Status status() const = 0;
  virtual std::vector<host::PeerStatus> peers() const = 0;
  // One on_done for every call, unless the sink is dropped before; it may come before this returns.
  virtual void start(node::Request request, Duration deadline, node::RequestSink& sink) = 0;
  virtual void drop_sink(node::RequestSink& sink) = 0;
  virtual void shut_down() = 0;  // returns at once; the answer to the caller still leaves
};

}  // namespace kith::bridge
