#include "services/bridge/node_backend.hpp"

namespace kith::bridge {

Now NodeBackend::now() const { return loop_.now(); }
node::Status NodeBackend::status() const { return node_.status(); }
std::vector<host::PeerStatus> NodeBackend::peers() const { return node_.peers(); }

void NodeBackend::start(node::Request request, Duration deadline, node::RequestSink& sink) {
  node_.start_request(std::move(request), deadline, sink);
}

void NodeBackend::drop_sink(node::RequestSink& sink) { node_.drop_sink(sink); }

void NodeBackend::shut_down() { loop_.post(shut_down_); }

}  // namespace kith::bridge
