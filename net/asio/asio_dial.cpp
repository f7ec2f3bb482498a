// AsioTransport: dialling.
#include <boost/asio/io_context.hpp>

#include "net/asio/asio_transport_impl.hpp"
#include "net/asio/socket_error.hpp"

namespace kith::net {

namespace {

boost::asio::ip::tcp::endpoint to_endpoint(const TcpTarget& target) {
  boost::asio::ip::tcp::endpoint endpoint;
  socklen_t size = 0;
  const sockaddr_storage from = to_sockaddr(target, size);
  endpoint.resize(size);
  std::memcpy(endpoint.data(), &from, size);
  return endpoint;
}

std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  sockaddr_storage storage{};
  std::memcpy(&storage, endpoint.data(), endpoint.size());
  return to_multiaddr(storage).text();
}

}  // namespace

host::PipeSlot AsioTransport::Impl::dial(const Multiaddr& to) {
  const bool full = pipes_.size() >= kPipesMax;
  const PipeSlot slot = add_pipe(tcp::socket(loop_.context()));
  Pipe& pipe = *pipes_.at(slot);
  const auto target = parse_tcp(to);
  if (!target || target->port == 0 || target->is_any()) {
    end_pipe(pipe, fail(Errc::unsupported, "cannot dial " + to.text() + ": not a TCP address"));
  } else if (full) {
    end_pipe(pipe, fail(Errc::exhausted, "cannot dial " + to.text() + ": too many connections"));
  } else if (target->is_name()) {
    resolve(slot, *target);
  } else {
    using Endpoints = std::vector<tcp::endpoint>;
    try_connect(slot, std::make_shared<const Endpoints>(Endpoints{to_endpoint(*target)}), 0);
  }
  return slot;
}

void AsioTransport::Impl::resolve(PipeSlot slot, const TcpTarget& to) {
  if (resolving_ >= kResolvesMax) {
    end_pipe(*pipes_.at(slot), fail(Errc::exhausted, "too many names are being resolved"));
    return;
  }
  if (!resolver_) resolver_ = std::make_unique<tcp::resolver>(loop_.context());
  ++resolving_;
  const auto flags = tcp::resolver::numeric_service;
  auto handler = [self = shared_from_this(), slot, name = to.name](
                     const boost::system::error_code& error,
                     const tcp::resolver::results_type& results) {
    --self->resolving_;
    self->on_resolved(slot, name, error, results);
  };
  const std::string port = std::to_string(to.port);
  if (to.kind == TcpTarget::Kind::dns4)
    resolver_->async_resolve(tcp::v4(), to.name, port, flags, std::move(handler));
  else if (to.kind == TcpTarget::Kind::dns6)
    resolver_->async_resolve(tcp::v6(), to.name, port, flags, std::move(handler));
  else
    resolver_->async_resolve(to.name, port, flags, std::move(handler));
}

void AsioTransport::Impl::on_resolved(PipeSlot slot, const std::string& name,
                                      const boost::system::error_code& error,
                                      const tcp::resolver::results_type& results) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr) return;
  auto endpoints = std::make_shared<std::vector<tcp::endpoint>>();
  for (const auto& result : results)
    if (endpoints->size() < kResolvedMax) endpoints->push_back(result.endpoint());
  if (error || endpoints->empty()) {
    const std::string why = error ? error.message() : "it has no address of that family";
    end_pipe(*pipe, fail(Errc::connection, "cannot resolve " + name + ": " + why));
    return;
  }
  try_connect(slot, std::move(endpoints), 0);
}

void AsioTransport::Impl::try_connect(PipeSlot slot,
                                      std::shared_ptr<const std::vector<tcp::endpoint>> to,
                                      std::size_t next) {
  Pipe& pipe = *pipes_.at(slot);
  const tcp::endpoint endpoint = (*to)[next];
  boost::system::error_code error;
  pipe.socket.close(error);
  pipe.socket.open(endpoint.protocol(), error);
  const int number = error ? error.value() : pipe.set_options();
  if (number != 0) {
    end_pipe(pipe, socket_error(number, "cannot dial " + text_of(endpoint)));
    return;
  }
  pipe.socket.async_connect(endpoint, [self = shared_from_this(), slot, to = std::move(to),
                                       next](const boost::system::error_code& failed) {
    self->on_connected(slot, to, next, failed.value());
  });
}

void AsioTransport::Impl::on_connected(PipeSlot slot,
                                       const std::shared_ptr<const std::vector<tcp::endpoint>>& to,
                                       std::size_t at, int error) {
  Pipe* pipe = find(slot);
  if (pipe == nullptr) return;
  Multiaddr local;
  Multiaddr remote;
  if (error == 0) {
    local = pipe->local_addr();
    remote = pipe->remote_addr();
    if (remote.empty()) error = ENOTCONN;
    // TCP connects a socket to itself when an ephemeral port dials itself.
    if (local == remote) error = ECONNREFUSED;
  }
  if (error != 0) {
    if (at + 1 < to->size()) return try_connect(slot, to, at + 1);
    return end_pipe(*pipe, socket_error(error, "cannot dial " + text_of((*to)[at])));
  }
  pipe->state = TcpPipe::State::open;
  if (pipe->backlog != 0 || pipe->close_asked) mark_dirty(*pipe);
  sink->on_dialed(loop_.now(), slot, local, remote);
  if (Pipe* still = find(slot)) want_read(*still);
}

}  // namespace kith::net
