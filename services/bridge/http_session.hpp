// HttpSession: one connection of a client, request after request. See http_server.hpp for its
// bounds. What a request yields is written as HTTP/1.1 chunks, a line or more each.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>

#include "services/bridge/backend.hpp"
#include "services/bridge/guard.hpp"

namespace kith::bridge {

class HttpSession {
 public:
  virtual ~HttpSession() = default;
  virtual void start() = 0;
  virtual void stop() = 0;  // at once; `gone` is not called
};

struct SessionParts {
  Backend& backend;
  const ApiGuard& guard;
  std::function<void()> gone;  // called once, when the connection has ended
};

std::shared_ptr<HttpSession> make_session(boost::asio::local::stream_protocol::socket socket,
                                          SessionParts parts);

}  // namespace kith::bridge
