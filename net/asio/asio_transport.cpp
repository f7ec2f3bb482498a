#include "net/asio/asio_transport.hpp"

#include "net/asio/asio_transport_impl.hpp"
#include "net/base/check.hpp"

namespace kith::net {

AsioTransport::Impl::Impl(AsioLoop& loop)
    : loop_(loop), accept_pause_(*this), scratch_(kSmallRead) {}

void AsioTransport::Impl::shut_down() {
  sink = nullptr;
  loop_.withdraw(*this);
  loop_.arm(accept_pause_, kNever);
  resolver_.reset();
  listeners_.clear();
  pipes_.for_each([](PipeSlot, std::unique_ptr<Pipe>& pipe) { pipe->reset(); });
  pipes_ = {};
}

AsioTransport::AsioTransport(AsioLoop& loop) : impl_(std::make_shared<Impl>(loop)) {}
AsioTransport::~AsioTransport() { impl_->shut_down(); }

void AsioTransport::set_sink(host::TransportSink& sink) {
  CHECK(impl_->sink == nullptr);
  impl_->sink = &sink;
}
bool AsioTransport::can_dial(const Multiaddr& to) const {
  const auto target = parse_tcp(to);
  return target && target->port != 0 && !target->is_any();
}
host::PipeSlot AsioTransport::dial(const Multiaddr& to) { return impl_->dial(to); }
Result<Multiaddr> AsioTransport::listen(const Multiaddr& on) { return impl_->listen(on); }
std::vector<Multiaddr> AsioTransport::listen_addrs() const { return impl_->listen_addrs(); }
void AsioTransport::accept_paused(bool paused) { impl_->accept_paused(paused); }
void AsioTransport::write(host::PipeSlot pipe, Bytes data) { impl_->write(pipe, std::move(data)); }
std::size_t AsioTransport::backlog(host::PipeSlot pipe) const { return impl_->backlog(pipe); }
void AsioTransport::read_paused(host::PipeSlot pipe, bool paused) {
  impl_->read_paused(pipe, paused);
}
void AsioTransport::close(host::PipeSlot pipe) { impl_->close(pipe); }
void AsioTransport::abort(host::PipeSlot pipe) { impl_->abort(pipe); }

AsioTransportStats AsioTransport::stats() const { return impl_->stats; }

}  // namespace kith::net
