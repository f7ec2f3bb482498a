// HttpServer: the API on a Unix socket of the home folder, on the node's own loop.
//
// Rules
// * The socket's mode is 0600. A socket file that an earlier run left is replaced: whoever starts a
//   server holds the home folder's lock.
// * Connections are kept alive. At most kSessionsMax at a time; more wait in the kernel's queue.
// * A request's head and body must be there within kRequestDeadline; a write must leave within
//   kWriteDeadline. A client that goes away, or stops reading, cancels its request.
// * Events wait for a slow reader up to kEventsMax bytes; beyond it they are dropped, and a "gap"
//   line says how many. The last line is never dropped.
//
// Attacker: another program of the same user at most; the bounds keep the node safe from its bugs.
#pragma once

#include <memory>
#include <string>

#include "net/asio/asio_loop.hpp"
#include "net/base/log.hpp"
#include "services/bridge/backend.hpp"
#include "services/bridge/guard.hpp"

namespace kith::bridge {

inline constexpr std::size_t kSessionsMax = 64;
inline constexpr int kListenBacklog = 128;
inline constexpr Duration kRequestDeadline = 10s;
inline constexpr Duration kWriteDeadline = 30s;
inline constexpr std::size_t kEventsMax = 1u << 20;

class HttpServer {
 public:
  // loop, backend and log outlive it.
  HttpServer(net::AsioLoop& loop, Backend& backend, ApiGuard guard, Log& log);
  ~HttpServer();  // as stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Errors: oversized (the path does not fit a socket address), io, permission.
  Result<void> listen(const std::string& socket_path);
  // Takes nobody new; what is being answered goes on.
  void close();
  // Ends everything at once and removes the socket.
  void stop();
  std::size_t sessions() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::bridge
