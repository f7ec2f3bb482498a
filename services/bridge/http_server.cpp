#include "services/bridge/http_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <map>

#include "services/bridge/http_session.hpp"

namespace kith::bridge {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
using Failed = boost::system::error_code;

constexpr Duration kAcceptPause = 100ms;  // after a failed accept: out of descriptors

Error socket_error(const std::string& path, int number) {
  const bool denied = number == EACCES || number == EPERM;
  return fail(denied ? Errc::permission : Errc::io, "the API cannot listen on " + path,
              std::strerror(number));
}

// A listening socket that only its owner can connect to.
Result<int> listen_at(const std::string& path) {
  sockaddr_un addr{};
  addr.sun_family = AF_UNIX;
  if (path.size() >= sizeof addr.sun_path)
    return fail(Errc::oversized, "the path of the API's socket is too long",
                path + " has " + std::to_string(path.size()) + " bytes, " +
                    std::to_string(sizeof addr.sun_path - 1) + " are possible",
                "use a home folder with a shorter path: kith run --home DIR");
  std::memcpy(addr.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return socket_error(path, errno);
  ::unlink(path.c_str());
  // Nobody can connect before listen(), so the mode is right in time.
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&addr), sizeof addr) == 0 &&
      ::chmod(path.c_str(), 0600) == 0 && ::listen(fd, kListenBacklog) == 0)
    return fd;
  const int number = errno;
  ::close(fd);
  return socket_error(path, number);
}

}  // namespace

struct HttpServer::Impl final : private Alarm {
  Impl(net::AsioLoop& on, Backend& ask, ApiGuard admit, Log& tell)
      : loop(on), backend(ask), guard(std::move(admit)), log(tell), acceptor(on.context()) {}
  ~Impl() { stop(); }

  void accept() {
    if (accepting || !acceptor.is_open() || sessions.size() >= kSessionsMax) return;
    accepting = true;
    acceptor.async_accept(
        [this, alive = std::weak_ptr<int>(alive_)](Failed failed, Protocol::socket socket) {
          if (alive.expired()) return;
          accepting = false;
          if (!acceptor.is_open()) return;
          if (failed) {
            log.warn("bridge.accept-failed", failed.message());
            return loop.arm(*this, later(loop.now().mono, kAcceptPause));
          }
          add(std::move(socket));
          accept();
        });
  }

  void add(Protocol::socket socket) {
    const std::uint64_t number = ++last;
    SessionParts parts{backend, guard, [this, number] {
                         sessions.erase(number);
                         accept();
                       }};
    auto session = make_session(std::move(socket), std::move(parts));
    sessions.emplace(number, session);
    session->start();
  }

  void on_alarm(Now) override { accept(); }

  void close() {
    Failed ignored;
    acceptor.close(ignored);
    loop.arm(*this, kNever);
    if (!path.empty()) ::unlink(path.c_str());
    path.clear();
  }

  void stop() {
    close();
    const auto ending = std::exchange(sessions, {});
    for (const auto& [number, session] : ending) session->stop();
  }

  net::AsioLoop& loop;
  Backend& backend;
  ApiGuard guard;
  Log& log;
  Protocol::acceptor acceptor;
  std::map<std::uint64_t, std::shared_ptr<HttpSession>> sessions;
  std::uint64_t last = 0;
  std::string path;
  bool accepting = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

HttpServer::HttpServer(net::AsioLoop& loop, Backend& backend, ApiGuard guard, Log& log)
    : impl_(std::make_unique<Impl>(loop, backend, std::move(guard), log)) {}
HttpServer::~HttpServer() = default;

Result<void> HttpServer::listen(const std::string& socket_path) {
  KITH_TRY(const int fd, listen_at(socket_path));
  Failed failed;
  impl_->acceptor.assign(Protocol(), fd, failed);
  if (failed) {
    ::close(fd);
    return fail(Errc::io, "the API cannot listen on " + socket_path, failed.message());
  }
  impl_->path = socket_path;
  impl_->accept();
  return {};
}

void HttpServer::close() { impl_->close(); }
void HttpServer::stop() { impl_->stop(); }
std::size_t HttpServer::sessions() const { return impl_->sessions.size(); }

}  // namespace kith::bridge
