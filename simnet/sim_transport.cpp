#include "simnet/sim_transport.hpp"

#include "net/base/check.hpp"
#include "simnet/sim_net.hpp"

namespace kith::simnet {

SimTransport::SimTransport(SimNet& net, NodeIndex node, Loop& loop) : net_(net), node_(node) {
  net_.attach(node, loop);
}
SimTransport::~SimTransport() { net_.detach(node_); }

void SimTransport::set_sink(host::TransportSink& sink) {
  CHECK(net_.nodes_[node_].sink == nullptr);
  net_.nodes_[node_].sink = &sink;
}
bool SimTransport::can_dial(const Multiaddr& to) const { return net_.can_dial(to); }
host::PipeSlot SimTransport::dial(const Multiaddr& to) { return net_.dial(node_, to); }
Result<Multiaddr> SimTransport::listen(const Multiaddr& on) { return net_.listen(node_, on); }
std::vector<Multiaddr> SimTransport::listen_addrs() const { return net_.listen_addrs(node_); }
void SimTransport::accept_paused(bool paused) { net_.accept_paused(node_, paused); }
void SimTransport::write(host::PipeSlot pipe, Bytes data) {
  net_.write(node_, pipe, std::move(data));
}
std::size_t SimTransport::backlog(host::PipeSlot pipe) const { return net_.backlog(node_, pipe); }
void SimTransport::read_paused(host::PipeSlot pipe, bool paused) {
  net_.read_paused(node_, pipe, paused);
}
void SimTransport::close(host::PipeSlot pipe) { net_.close(node_, pipe); }
void SimTransport::abort(host::PipeSlot pipe) { net_.abort(node_, pipe); }

}  // namespace kith::simnet
