// AsioTransport: listening and accepting.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include "net/asio/asio_transport_impl.hpp"
#include "net/asio/port_holder.hpp"
#include "net/asio/socket_error.hpp"

namespace kith::net {

namespace {

using boost::asio::ip::tcp;

bool is_ip6(const TcpTarget& target) { return target.kind == TcpTarget::Kind::ip6; }

// 0 or errno.
int open_acceptor(tcp::acceptor& acceptor, const TcpTarget& on) {
  boost::system::error_code error;
  acceptor.open(is_ip6(on) ? tcp::v6() : tcp::v4(), error);
  if (error) return error.value();
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && is_ip6(on)) acceptor.set_option(boost::asio::ip::v6_only(true), error);
  if (!error) acceptor.non_blocking(true, error);
  if (error) return error.value();
  socklen_t size = 0;
  const sockaddr_storage address = to_sockaddr(on, size);
  if (bind(acceptor.native_handle(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return errno;
  return ::listen(acceptor.native_handle(), kAcceptBacklog) == 0 ? 0 : errno;
}

Error listen_error(int number, const Multiaddr& on, std::uint16_t port) {
  Error error = socket_error(number, "cannot listen on " + on.text());
  if (number == EADDRINUSE) {
    const auto holder = find_port_holder(port);
    error.why = holder ? "process " + std::to_string(holder->pid) + " (" + holder->program +
                             ") listens on port " + std::to_string(port)
                       : "another process listens on port " + std::to_string(port);
    error.fix = "stop that process, or listen on another port (port 0 takes a free one)";
  } else if (number == EADDRNOTAVAIL) {
    error.code = Errc::configuration;
    error.fix =
        "listen on an address of this machine, or on /ip4/0.0.0.0/tcp/" + std::to_string(port);
  } else if (number == EACCES) {
    error.fix = "listen on a port of 1024 or above";
  }
  return error;
}

}  // namespace

Result<Multiaddr> AsioTransport::Impl::listen(const Multiaddr& on) {
  const auto target = parse_tcp(on);
  if (!target || target->is_name())
    return fail(Errc::unsupported, "cannot listen on " + on.text(), "it is not /ip4 or /ip6 TCP",
                "listen on /ip4/0.0.0.0/tcp/PORT or /ip6/::/tcp/PORT");
  if (listeners_.size() >= kListenersMax)
    return fail(Errc::exhausted, "cannot listen on " + on.text() + ": too many listeners");
  auto listener = std::make_unique<Listener>(Listener{tcp::acceptor(loop_.context()), *target});
  if (const int number = open_acceptor(listener->acceptor, *target); number != 0)
    return listen_error(number, on, target->port);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(listener->acceptor.native_handle(), reinterpret_cast<sockaddr*>(&bound), &size))
    return listen_error(errno, on, target->port);
  const Multiaddr address = to_multiaddr(bound);
  listener->on = *parse_tcp(address);
  listeners_.push_back(std::move(listener));
  wait_accept(listeners_.size() - 1);
  return address;
}

std::vector<Multiaddr> AsioTransport::Impl::listen_addrs() const {
  std::vector<Multiaddr> found;
  for (const auto& listener : listeners_) {
    const TcpTarget& on = listener->on;
    if (!on.is_any()) {
      found.push_back(Multiaddr::of_tcp(on.address, on.port));
      continue;
    }
    for (const Bytes& address : interface_addrs(is_ip6(on)))
      found.push_back(Multiaddr::of_tcp(address, on.port));
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void AsioTransport::Impl::accept_paused(bool paused) {
  accept_paused_ = paused;
  for (std::size_t i = 0; i < listeners_.size(); ++i) wait_accept(i);
}

void AsioTransport::Impl::wait_accept(std::size_t listener) {
  Listener& at = *listeners_[listener];
  if (accept_paused_ || accept_pausing_ || at.waiting) return;
  at.waiting = true;
  at.acceptor.async_wait(tcp::acceptor::wait_read, [self = shared_from_this(), listener](
                                                       const boost::system::error_code& error) {
    if (listener >= self->listeners_.size()) return;  // shut down
    self->listeners_[listener]->waiting = false;
    if (!error) self->accept_ready(listener);
  });
}

void AsioTransport::Impl::accept_ready(std::size_t listener) {
  // The sink may pause us, or end us, with each pipe that it is told of.
  for (std::size_t i = 0; i < kAcceptsPerTurn; ++i)
    if (listener >= listeners_.size() || accept_paused_ || !accept_one(listener)) break;
  if (listener < listeners_.size()) wait_accept(listener);
}

bool AsioTransport::Impl::accept_one(std::size_t listener) {
  tcp::acceptor& acceptor = listeners_[listener]->acceptor;
  const bool full = pipes_.size() >= kPipesMax;
  const int fd =
      full ? -1 : accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  const int number = full ? EMFILE : fd < 0 ? errno : 0;
  if (number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM) {
    ++stats.accept_pauses;
    accept_pausing_ = true;
    loop_.arm(accept_pause_, later(loop_.now().mono, kAcceptPause));
    return false;
  }
  if (number == EAGAIN) return false;
  if (number != 0) return true;  // that connection died while it waited (ECONNABORTED, EPROTO, ...)
  tcp::socket socket(loop_.context());
  boost::system::error_code error;
  socket.assign(is_ip6(listeners_[listener]->on) ? tcp::v6() : tcp::v4(), fd, error);
  if (error) {
    ::close(fd);
    return true;
  }
  const PipeSlot slot = add_pipe(std::move(socket));
  Pipe& pipe = *pipes_.at(slot);
  pipe.state = TcpPipe::State::open;
  const Multiaddr local = pipe.local_addr();
  const Multiaddr remote = pipe.remote_addr();
  if (pipe.set_options() != 0 || remote.empty()) {  // reset before we looked: nobody hears of it
    pipe.reset();
    pipes_.erase(slot);
    --stats.pipes;
    return true;
  }
  sink->on_accept(loop_.now(), slot, local, remote);
  if (Pipe* still = find(slot)) want_read(*still);
  return true;
}

void AsioTransport::Impl::on_accept_pause_over() {
  accept_pausing_ = false;
  for (std::size_t i = 0; i < listeners_.size(); ++i) wait_accept(i);
}

}  // namespace kith::net
